package forms

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// The inputs that every form of ours carries beside its fields.
const (
	actionInput = "_action"
	tokenInput  = "_token"
)

// maxInputs is how many inputs a post may have: those of the largest form that is
// data, and ours.
const maxInputs = 256

// captchaInput is what the script of Google's captcha names its input.
const captchaInput = "g-recaptcha-response"

// Submission is a form that a browser posted.
type Submission struct {
	Action string // name of the action
	Token  string // step token of the page; empty: not sent
	inputs map[string]string
}

// Parse reads an application/x-www-form-urlencoded body. It takes each name
// once, in valid UTF-8, and at most 256 of them; anything else is an
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
// browser cannot leave a text out, so that an empty one counts as not sent, but
// for a password, of which the second must be told from none; a box that is not
// ticked is false. The boxes of a list are numbered behind its name, and what is
// typed beside the options lies under the name and "Other". An input that is no
// field is an InvalidData fault.
func (s Submission) Values(fields []flow.Field) (flow.Values, error) {
	v := flow.Values{}
	r := reading{s.inputs, 0}
	for i := range fields {
		f := &fields[i]
		if value := r.value(f); value != nil {
			v[f.Name] = value
		}
	}
	if r.known < len(s.inputs) {
		return v, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Message: "The form has an input that the action does not take."})
	}
	return v, nil
}

// reading counts the inputs that are anything.
type reading struct {
	inputs map[string]string
	known  int
}

func (r *reading) input(name string) (string, bool) {
	typed, sent := r.inputs[name]
	if sent {
		r.known++
	}
	return typed, sent
}

// value is what was typed into a field; nil for nothing.
func (r *reading) value(f *flow.Field) any {
	if f.Type == flow.TypeChoices {
		return r.list(f)
	}
	typed, sent := r.input(f.Name)
	other := ""
	if f.Free {
		other, _ = r.input(f.Name + form.OtherSuffix)
	}
	if f.Type == flow.TypeProof {
		if made, _ := r.input(captchaInput); typed == "" {
			typed = made
		}
	}
	switch {
	case f.Type == flow.TypeBoolean && (!sent || typed == "true"):
		return sent
	case typed != "" || sent && f.Type == flow.TypePassword:
		return typed
	case other != "":
		return other
	}
	return nil
}

// list is the boxes that were ticked.
func (r *reading) list(f *flow.Field) any {
	out := []any{}
	for i := range f.Options {
		if typed, sent := r.input(f.Name + "." + strconv.Itoa(i)); sent {
			out = append(out, typed)
		}
	}
	if f.Free {
		if typed, _ := r.input(f.Name + form.OtherSuffix); typed != "" {
			out = append(out, typed)
		}
	}
	return out
}
