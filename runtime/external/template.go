package external

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/expression"
)

// text is one text of a request that may hold expressions. Source:
// reference/management.md 1.7.
type text struct {
	at      document.Path
	where   string // as an error names it: "request.url"
	source  string
	tree    node
	literal bool // it stands for itself
	paths   [][]string
}

// node is what a text, or one place of a body written as JSON, comes to.
type node interface {
	Eval(ctx expression.Context) (any, error)
}

// roots are all that some text may begin a path with. Which of them a text may
// read is judged once it is compiled, so that a wrong one is a fault and not text
// that stands for itself.
func roots() []string { return []string{rootInputs, rootVariables, rootSecrets, rootResponse} }

// text compiles a member; nil where there is a fault.
func (c *compiler) text(o *document.Object, name, where string, most int) *text {
	source := o.Text(name, most)
	if source == "" {
		return nil
	}
	t, err := expression.CompileTemplate(source, roots()...)
	if err != nil {
		o.Wrong(name, err.Error())
		return nil
	}
	if doubt := t.Doubt(); doubt != nil {
		o.Wrong(name, "looks like an expression and is wrong as one "+doubt.Error()+"; text that is meant as it stands is written in quotes")
		return nil
	}
	return &text{at: o.At.Member(name), where: where, source: source, tree: t, literal: t.Literal(), paths: t.Paths()}
}

// document compiles a body. One that is written as a JSON object or list has
// values of its own at each place: strings in which ${…} holds expressions. Any
// other is a text as all are.
func (c *compiler) document(o *document.Object, name, where string) *text {
	source := o.Text(name, maxTemplate)
	if source == "" {
		return nil
	}
	if structured(source) {
		if d := (&jsonBody{text: text{at: o.At.Member(name), where: where, source: source}}); d.read() {
			if d.err != nil {
				o.Wrong(name, d.err.Error())
				return nil
			}
			return &d.text
		}
	}
	t := c.text(o, name, where, maxTemplate)
	if t != nil && t.literal && structured(source) {
		o.Wrong(name, "is neither JSON nor an expression"+t.unparsed())
	}
	return t
}

// structured reports whether a text begins as a JSON object or list does.
func structured(source string) bool {
	s := strings.TrimSpace(source)
	return strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")
}

// jsonBody is a body written as JSON.
type jsonBody struct {
	text
	err error // of an expression in it
}

// read is not ok for what is no JSON.
func (d *jsonBody) read() bool {
	dec := json.NewDecoder(strings.NewReader(d.source))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return false
	}
	d.tree = d.node(v)
	return true
}

func (d *jsonBody) node(v any) node {
	switch v := v.(type) {
	case map[string]any:
		m := members{}
		for name, of := range v {
			m[name] = d.node(of)
		}
		return m
	case []any:
		l := make(elements, len(v))
		for i, of := range v {
			l[i] = d.node(of)
		}
		return l
	case string:
		if strings.Contains(v, "${") {
			return d.interpolated(v)
		}
	}
	return constant{v}
}

// interpolated is a string with expressions in it. One that is nothing but an
// expression is its value, whatever its type.
func (d *jsonBody) interpolated(s string) node {
	t, err := expression.CompileTemplate(s, roots()...)
	if err != nil {
		d.err = errors.Join(d.err, err)
		return constant{s}
	}
	d.paths = append(d.paths, t.Paths()...)
	return t
}

// unparsed says why a text that stands for itself is no expression, for whoever
// meant one.
func (t *text) unparsed() string {
	if _, err := expression.Compile(t.source, roots()...); err != nil {
		return " (it is taken as it is written, since as an expression it is wrong " + err.Error() + ")"
	}
	return ""
}

// reads reports whether a text reads a root.
func (t *text) reads(root string) bool {
	return slices.ContainsFunc(t.paths, func(p []string) bool { return len(p) > 0 && p[0] == root })
}

// eval is what a text comes to.
func (t *text) eval(ctx expression.Context) (any, error) {
	v, err := t.tree.Eval(ctx)
	if err != nil {
		return nil, t.inexpressible(err)
	}
	return v, nil
}

type (
	members  map[string]node
	elements []node
	constant struct{ value any }
)

func (m members) Eval(ctx expression.Context) (any, error) {
	out := make(map[string]any, len(m))
	for name, n := range m {
		v, err := n.Eval(ctx)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

func (l elements) Eval(ctx expression.Context) (any, error) {
	out := make([]any, len(l))
	for i, n := range l {
		v, err := n.Eval(ctx)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (c constant) Eval(expression.Context) (any, error) { return c.value, nil }
