package rehearsal

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// seenError is an error that a client is told: what a submit was refused with, or
// why a flow has failed or shows its form again.
type seenError struct {
	code, message string
	details       []flow.Detail
}

// told is the error that there is; nil: none.
func (p *play) told() *seenError {
	switch {
	case p.fault != nil:
		return &seenError{string(p.fault.Code), p.fault.Message, p.fault.Details}
	case p.view.Failure != nil:
		return &seenError{p.view.Failure.Code, p.view.Failure.Message, p.view.Failure.Details}
	}
	return nil
}

func (e *seenError) String() string {
	if e == nil {
		return "none"
	}
	s := e.code
	for _, d := range e.details {
		s += ", " + strings.TrimSuffix(d.Code+" of "+d.Target, " of ")
	}
	return s + ": " + e.message
}

// is reports whether the error is the expected one.
func (e *seenError) is(want *expectedError) bool {
	if e == nil || want == nil {
		return e == nil && want == nil
	}
	said := e.message
	code := want.code == "" || want.code == e.code
	about := want.target == ""
	for _, d := range e.details {
		said += "\n" + d.Message
		right := want.code == "" || want.code == d.Code || want.code == e.code
		code = code || want.code == d.Code
		about = about || d.Target == want.target && right
	}
	return code && about && strings.Contains(said, want.message)
}

func (e *expectedError) String() string {
	if e == nil {
		return "none"
	}
	s := e.code
	if e.target != "" {
		s += " of " + e.target
	}
	if e.message != "" {
		s += " with the words " + brief(e.message)
	}
	return strings.TrimSpace(s)
}

// unnamed is what is wrong when there is an error that no expect has named.
func (p *play) unnamed() string {
	if e := p.told(); e != nil && !p.known {
		return "an error has come that no expect names: " + e.String()
	}
	return ""
}

// compare says what is not as expected.
func (p *play) compare(e *expectation) []string {
	var wrong []string
	differ := func(name string, want, got any) {
		wrong = append(wrong, fmt.Sprintf("%s: expected %v, came %v", name, want, got))
	}
	if e.set["status"] && e.status != p.view.Status {
		differ("status", e.status, p.view.Status)
	}
	switch got := p.told(); {
	case e.set["error"] && !got.is(e.err):
		differ("error", e.err, got)
	case e.set["error"]:
		p.known = true
	case p.unnamed() != "":
		wrong = append(wrong, p.unnamed())
	}
	if got := p.offered(e.offers); e.set["offers"] && !slices.Equal(e.offers, got) {
		differ("offers", e.offers, got)
	}
	if got := p.signedOn(); e.set["user"] && e.user != got {
		differ("user", nobody(e.user), nobody(got))
	}
	if e.set["amr"] && !slices.Equal(e.amr, p.view.AMR) {
		differ("amr", e.amr, p.view.AMR)
	}
	if e.set["redirect"] && !fits(e.redirect, p.view.Redirect) {
		differ("redirect", e.redirect, p.view.Redirect)
	}
	if got := p.formName(); e.set["form"] && e.form != got {
		differ("form", e.form, got)
	}
	return append(wrong, p.compareValues(e)...)
}

// compareValues says which fields are not filled as expected.
func (p *play) compareValues(e *expectation) []string {
	var wrong []string
	got, want := flat(p.view.Values), flat(e.values)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if encoded(got[name]) != encoded(want[name]) {
			wrong = append(wrong, fmt.Sprintf("values: %s: expected %s, came %s", name, p.shown(want[name]), p.shown(got[name])))
		}
	}
	return wrong
}

// flat is an object with dotted names.
func flat(m map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range m {
		inner, ok := v.(map[string]any)
		if !ok {
			out[name] = v
			continue
		}
		for deeper, x := range flat(inner) {
			out[name+"."+deeper] = x
		}
	}
	return out
}

// offered are the actions, without the one that is always there unless it is asked
// for.
func (p *play) offered(asked []string) []string {
	var out []string
	for _, o := range p.view.Offers {
		if o.Name != engine.ResetAction || slices.Contains(asked, o.Name) {
			out = append(out, o.Name)
		}
	}
	slices.Sort(out)
	return out
}

// signedOn is who has; empty for nobody, and for who is only said to be there.
func (p *play) signedOn() string {
	if p.view.User.ID == "" {
		return ""
	}
	return p.view.User.Username
}

func nobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

func (p *play) formName() string {
	if f, ok := p.view.Form.(*form.Form); ok {
		return f.Name
	}
	return ""
}

// fits reports whether text is as wanted, in which * stands for anything.
func fits(want, text string) bool {
	parts := strings.Split(want, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`^(?s:` + strings.Join(parts, ".*") + `)$`).MatchString(text)
}

// read takes the newest mail that is as wanted, and forgets the older ones.
func (p *play) read(want *mailbox) []string {
	if want.none {
		if len(p.mails) == 0 {
			return nil
		}
		return []string{"expected no mail, came " + letters(p.mails)}
	}
	for i, m := range slices.Backward(p.mails) {
		if (want.to != "" && !strings.EqualFold(m.To, want.to)) || (want.template != "" && m.Template != want.template) {
			continue
		}
		code := m.Params["code"]
		if want.as != "" && code == "" {
			return []string{"the mail " + m.Template + " to " + m.To + " has no code"}
		}
		if want.as != "" {
			p.codes[want.as] = code
		}
		p.mails = p.mails[i+1:]
		return nil
	}
	return []string{fmt.Sprintf("expected a mail %s to %s, came %s", orAny(want.template), orAny(want.to), letters(p.mails))}
}

func orAny(s string) string {
	if s == "" {
		return "(any)"
	}
	return s
}

// letters names mails that nobody has taken.
func letters(mails []flow.Message) string {
	if len(mails) == 0 {
		return "none"
	}
	var out []string
	for _, m := range mails {
		out = append(out, m.Template+" to "+m.To)
	}
	return strings.Join(out, ", ")
}
