package forms

import (
	"strings"
	"sync"
	"unicode/utf8"

	"doorward/runtime/wording"
	"doorward/static"
)

// Pages draws the hosted pages, in every language that it has the words of.
type Pages struct {
	words    map[string]*words // by language
	choosers sync.Map          // *chooser by its languages
	assets   *static.Assets
}

// NewPages reads the words. It fails when the binary was built wrongly.
func NewPages(assets *static.Assets) (*Pages, error) {
	all, err := loadTexts()
	if err != nil {
		return nil, err
	}
	return &Pages{words: all, assets: assets}, nil
}

// Setting is what all pages of an environment have in common, and the language
// of this one.
type Setting struct {
	Language string // one of Languages; any other is English
	Owner    string // name of the environment; empty: unknown
	Theme    Theme
}

// Theme is what an environment's own look consists of; the zero Theme is the
// built-in one.
type Theme struct {
	Style    string // address of a stylesheet that sets the tokens anew
	Logo     string // address of an image; empty: the first letter of the name
	DarkLogo string // likewise, on dark ground; empty: the same
}

// in is the language of a setting.
func (p *Pages) in(set Setting) *words {
	if w, ok := p.words[set.Language]; ok {
		return w
	}
	return p.words[English]
}

// usual is how many bytes a page has at most, but for unusual ones.
const usual = 10 << 10

// head begins a page. application is the display name, where there is one;
// failing says that the page tells of what was typed wrongly.
func (p *Pages) head(set Setting, title, application string, failing bool) *markup {
	m := &markup{p.in(set), make([]byte, 0, usual)}
	m.raw("<!doctype html>\n<html")
	m.attr("lang", m.Lang)
	m.raw(">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
		"<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>")
	if failing {
		m.text(m.Say("page.error", wording.Params{"title": title}))
	} else {
		m.text(title)
	}
	if set.Owner != "" {
		m.element(" – ", set.Owner, "")
	}
	m.raw("</title>\n<link rel=\"icon\" type=\"image/svg+xml\"")
	m.address("href", p.assets.Path("icon.svg"))
	m.raw(">\n<link rel=\"stylesheet\"")
	m.address("href", p.assets.Path("page.css"))
	if set.Theme.Style != "" {
		m.raw(">\n<link rel=\"stylesheet\"")
		m.address("href", set.Theme.Style)
	}
	m.raw(">\n<script defer")
	m.address("src", p.assets.Path("page.js"))
	m.raw("></script>\n</head>\n<body>\n<main>\n")
	m.logo(set, application)
	m.element("<h1>", title, "</h1>\n")
	return m
}

// logo is the environment's, or else the first letter of what people came for.
func (m *markup) logo(set Setting, application string) {
	if set.Theme.Logo != "" {
		m.raw(`<picture class="logo">`)
		if set.Theme.DarkLogo != "" {
			m.raw(`<source media="(prefers-color-scheme: dark)"`)
			m.address("srcset", set.Theme.DarkLogo)
			m.raw(">")
		}
		m.raw("<img")
		m.address("src", set.Theme.Logo)
		m.attr("alt", set.Owner)
		m.raw(" height=\"40\" referrerpolicy=\"no-referrer\"></picture>\n")
		return
	}
	name := application
	if name == "" {
		name = set.Owner
	}
	if r, _ := utf8.DecodeRuneInString(name); r != utf8.RuneError {
		m.element(`<div class="mark" aria-hidden="true">`, strings.ToUpper(string(r)), "</div>\n")
	}
}

// foot ends a page.
func (m *markup) foot(set Setting) []byte {
	m.raw("</main>\n")
	if set.Owner != "" {
		m.element("<footer>", set.Owner, "</footer>\n")
	}
	m.raw("</body>\n</html>\n")
	return m.out
}
