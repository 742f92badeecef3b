package forms

import (
	"strings"
	"time"
)

// AccountBrowser is a browser that is trusted, or signed on.
type AccountBrowser struct {
	ID        string
	UserAgent string
	Address   string
	At        time.Time
	Here      bool // the one that asks
}

// AccountBrowsers lists the browsers that a person trusts.
func (p *Pages) AccountBrowsers(set Setting, a Account, list []AccountBrowser) []byte {
	w := p.in(set)
	lead := w.say("account.browsers.text", nil)
	if len(list) == 0 {
		lead = w.say("account.browsers.none", nil)
	}
	m := p.account(set, &a, w.say("account.browsers.title", nil), lead)
	for i := range list {
		m.browser(&list[i], a.form("/browsers", ForgetBrowser, w.say("account.browsers.forget", nil), list[i].ID))
	}
	if len(list) > 1 {
		m.quiet(a.form("/browsers", ForgetAll, w.say("account.browsers.all", nil), ""))
	}
	m.back(&a, "")
	return m.foot(set)
}

// AccountSessions lists where a person is signed on.
func (p *Pages) AccountSessions(set Setting, a Account, list []AccountBrowser) []byte {
	w := p.in(set)
	m := p.account(set, &a, w.say("account.sessions.title", nil), w.say("account.sessions.text", nil))
	for i := range list {
		if list[i].Here {
			m.browser(&list[i], nil)
		} else {
			m.browser(&list[i], a.form("/sessions", EndSession, w.say("account.sessions.end", nil), list[i].ID))
		}
	}
	if len(list) > 1 {
		m.quiet(a.form("/sessions", EndOthers, w.say("account.sessions.all", nil), ""))
	}
	m.back(&a, "")
	return m.foot(set)
}

// browser is one line of a list, with what can be done about it.
func (m *markup) browser(b *AccountBrowser, f *Form) {
	m.raw(`<div class="browser">` + iconDevice + `<p>`)
	m.element("<b>", m.browserName(b.UserAgent), "</b>")
	if b.Here {
		m.element("<span>", m.say("account.sessions.this", nil), "</span>")
	}
	m.raw("<span><time")
	m.attr("datetime", b.At.UTC().Format(time.RFC3339))
	m.element(">", b.At.UTC().Format("2006-01-02 15:04 UTC"), "</time>")
	if b.Address != "" {
		m.element(", ", b.Address, "")
	}
	m.raw("</span></p>\n")
	if f != nil {
		m.open("", f)
		m.element(`<button class="link" type="submit">`, f.Button, "</button></form>")
	}
	m.raw("</div>\n")
}

// browserName is what people call a browser that calls itself agent. It is a hint, and
// the order matters: each of the first names itself after one that comes later.
func (w *words) browserName(agent string) string {
	named := func(list [][2]string) string {
		for _, x := range list {
			if strings.Contains(agent, x[0]) {
				return x[1]
			}
		}
		return ""
	}
	browser := named([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := named([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	switch {
	case browser != "" && system != "":
		return w.say("account.browser", params{"browser": browser, "system": system})
	case browser != "":
		return browser
	case agent != "":
		return w.say("account.browser.unknown", nil) + " (" + shortened(agent) + ")"
	}
	return w.say("account.browser.unknown", nil)
}

// shortened is the beginning of a text.
func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// AccountProfile is what a person may change of what is known of them.
type AccountProfile struct {
	Account
	Given, Family string
}

// AccountProfile is the page for it.
func (p *Pages) AccountProfile(set Setting, a AccountProfile) []byte {
	w := p.in(set)
	m := p.account(set, &a.Account, w.say("account.profile.title", nil), "")
	f := a.form("/profile", SaveProfile, w.say("account.profile.save", nil), "")
	f.Fields = []Field{
		{Name: "given", ID: "given", Label: w.say("register.given.label", nil), Input: "text", Autocomplete: "given-name", Capitalize: "words", Value: a.value("given", a.Given)},
		{Name: "family", ID: "family", Label: w.say("register.family.label", nil), Input: "text", Autocomplete: "family-name", Capitalize: "words", Value: a.value("family", a.Family)},
	}
	m.judged(&a.Account, f)
	m.back(&a.Account, "")
	return m.foot(set)
}
