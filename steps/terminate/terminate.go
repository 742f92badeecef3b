// Package terminate is the step kind TERMINATE_FLOW: it ends a flow definition
// with an error.
package terminate

import (
	"context"
	_ "embed"
	"encoding/json"
	"html"

	"github.com/microcosm-cc/bluemonday"

	"doorward/runtime/flow"
)

//go:embed input.schema.json
var input []byte

// Kind is the step kind.
type Kind struct{ allowed *bluemonday.Policy }

// New makes the kind. A message keeps of HTML what a reader needs: links,
// headings, lists, line breaks and emphasis. Source: reference/management.md 2.6.
func New() *Kind {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "b", "strong", "i", "em")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return &Kind{p}
}

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:   "TERMINATE_FLOW",
		Doc:    "ends the definition with an error",
		Source: "reference/management.md 2.6; reference/flows.md 7.5",
	}
}

// Step describes the kind to definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{Title: "Terminate Flow", Input: input, Markup: []string{"error.message"}, Ends: flow.Terminates}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("TERMINATE_FLOW", config)
}

// Enter fails with what the definition says. What a placeholder has put into the
// message was escaped, so that nobody's words become markup.
func (k *Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, _ := t.Input["error"].(map[string]any)
	code, _ := in["code"].(string)
	message, _ := in["message"].(string)
	if code == "" { // a placeholder that stood for nothing
		code = "TERMINATED"
	}
	clean := k.allowed.Sanitize(message)
	f := flow.Failure{Code: code, Message: plain(clean)}
	if f.Message == "" {
		f.Message = "The flow was ended."
	}
	if html.UnescapeString(clean) != f.Message {
		f.HTML = clean
	}
	return flow.FailWith(f), nil
}
