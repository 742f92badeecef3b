package forms

import (
	"strconv"

	"doorward/runtime/wording"
)

// The components that every page is made of.

const (
	svg       = `<svg viewBox="0 0 20 20" aria-hidden="true">`
	circle    = `<circle cx="10" cy="10" r="8"/>`
	tick      = `d="m6.4 10.2 2.5 2.5 4.8-5.2"/>`
	bang      = `d="M10 5.8v5M10 13.9v.1"/>`
	iconAlert = svg + circle + `<path ` + bang + `</svg>`
	iconDone  = svg + circle + `<path ` + tick + `</svg>`
	iconInfo  = svg + circle + `<path d="M10 9.2v5M10 6v.1"/></svg>`
	iconWho   = svg + `<circle cx="10" cy="7" r="3.5"/><path d="M3.5 17c.8-3.3 3.3-5 6.5-5s5.7 1.7 6.5 5"/></svg>`
	iconNext  = svg + `<path d="m8 5 5 5-5 5"/></svg>`
	iconRule  = svg + `<circle class="dot" cx="10" cy="10" r="2.5"/><g class="tick">` + circle + `<path ` + tick + `</g><g class="bang">` + circle + `<path ` + bang + `</g></svg>`
)

// lead is the sentence under the title.
func (m *markup) lead(l *lead) {
	if l == nil {
		return
	}
	m.element(`<p class="lead">`, l.Before, "")
	if l.Name != "" {
		m.element(`<strong>`, l.Name, `</strong>`)
	}
	m.element("", l.After, "</p>\n")
}

// notice tells something that is not wrong; done, that something went well.
func (m *markup) notice(text string, done bool) {
	switch {
	case text == "":
		return
	case done:
		m.raw(`<div class="notice done" role="status">` + iconDone)
	default:
		m.raw(`<div class="notice" role="status">` + iconInfo)
	}
	m.element(`<p>`, text, "</p></div>\n")
}

// summary names what is wrong, each with a way to its field. It takes the focus
// when it says more than one thing.
func (m *markup) summary(problems []Problem) {
	if len(problems) == 0 || len(problems) == 1 && problems[0].Field != "" {
		return
	}
	m.raw(`<div class="summary" id="problems" role="alert" tabindex="-1"`)
	m.flag("autofocus", len(problems) > 1)
	m.raw(">" + iconAlert + "<div>\n")
	m.element("<h2>", m.Count("problems.title", len(problems), nil), "</h2>\n<ul>")
	for _, p := range problems {
		m.raw("<li>")
		if p.Field != "" {
			m.raw("<a")
			m.address("href", "#"+p.Field)
			m.element(">", p.Text, "</a>")
		} else {
			m.text(p.Text)
		}
		m.raw("</li>")
	}
	m.raw("</ul>\n</div></div>\n")
}

// chip says whom the page takes the person for, and leads back from there.
func (m *markup) chip(person string, reset *Form) {
	if person == "" {
		return
	}
	m.element(`<div class="chip">`+iconWho+`<span>`, person, "</span>\n")
	if reset != nil {
		m.open("", reset)
		m.element(`<button class="link" type="submit">`, m.Say("page.notYou", nil), `</button></form>`)
	}
	m.raw("</div>\n")
}

// open begins a form, with what is hidden in each of ours.
func (m *markup) open(class string, f *Form) {
	m.begin(f)
	m.some("class", class)
	m.some("data-passkey", f.Options)
	m.some("data-quiet", f.Quiet)
	m.some("data-unknown", f.Unknown)
	m.raw(" novalidate>")
	m.carry(f)
}

func (m *markup) begin(f *Form) {
	m.raw(`<form method="post"`)
	m.address("action", f.Action)
}

func (m *markup) carry(f *Form) {
	m.raw(`<input type="hidden" name="_action"`)
	m.attr("value", f.Name)
	m.raw(`><input type="hidden" name="_token"`)
	m.attr("value", f.Token)
	m.raw(">")
	for _, input := range f.Hidden {
		m.raw(`<input type="hidden"`)
		m.attr("name", input[0])
		m.attr("value", input[1])
		m.raw(">")
	}
	for _, name := range f.Filled {
		m.raw(`<input type="hidden"`)
		m.attr("name", name)
		m.raw(">")
	}
	m.raw("\n")
}

// form is the one thing that a page is for.
func (m *markup) form(f *Form) {
	switch {
	case f == nil:
		return
	case f.Options != "":
		m.ceremony(f)
		return
	}
	m.open("", f)
	m.inputs(f)
	m.raw("</form>\n")
}

func (m *markup) inputs(f *Form) {
	for i := range f.Fields {
		m.field(&f.Fields[i])
	}
	m.element(`<button class="button" type="submit">`, f.Button, "</button>\n")
}

// quiet is something else that can be done here, and asks for nothing.
func (m *markup) quiet(f *Form) {
	m.open("after", f)
	m.element(`<button class="button quiet" type="submit">`, f.Button, "</button>\n</form>\n")
}

// links lead to what else there is, the last way last. It may take a form to go
// that way.
func (m *markup) links(links []Link, away *Form) {
	if len(links) == 0 && away == nil {
		return
	}
	m.raw(`<p class="links">`)
	for _, l := range links {
		m.raw("<a")
		m.address("href", l.Address)
		m.element(">", l.Label, "</a> ")
	}
	if away == nil {
		m.raw("</p>\n")
		return
	}
	m.element(`<button class="link" type="submit" form="away">`, away.Button, "</button></p>\n")
	m.begin(away)
	m.raw(` id="away" hidden>`)
	m.carry(away)
	m.raw("</form>\n")
}

// provider is another place to sign on at.
type provider struct {
	Link
	Mark string // first letter of its name
}

func (m *markup) providers(list []provider) {
	m.element(`<p class="or">`, m.Say("page.or", nil), "</p>\n"+`<ul class="choices">`)
	for _, p := range list {
		m.raw(`<li><a class="button quiet"`)
		m.address("href", p.Address)
		m.element(`><span class="badge" aria-hidden="true">`, p.Mark, `</span>`)
		m.element("", p.Label, "</a></li>\n")
	}
	m.raw("</ul>\n")
}

// terms are a text to be read before it is agreed to.
type terms struct {
	Title      string
	Paragraphs []string
}

func (m *markup) terms(t terms) {
	m.raw(`<div class="terms" tabindex="0" role="region"`)
	m.attr("aria-label", t.Title)
	m.raw(">")
	for _, p := range t.Paragraphs {
		m.element("<p>", p, "</p>\n")
	}
	m.raw("</div>\n")
}

// progress says how far somebody has come.
func (m *markup) progress(step, of int) {
	m.raw(`<div class="progress"><progress`)
	m.number("value", step)
	m.number("max", of)
	m.raw(` aria-labelledby="progress"></progress><span id="progress">`)
	m.element("", m.Count("page.step", step, wording.Params{"all": strconv.Itoa(of)}), "</span></div>\n")
}

// waiting says that nothing has to be done here.
func (m *markup) waiting(text string) {
	m.element(`<p class="waiting" role="status">`, text, "</p>\n")
}
