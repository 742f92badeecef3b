package external

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/condition"
	"doorward/runtime/flow"
)

// What a document may hold, in characters or in number.
const (
	maxName      = 256
	maxProse     = 4 << 10 // of a description
	maxRequests  = 50
	maxSchemes   = 20
	maxVariables = 100
	maxSecrets   = 50
	maxHeaders   = 50
	maxValue     = 8 << 10 // of a variable or a header
	maxSecret    = 4 << 10 // in bytes
	maxURL       = 8 << 10
	maxTemplate  = 64 << 10 // of a body, an output or a schema
)

// The types of authentication. Source: reference/management.md 1.3.
const (
	apiKey = "API_KEY"
	bearer = "BEARER"
	basic  = "BASIC"
	oauth  = "OAUTH_2"
)

// Compile checks a document and makes it ready to be called. The error is a
// condition.Faults with everything that is wrong. Secrets, and the members of
// authSchemes that hold a credential, are not looked at: Seal judges them. Which
// secrets there are is not known here: their values are put in by themselves, and
// may be so later (Request.Secrets).
func Compile(body json.RawMessage) (*Service, error) {
	canonical, err := condition.Canonical(body)
	if err != nil {
		return nil, err
	}
	c := compiler{s: &Service{variables: map[string]any{}}}
	if o, ok := open(condition.Root, canonical, &c.faults); ok {
		c.service(o)
	}
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	return c.s, nil
}

// compiler collects what is wrong with one service.
type compiler struct {
	s      *Service
	faults condition.Faults
}

func (c *compiler) service(o object) {
	o.ignore("environment", "_links", "createdAt", "updatedAt", "secrets")
	c.s.ID = o.text("id", 64)
	if o.need("name") {
		c.s.Name = o.prose("name", maxName)
	}
	o.prose("description", maxProse)
	c.variables(&o)
	c.schemes(&o)
	c.requests(&o)
	o.end("an external service, which has name, description, variables, authSchemes and requests")
}

func (c *compiler) variables(o *object) {
	all, ok := o.object("variables")
	if !ok {
		return
	}
	if len(all.members) > maxVariables {
		o.faults.AddCode(all.at, flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d", maxVariables))
	}
	for _, name := range all.names() {
		if name == "" || len([]rune(name)) > maxName {
			all.wrong(name, fmt.Sprintf("takes names of 1 to %d characters", maxName))
		}
		c.s.variables[name] = all.text(name, maxValue)
	}
}

func (c *compiler) requests(o *object) {
	at := o.at.Member("requests")
	for i, raw := range o.list("requests", maxRequests) {
		one, ok := open(at.Index(i), raw, &c.faults)
		if !ok {
			continue
		}
		r := c.request(&one)
		if _, taken := c.s.Request(r.Name); taken && r.Name != "" {
			c.faults.AddCode(one.at.Member("name"), flow.UniquenessViolation, "is the name of another request of this service")
		}
		c.s.requests = append(c.s.requests, r)
	}
}

// request reads one of 1.4.
func (c *compiler) request(o *object) *Request {
	r := &Request{service: c.s}
	o.ignore("inputs") // derived
	if o.need("name") {
		r.Name = o.text("name", maxName)
		if strings.ContainsFunc(r.Name, func(x rune) bool { return !letterOrDigit(x) && !strings.ContainsRune("_. -", x) }) {
			o.wrong("name", "takes letters, digits, _, -, . and spaces: requests are invoked by it")
		}
	}
	r.DisplayName, r.Description = o.prose("displayName", maxProse), o.prose("description", maxProse)
	if o.need("request") {
		if q, ok := o.object("request"); ok {
			c.call(&q, r)
		}
	}
	if a, ok := o.object("response"); ok {
		c.response(&a, r)
	}
	o.end("a request, which has name, displayName, description, request and response")
	c.roots(o.at, r)
	if r.DisplayName == "" && r.url != nil {
		r.DisplayName = r.Method + " " + r.url.source
	}
	return r
}

// call reads what is sent.
func (c *compiler) call(o *object, r *Request) {
	if o.need("method") {
		r.Method = o.one("method", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
	}
	if o.need("url") {
		r.url = c.text(o, "url", "request.url", maxURL)
	}
	c.headers(o, r)
	if b, ok := o.object("body"); ok {
		c.body(&b, r)
	}
	if name := o.text("authScheme", maxName); name != "" {
		c.authScheme(o, r, name)
	}
	r.input = c.schema(o, "inputSchema")
	o.end("a request, which has method, url, headers, body, authScheme and inputSchema")
}

// body reads a template; only where a request may have one.
func (c *compiler) body(o *object, r *Request) {
	if r.Method == "GET" || r.Method == "HEAD" || r.Method == "DELETE" {
		o.faults.Add(o.at, "cannot be sent with "+r.Method+"; leave it out, or use POST, PUT or PATCH")
	}
	if o.need("type") {
		o.one("type", "JSON")
	}
	if o.need("template") {
		r.body = c.document(o, "template", "request.body.template")
	}
	o.end("a body, which has type and template")
}

// response reads what is made of the answer. Source: reference/management.md 1.4.
func (c *compiler) response(o *object, r *Request) {
	if raw, ok := o.take("output"); ok && string(raw) != `""` {
		r.output = c.text(o, "output", "response.output", maxTemplate)
	}
	r.out = c.schema(o, "outputSchema")
	if r.output != nil && !o.there("outputSchema") {
		o.faults.AddCode(o.at.Member("outputSchema"), flow.RequiredValue, "is required where there is an output: a JSON Schema of what it comes to")
	}
	o.end("a response, which has output and outputSchema")
}

// headers reads the names and the texts of headers; each name once, in whatever
// case.
func (c *compiler) headers(o *object, r *Request) {
	all, ok := o.object("headers")
	if !ok {
		return
	}
	if len(all.members) > maxHeaders {
		o.faults.AddCode(all.at, flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d", maxHeaders))
	}
	for _, name := range all.names() {
		if complaint := HeaderFault(name); complaint != "" {
			all.wrong(name, complaint)
		}
		if r.header(name) {
			all.faults.AddCode(all.at.Member(name), flow.UniquenessViolation, "is there twice, in another case")
		}
		t := c.text(&all, name, "request.headers."+name, maxValue)
		if t == nil {
			continue
		}
		if t.literal {
			if complaint := ValueFault(t.source); complaint != "" {
				all.wrong(name, complaint)
			}
		}
		r.headers = append(r.headers, header{name, t})
	}
}

func (r *Request) header(name string) bool {
	return slices.ContainsFunc(r.headers, func(h header) bool { return strings.EqualFold(h.name, name) })
}

// authScheme finds a scheme by its name. Source: reference/management.md 1.3, the
// conflict of the text: it is the name and not the type.
func (c *compiler) authScheme(o *object, r *Request, name string) {
	i := slices.IndexFunc(c.s.schemes, func(s scheme) bool { return s.name == name })
	if i < 0 {
		o.wrong("authScheme", "is the name of no scheme in authSchemes")
		return
	}
	r.scheme = &c.s.schemes[i]
	if r.header(r.scheme.header) {
		o.wrong("authScheme", "sends the header "+r.scheme.header+", which is among headers as well; leave one of them out")
	}
}

// there reports whether a member is said, rightly or wrongly.
func (o *object) there(name string) bool {
	raw, ok := o.take(name)
	return ok && string(raw) != `""`
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// faultsOf is what Compile reports.
func faultsOf(err error) condition.Faults {
	var f condition.Faults
	errors.As(err, &f)
	return f
}
