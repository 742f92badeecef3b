package forms

import (
	"strings"
	"time"

	"doorward/runtime/wording"
)

// AccountBrowser is a browser that is trusted, or signed on.
type AccountBrowser struct {
	ID        string
	UserAgent string
	Address   string
	At        time.Time
	Age       time.Duration // since At
	Here      bool          // the one that asks
}

// AccountBrowsers lists the browsers that a person trusts.
func (p *Pages) AccountBrowsers(set Setting, a Account, list []AccountBrowser) []byte {
	w := p.in(set)
	lead := w.Say("account.browsers.text", nil)
	if len(list) == 0 {
		lead = w.Say("account.browsers.none", nil)
	}
	m := p.account(set, &a, w.Say("account.browsers.title", nil), lead)
	m.browsers(list, "account.browsers.at", func(b *AccountBrowser) *Form {
		return a.form("/browsers", ForgetBrowser, w.Say("account.browsers.forget", nil), b.ID)
	})
	if len(list) > 1 {
		m.quiet(a.form("/browsers", ForgetAll, w.Say("account.browsers.all", nil), ""))
	}
	m.back(&a, "")
	return m.foot(set)
}

// AccountSessions lists where a person is signed on.
func (p *Pages) AccountSessions(set Setting, a Account, list []AccountBrowser) []byte {
	w := p.in(set)
	m := p.account(set, &a, w.Say("account.sessions.title", nil), w.Say("account.sessions.text", nil))
	m.browsers(list, "account.sessions.at", func(b *AccountBrowser) *Form {
		if b.Here {
			return nil
		}
		return a.form("/sessions", EndSession, w.Say("account.sessions.end", nil), b.ID)
	})
	if len(list) > 1 {
		m.quiet(a.form("/sessions", EndOthers, w.Say("account.sessions.all", nil), ""))
	}
	m.back(&a, "")
	return m.foot(set)
}

// browsers are listed with what can be done about each. since is the key of what
// happened at its time.
func (m *markup) browsers(list []AccountBrowser, since string, form func(*AccountBrowser) *Form) {
	if len(list) == 0 {
		return
	}
	m.raw(`<ul class="choices">`)
	for i := range list {
		m.browser(&list[i], since, form(&list[i]))
	}
	m.raw("</ul>\n")
}

func (m *markup) browser(b *AccountBrowser, since string, f *Form) {
	m.raw(`<li class="browser">` + iconScreen + `<p>`)
	m.element("<b>", m.browserName(b.UserAgent), "</b>")
	if b.Here {
		m.element("<span>", m.Say("account.sessions.this", nil), "</span>")
	}
	m.raw("<span><time")
	m.attr("datetime", b.At.UTC().Format(time.RFC3339))
	m.attr("title", b.At.UTC().Format("2006-01-02 15:04 UTC"))
	m.element(">", m.Say(since, wording.Params{"time": m.ago(b.Age)}), "</time>")
	if b.Address != "" {
		m.element(", ", b.Address, "")
	}
	m.raw("</span></p>\n")
	if f != nil {
		m.open("", f)
		m.element(`<button class="link" type="submit">`, f.Button, "</button></form>")
	}
	m.raw("</li>\n")
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
		return w.Say("account.browser", wording.Params{"browser": browser, "system": system})
	case browser != "":
		return browser
	case agent != "":
		return w.Say("account.browser.unknown", nil) + " (" + shortened(agent) + ")"
	}
	return w.Say("account.browser.unknown", nil)
}

// shortened is the beginning of a text.
func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
