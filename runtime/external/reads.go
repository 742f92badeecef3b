package external

import (
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// roots judges what the texts of a request read, and keeps what a call needs. It
// ends by looking where the URL leads, if nothing is wrong with it.
func (c *compiler) roots(at document.Path, r *Request) {
	whole := r.reads(c)
	r.inputs, r.secrets = sorted(r.inputs), sorted(r.secrets)
	schema := at.Member("request").Member("inputSchema")
	c.schemed(schema, r, whole)
	if r.url != nil && !c.faulty(schema) && !c.faulty(r.url.at) {
		c.probe(r.url.at, r)
	}
}

// reads walks the texts, and reports whether one reads the inputs as a whole.
func (r *Request) reads(c *compiler) bool {
	sent := []*text{r.url, r.body}
	for _, h := range r.headers {
		sent = append(sent, h.value)
	}
	whole := false
	for _, t := range slices.DeleteFunc(sent, func(t *text) bool { return t == nil }) {
		for _, p := range t.paths {
			whole = c.read(r, t, p, false) || whole
		}
	}
	r.readsBody = r.output == nil
	if r.output != nil {
		for _, p := range r.output.paths {
			whole = c.read(r, r.output, p, true) || whole
			r.readsBody = r.readsBody || len(p) < 2 || p[0] == rootResponse && p[1] == "body"
		}
	}
	return whole
}

// read judges one path, and reports whether it is the inputs as a whole.
func (c *compiler) read(r *Request, t *text, p []string, output bool) bool {
	name, named := "", len(p) > 1
	if named {
		name = p[1]
	}
	switch {
	case p[0] == rootInputs && named:
		r.inputs = append(r.inputs, name)
	case p[0] == rootInputs:
		return true
	case p[0] == rootVariables && named && c.s.variables[name] == nil:
		c.faults.Add(t.at, "reads variables."+name+", which is not among variables")
	case p[0] == rootSecrets:
		c.secret(r, t, name, output)
	case p[0] == rootResponse && !output:
		c.faults.Add(t.at, "reads response, which is there in response.output alone")
	case p[0] == rootResponse && named && !slices.Contains([]string{"status", "headers", "body"}, name):
		c.faults.Add(t.at, "reads response."+name+"; a response has status, headers and body")
	}
	return false
}

func (c *compiler) secret(r *Request, t *text, name string, output bool) {
	switch {
	case output:
		c.faults.Add(t.at, "reads a secret, which must not come back; secrets are there in url, headers and body.template")
	case name == "":
		c.faults.Add(t.at, "reads secrets as a whole; name the one that is needed, such as secrets.apiKey")
	default:
		r.secrets = append(r.secrets, name)
	}
}

// schemed makes sure that every input that is read is in the schema of the inputs.
// Source: reference/management.md 1.4.
func (c *compiler) schemed(at document.Path, r *Request, whole bool) {
	switch {
	case r.input == nil && (whole || len(r.inputs) > 0) && !c.faulty(at):
		c.faults.AddCode(at, flow.RequiredValue, "is required where inputs are read: a JSON Schema with "+or(r.inputs, "inputs")+" among its properties")
	case r.input != nil:
		for _, name := range r.inputs {
			if _, is := r.input.properties()[name]; !is {
				c.faults.Add(at, "has no inputs."+name+" among its properties, which the request reads")
			}
		}
	}
}

// faulty reports whether something is wrong at a path already.
func (c *compiler) faulty(at document.Path) bool {
	return slices.ContainsFunc(c.faults, func(f document.Fault) bool { return f.Path == at })
}

func or(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
