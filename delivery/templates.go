package delivery

import (
	"embed"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

//go:embed texts
var sources embed.FS

// Templates are the texts of every kind of message in every language.
//
// The texts of a mail are those under its template's name: subject, title, lead, next,
// stranger (what to do when it was not you) and, where it has a link, action (what that
// does). Those under "mail" are in all of them. Both parts of a mail say the same. What
// goes by phone has the texts sms and voice, or push; one that ends in "named" says the
// environment's name.
type Templates struct{ languages map[string]*wording.Language }

// letter is what a kind of mail says.
type letter struct {
	coded bool // a code
	fills bool // has a link that fills the code in
	named bool // may say whom it is for: the address is known to be the account's
}

// letters are the mails that there are, by template.
func letters() map[string]letter {
	return map[string]letter{
		"verification":           {coded: true, fills: true},
		"recovery":               {coded: true, fills: true, named: true},
		"registration.exists":    {},
		"registration.nameTaken": {},
		"password.changed":       {named: true},
		"otp":                    {coded: true},
		"address.verify":         {coded: true},
		"address.taken":          {},
		"email.changed":          {named: true},
		"account.linked":         {named: true},
		"phone.changed":          {named: true},
		"phone.removed":          {named: true},
		"device.added":           {named: true},
		"device.removed":         {named: true},
		"device.locked":          {named: true},
		"device.suspected":       {named: true},
	}
}

// draft is a mail being written.
type draft struct {
	*wording.Language
	template string
	params   wording.Params
	logo     string
	code     []string // in groups, for reading; none: it has none
	valid    string   // how long the code is good for; empty: not said
	link     string
}

// languages are those that there are texts in, the first when nothing fits.
func languages() []language.Tag {
	return []language.Tag{language.English, language.German, language.Spanish}
}

// NewTemplates reads the embedded files.
func NewTemplates() (*Templates, error) {
	all, err := wording.Load(sources, "texts")
	if err != nil {
		return nil, err
	}
	for _, tag := range languages() {
		if all[tag.String()] == nil {
			return nil, fmt.Errorf("no texts in %s", tag)
		}
	}
	return &Templates{all}, nil
}

// Render writes a message, in the first of its languages that there is a text in.
// What it says of a code's life is true at now. No error holds what the message
// holds.
func (t *Templates) Render(m flow.Message, p Place, now time.Time) (Mail, error) {
	l, ok := letters()[m.Template]
	if !ok {
		return Mail{}, fmt.Errorf("no template %q", m.Template)
	}
	w := t.languages[t.language(p.Languages, m.Locales)]
	c := draft{Language: w, template: m.Template, params: wording.Params{
		"name": oneLine(p.Name), "at": m.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), "device": deviceIn(w, m.Params["device"]),
		"provider": oneLine(m.Params["provider"]),
	}}
	if u, err := url.Parse(p.Logo); err == nil && u.Scheme == "https" && u.Host != "" {
		c.logo = p.Logo
	}
	if l.named {
		c.params["given"], c.params["account"] = given(m.Params["given"]), account(m.Params["username"])
	}
	if l.coded {
		code, err := codeOf(m)
		if err != nil {
			return Mail{}, err
		}
		if c.code = groups(code); l.fills {
			c.link = link(m, p, code)
		}
		c.valid = validFor(w, m.ExpiresAt, now)
	}
	out := Mail{To: m.To, From: c.params["name"], Language: w.Lang, Template: m.Template, MessageID: m.ID, At: now}
	out.Subject, out.Text = oneLine(c.own("subject")), c.text()
	var err error
	if out.HTML, err = c.html(); err != nil {
		return Mail{}, fmt.Errorf("template %q as HTML", m.Template)
	}
	return out, nil
}

// own is a text of this mail, and word one of all mails.
func (c draft) own(key string) string  { return c.Say(c.template+"."+key, c.params) }
func (c draft) word(key string) string { return c.Say("mail."+key, c.params) }

// told is a word about what is perhaps not known; empty then.
func (c draft) told(key string) string {
	if p, _ := c.Phrase("mail." + key); !p.Satisfied(c.params) {
		return ""
	}
	return c.word(key)
}

// text is the mail for whoever reads no HTML.
func (c draft) text() string {
	paragraphs := []string{c.told("hello"), c.own("lead"), c.told("account")}
	if c.code != nil {
		paragraphs = append(paragraphs, "    "+strings.Join(c.code, " "), c.valid)
	}
	if c.link != "" {
		paragraphs = append(paragraphs, c.own("action")+":\n"+c.link, c.word("browser"))
	}
	paragraphs = append(paragraphs, c.own("next"), c.own("stranger"), c.word("footer"))
	paragraphs = slices.DeleteFunc(paragraphs, func(p string) bool { return p == "" })
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// deviceIn is what a type of device is called.
func deviceIn(w *wording.Language, sort string) string {
	if called := w.Say("device."+sort, nil); called != "" {
		return called
	}
	return w.Say("device.other", nil)
}

// codeOf is the code of a message.
func codeOf(m flow.Message) (string, error) {
	code := strings.NewReplacer(" ", "", "-", "").Replace(m.Params["code"])
	if len(code) < 4 || len(code) > 64 || strings.ContainsFunc(code, unalphanumeric) {
		return "", errors.New("no code, or none that could be typed")
	}
	return code, nil
}

// language is the best for locales, an Accept-Language list, among those allowed
// that there are texts in. Source: RFC 9110 12.5.4.
func (t *Templates) language(allowed []string, locales string) string {
	var names []string
	var tags []language.Tag
	for _, tag := range languages() {
		names, tags = append(names, tag.String()), append(tags, tag)
	}
	if chosen := slices.DeleteFunc(slices.Clone(allowed), func(name string) bool { return !slices.Contains(names, name) }); len(chosen) > 0 {
		names, tags = chosen, nil
		for _, name := range chosen {
			tags = append(tags, language.Make(name))
		}
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), locales)
	return names[i]
}

// link leads to the page of the flow with the code filled in. Looking at it uses
// nothing up.
func link(m flow.Message, p Place, code string) string {
	u, err := url.Parse(p.SignOnURL)
	if m.Flow == "" || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return p.SignOnURL + "&code=" + url.QueryEscape(code)
}

// groups cuts a code into what the eye takes in at once.
func groups(code string) []string {
	size := len(code)
	switch {
	case size >= 8 && size%4 == 0:
		size = 4
	case size >= 6 && size%3 == 0:
		size = 3
	}
	var out []string
	for ; code != ""; code = code[size:] {
		out = append(out, code[:size])
	}
	return out
}

func unalphanumeric(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// validFor says how long a code is good for: in hours from two on.
func validFor(w *wording.Language, until, now time.Time) string {
	if until.IsZero() {
		return ""
	}
	left := until.Sub(now)
	if left >= 2*time.Hour {
		return w.Count("mail.valid.hours", int(left.Round(time.Hour)/time.Hour), nil)
	}
	return w.Count("mail.valid.minutes", max(1, int(left.Round(time.Minute)/time.Minute)), nil)
}

// given is a name to greet with. Whoever opens an account says what they are
// called, so that what could be read as a message or a link greets nobody.
func given(name string) string {
	letters := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsMark(c) || strings.ContainsRune("'’- ", c)
	}
	if utf8.RuneCountInString(name) > 40 || strings.ContainsFunc(name, func(c rune) bool { return !letters(c) }) {
		return ""
	}
	return strings.TrimSpace(name)
}

// account is the username, when it is one word and no link.
func account(username string) string {
	word := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c) || strings.ContainsRune("._-+@", c)
	}
	if utf8.RuneCountInString(username) > 128 || strings.ContainsFunc(username, func(c rune) bool { return !word(c) }) {
		return ""
	}
	return username
}
