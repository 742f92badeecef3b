package external

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/document"
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
// document.Faults with everything that is wrong. Secrets, and the members of
// authSchemes that hold a credential, are not looked at: Seal judges them. Which
// secrets there are is not known here: their values are put in by themselves, and
// may be so later (Request.Secrets).
func Compile(body json.RawMessage) (*Service, error) {
	canonical, err := document.Canonical(body)
	if err != nil {
		return nil, err
	}
	c := compiler{s: &Service{variables: map[string]any{}}}
	if o, ok := document.Open(document.Root, canonical, &c.faults); ok {
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
	faults document.Faults
}

func (c *compiler) service(o document.Object) {
	o.Ignore("environment", "_links", "createdAt", "updatedAt", "secrets")
	c.s.ID = o.Text("id", 64)
	if o.Need("name") {
		c.s.Name = prose(&o, "name", maxName)
	}
	prose(&o, "description", maxProse)
	c.variables(&o)
	c.schemes(&o)
	c.requests(&o)
	o.End("an external service, which has name, description, variables, authSchemes and requests")
}

func (c *compiler) variables(o *document.Object) {
	all, ok := o.Object("variables")
	if !ok {
		return
	}
	if len(all.Names()) > maxVariables {
		o.Faults.AddCode(all.At, flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d", maxVariables))
	}
	for _, name := range all.Names() {
		if name == "" || len([]rune(name)) > maxName {
			all.Wrong(name, fmt.Sprintf("takes names of 1 to %d characters", maxName))
		}
		c.s.variables[name] = all.Text(name, maxValue)
	}
}

func (c *compiler) requests(o *document.Object) {
	at := o.At.Member("requests")
	for i, raw := range o.List("requests", maxRequests) {
		one, ok := document.Open(at.Index(i), raw, &c.faults)
		if !ok {
			continue
		}
		r := c.request(&one)
		if _, taken := c.s.Request(r.Name); taken && r.Name != "" {
			c.faults.AddCode(one.At.Member("name"), flow.UniquenessViolation, "is the name of another request of this service")
		}
		c.s.requests = append(c.s.requests, r)
	}
}

// request reads one of 1.4.
func (c *compiler) request(o *document.Object) *Request {
	r := &Request{service: c.s}
	o.Ignore("inputs") // derived
	if o.Need("name") {
		r.Name = o.Text("name", maxName)
		if strings.ContainsFunc(r.Name, func(x rune) bool { return !letterOrDigit(x) && !strings.ContainsRune("_. -", x) }) {
			o.Wrong("name", "takes letters, digits, _, -, . and spaces: requests are invoked by it")
		}
	}
	r.DisplayName, r.Description = prose(o, "displayName", maxProse), prose(o, "description", maxProse)
	if o.Need("request") {
		if q, ok := o.Object("request"); ok {
			c.call(&q, r)
		}
	}
	if a, ok := o.Object("response"); ok {
		c.response(&a, r)
	}
	o.End("a request, which has name, displayName, description, request and response")
	c.roots(o.At, r)
	if r.DisplayName == "" && r.url != nil {
		r.DisplayName = r.Method + " " + r.url.source
	}
	return r
}

// call reads what is sent.
func (c *compiler) call(o *document.Object, r *Request) {
	if o.Need("method") {
		r.Method = o.One("method", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
	}
	if o.Need("url") {
		r.url = c.text(o, "url", "request.url", maxURL)
	}
	c.headers(o, r)
	if b, ok := o.Object("body"); ok {
		c.body(&b, r)
	}
	if name := o.Text("authScheme", maxName); name != "" {
		c.authScheme(o, r, name)
	}
	r.input = c.schema(o, "inputSchema")
	o.End("a request, which has method, url, headers, body, authScheme and inputSchema")
}

// body reads a template; only where a request may have one.
func (c *compiler) body(o *document.Object, r *Request) {
	if r.Method == "GET" || r.Method == "HEAD" || r.Method == "DELETE" {
		o.Faults.Add(o.At, "cannot be sent with "+r.Method+"; leave it out, or use POST, PUT or PATCH")
	}
	if o.Need("type") {
		o.One("type", "JSON")
	}
	if o.Need("template") {
		r.body = c.document(o, "template", "request.body.template")
	}
	o.End("a body, which has type and template")
}

// response reads what is made of the answer. Source: reference/management.md 1.4.
func (c *compiler) response(o *document.Object, r *Request) {
	if raw, ok := o.Take("output"); ok && string(raw) != `""` {
		r.output = c.text(o, "output", "response.output", maxTemplate)
	}
	r.out = c.schema(o, "outputSchema")
	if r.output != nil && !said(o, "outputSchema") {
		o.Faults.AddCode(o.At.Member("outputSchema"), flow.RequiredValue, "is required where there is an output: a JSON Schema of what it comes to")
	}
	o.End("a response, which has output and outputSchema")
}

// headers reads the names and the texts of headers; each name once, in whatever
// case.
func (c *compiler) headers(o *document.Object, r *Request) {
	all, ok := o.Object("headers")
	if !ok {
		return
	}
	if len(all.Names()) > maxHeaders {
		o.Faults.AddCode(all.At, flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d", maxHeaders))
	}
	for _, name := range all.Names() {
		if complaint := HeaderFault(name); complaint != "" {
			all.Wrong(name, complaint)
		}
		if r.header(name) {
			all.Faults.AddCode(all.At.Member(name), flow.UniquenessViolation, "is there twice, in another case")
		}
		t := c.text(&all, name, "request.headers."+name, maxValue)
		if t == nil {
			continue
		}
		if t.literal {
			if complaint := ValueFault(t.source); complaint != "" {
				all.Wrong(name, complaint)
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
func (c *compiler) authScheme(o *document.Object, r *Request, name string) {
	i := slices.IndexFunc(c.s.schemes, func(s scheme) bool { return s.name == name })
	if i < 0 {
		o.Wrong("authScheme", "is the name of no scheme in authSchemes")
		return
	}
	r.scheme = &c.s.schemes[i]
	if r.header(r.scheme.header) {
		o.Wrong("authScheme", "sends the header "+r.scheme.header+", which is among headers as well; leave one of them out")
	}
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// faultsOf is what Compile reports.
func faultsOf(err error) document.Faults {
	var f document.Faults
	errors.As(err, &f)
	return f
}
