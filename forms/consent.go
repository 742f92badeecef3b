package forms

import (
	"cmp"

	"doorward/runtime/form"
)

// accepted is the input by which a person says whether they agree. Source:
// reference/flows.md 5.2, user.consent.
const accepted = "accept"

// consent is the page of an execution that waits for a person to agree to
// something, or not: two buttons, so that neither is pressed by leaving something
// out.
func (p *Pages) consent(set Setting, s *SignOn, t form.Terms) []byte {
	w := p.in(set)
	l := w.lay(s)
	m := p.head(set, cmp.Or(t.Title, w.title(s, &layout{})), s.Application, false)
	m.lead(w.lead(s, &layout{}))
	m.notice(w.noticed(s, nil), false)
	m.chip(s.View.User.Username, l.reset)
	m.terms(terms{Title: cmp.Or(t.Title, w.title(s, &layout{})), Paragraphs: t.Paragraphs})
	if f := l.form; f != nil {
		m.open("", f)
		m.raw(`<input type="hidden" value="true"`)
		m.attr("name", accepted)
		m.element(`><button class="button" type="submit">`, cmp.Or(t.Agree, w.Say("agreement.agree", nil)), "</button>\n</form>\n")
		m.open("after", f)
		m.element(`<button class="button quiet" type="submit">`, cmp.Or(t.Decline, w.Say("agreement.decline", nil)), "</button>\n</form>\n")
	}
	m.links(l.links, l.away)
	return m.foot(set)
}
