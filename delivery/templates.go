package delivery

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"doorward/runtime/flow"
)

//go:embed templates
var sources embed.FS

// Templates are the texts of every kind of message in every language.
//
// A mail is one file, templates/<language>/<template>.tmpl, of sections: subject,
// title, lead, next, stranger (what to do when it was not you) and, with a code,
// action (what its link does, where it has one). words.tmpl has what all mails of a language say,
// layout.txt and layout.html how they look. The sections are read twice, as text
// and as HTML, so that both parts of a mail say the same.
type Templates struct {
	mails map[string]map[string]letter // by language and template
	calls map[string]map[string]letter // likewise, of what goes by phone
}

// letter is one mail in one language.
type letter struct {
	text  *template.Template
	html  *htmltemplate.Template
	coded bool // says a code
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
		"device.added":           {named: true},
		"device.removed":         {named: true},
		"device.locked":          {named: true},
		"device.suspected":       {named: true},
	}
}

// content is what a template sees.
type content struct {
	Language, Name, Logo string
	Given, Account       string
	Code                 string
	Groups               []string // of Code, for reading
	Said                 string   // Code, for saying
	Minutes, Hours       int      // that Code is good for; both 0: not said
	Link                 string
	At                   string
	Device               string // type of one, as words.tmpl names it; empty: no matter which
}

// languages are those that there are texts in, the first when nothing fits.
func languages() []language.Tag {
	return []language.Tag{language.English, language.German, language.Spanish}
}

// NewTemplates reads the embedded files.
func NewTemplates() (*Templates, error) {
	t := &Templates{mails: map[string]map[string]letter{}, calls: map[string]map[string]letter{}}
	for _, tag := range languages() {
		lang := tag.String()
		var err error
		if t.calls[lang], err = readCalls(lang); err != nil {
			return nil, err
		}
		t.mails[lang] = map[string]letter{}
		for name, l := range letters() {
			words, own := "templates/"+lang+"/words.tmpl", "templates/"+lang+"/"+name+".tmpl"
			if l.text, err = template.ParseFS(sources, "templates/layout.txt", words, own); err != nil {
				return nil, err
			}
			if l.html, err = htmltemplate.ParseFS(sources, "templates/layout.html", words, own); err != nil {
				return nil, err
			}
			t.mails[lang][name] = l
		}
	}
	return t, nil
}

// Render writes a message, in the first of its languages that there is a text in.
// What it says of a code's life is true at now. No error holds what the message
// holds.
func (t *Templates) Render(m flow.Message, p Place, now time.Time) (Mail, error) {
	lang := t.language(p.Languages, m.Locales)
	l, ok := t.mails[lang][m.Template]
	if !ok {
		return Mail{}, fmt.Errorf("no template %q", m.Template)
	}
	c := content{Language: lang, Name: oneLine(p.Name), At: m.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), Device: m.Params["device"]}
	if u, err := url.Parse(p.Logo); err == nil && u.Scheme == "https" && u.Host != "" {
		c.Logo = p.Logo
	}
	if l.named {
		c.Given, c.Account = given(m.Params["given"]), account(m.Params["username"])
	}
	if l.coded {
		var err error
		if c.Code, err = codeOf(m); err != nil {
			return Mail{}, err
		}
		if c.Groups = groups(c.Code); l.fills {
			c.Link = link(m, p, c.Code)
		}
		c.Minutes, c.Hours = span(m.ExpiresAt, now)
	}
	return l.write(m, c, now)
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

func (l letter) write(m flow.Message, c content, now time.Time) (Mail, error) {
	out := Mail{To: m.To, From: c.Name, Language: c.Language, Template: m.Template, MessageID: m.ID, At: now}
	var paragraphs []string
	sections := []string{"hello", "lead", "account", "next", "stranger", "footer"}
	if c.Code != "" {
		sections = []string{"hello", "lead", "account", "code", "valid", "open", "next", "stranger", "footer"}
	}
	for _, section := range sections {
		text, err := l.section(section, c)
		if err != nil {
			return Mail{}, fmt.Errorf("template %q, section %q", m.Template, section)
		}
		if text != "" {
			paragraphs = append(paragraphs, text)
		}
	}
	out.Text = strings.Join(paragraphs, "\n\n") + "\n"
	subject, err := l.section("subject", c)
	if err != nil {
		return Mail{}, fmt.Errorf("template %q, section %q", m.Template, "subject")
	}
	out.Subject = oneLine(subject)
	var html strings.Builder
	if err := l.html.ExecuteTemplate(&html, "layout.html", c); err != nil {
		return Mail{}, fmt.Errorf("template %q as HTML", m.Template)
	}
	out.HTML = html.String()
	return out, nil
}

func (l letter) section(name string, c content) (string, error) {
	var b strings.Builder
	err := l.text.ExecuteTemplate(&b, name, c)
	return strings.Trim(b.String(), "\n"), err
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

// span is how long a code is good for, as it is said: in hours from two on.
func span(until, now time.Time) (minutes, hours int) {
	if until.IsZero() {
		return 0, 0
	}
	left := until.Sub(now)
	if left >= 2*time.Hour {
		return 0, int(left.Round(time.Hour) / time.Hour)
	}
	return max(1, int(left.Round(time.Minute)/time.Minute)), 0
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
