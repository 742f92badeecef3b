package forms

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
)

// The inputs that every form of ours carries beside its fields.
const (
	actionInput = "_action"
	tokenInput  = "_token"
)

// maxInputs is how many inputs a post may have.
const maxInputs = 64

// Submission is a form that a browser posted.
type Submission struct {
	Action string // name of the action
	Token  string // step token of the page; empty: not sent
	inputs map[string]string
}

// Parse reads an application/x-www-form-urlencoded body. It takes each name
// once, in valid UTF-8, and at most 64 of them; anything else is an
// InvalidRequest fault.
func Parse(body []byte) (Submission, error) {
	s := Submission{inputs: map[string]string{}}
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return Submission{}, malformed(err)
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return Submission{}, malformed(err)
		}
		if _, twice := s.inputs[name]; twice || len(s.inputs) == maxInputs || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return Submission{}, malformed(nil)
		}
		s.inputs[name] = value
	}
	s.Action, s.Token = s.inputs[actionInput], s.inputs[tokenInput]
	delete(s.inputs, actionInput)
	delete(s.inputs, tokenInput)
	return s, nil
}

func malformed(err error) *flow.Fault {
	return &flow.Fault{Code: flow.InvalidRequest, Message: "The form could not be read. Load the page again and send it once more.", Err: err}
}

// Values returns what was typed as the values of an action with these fields. A
// browser cannot leave a text out, so that an empty one counts as not sent; a
// box that is not ticked is false. An input that is no field is an InvalidData
// fault.
func (s Submission) Values(fields []flow.Field) (flow.Values, error) {
	v := flow.Values{}
	known := 0
	for i := range fields {
		f := &fields[i]
		typed, sent := s.inputs[f.Name]
		if sent {
			known++
		}
		switch {
		case f.Type == flow.TypeBoolean && (!sent || typed == "true"):
			v[f.Name] = sent
		case typed != "":
			v[f.Name] = typed
		}
	}
	if known < len(s.inputs) {
		return v, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Message: "The form has an input that the action does not take."})
	}
	return v, nil
}
