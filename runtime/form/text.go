package form

import (
	"strings"
)

// Text is what a person reads, in pieces of which some have a key for translation.
type Text []Piece

// Piece is a stretch of text. With a key, Text is what is said where there is no
// translation.
type Piece struct{ Text, Key string }

// Block is a part of a content.
type Block struct {
	Kind  BlockKind
	Level int    // of a heading, 1 to 6
	Spans []Span // of a paragraph or heading
	Items [][]Span
}

// BlockKind is what a block is.
type BlockKind uint8

// The kinds of block.
const (
	Paragraph BlockKind = iota
	Heading
	Line
	List    // with dots
	Numbers // with numbers
)

// Span is a stretch of a block.
type Span struct {
	Piece
	Link   string // https or http; empty: leads nowhere
	Strong bool
}

// words are what a form says in which language.
type words struct {
	method       string
	bundle       map[string]string            // by key, in the default language
	translations map[string]map[string]string // by language, then key
}

// The translation methods. Source: reference/management.md 3.2.
const (
	translate    = "TRANSLATE"
	defaultValue = "DEFAULT_VALUE"
	showKey      = "KEY"
)

// Say is a text in a language, as far as the form has it; "" asks for the default.
func (f *Form) Say(t Text, language string) string {
	if len(t) == 1 {
		return strings.TrimSpace(f.Piece(t[0], language))
	}
	var b strings.Builder
	for _, p := range t {
		b.WriteString(f.Piece(p, language))
	}
	return strings.TrimSpace(b.String())
}

// Piece is one piece in a language: its translation there, in the language
// without its region, in the bundle, or what stands beside the key.
func (f *Form) Piece(p Piece, language string) string {
	switch {
	case p.Key == "":
		return p.Text
	case f.words.method == showKey:
		return p.Key
	case f.words.method != defaultValue && language != "":
		plain, _, _ := strings.Cut(language, "-")
		for _, l := range []string{language, plain} {
			if s, ok := f.words.translations[l][p.Key]; ok {
				return s
			}
		}
	}
	if s, ok := f.words.bundle[p.Key]; ok {
		return s
	}
	if p.Text == "" {
		return p.Key
	}
	return p.Text
}

// blank reports whether a text says nothing.
func (t Text) blank() bool {
	for _, p := range t {
		if p.Key != "" || strings.TrimSpace(p.Text) != "" {
			return false
		}
	}
	return true
}
