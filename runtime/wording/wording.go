// Package wording is what the product says to people: texts by key, in every
// language, with what is put into them in braces.
package wording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// English is the language of whoever asks for none that there is.
const English = "en"

// Params are what is put into a text, by name. They are put in as they are.
type Params map[string]string

// Language is the texts of one language.
type Language struct {
	Lang    string // as in the attribute lang
	Tag     language.Tag
	phrases map[string]Phrase
}

// Load reads every file <language>.json of a folder: an object of texts by key.
// Where a text depends on a number, the value is an object with the plural
// categories of Unicode CLDR as its members, and its parameter is n. Languages that
// differ in their keys, or in the parameters of a text, are an error, so that nobody
// meets a gap.
func Load(fsys fs.FS, folder string) (map[string]*Language, error) {
	files, err := fs.Glob(fsys, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	all := map[string]*Language{}
	for _, name := range files {
		l, err := read(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[l.Lang] = l
	}
	english := all[English]
	if english == nil {
		return nil, fmt.Errorf("no texts in %s", English)
	}
	for _, l := range all {
		if err := l.matches(english); err != nil {
			return nil, fmt.Errorf("texts in %s: %w", l.Lang, err)
		}
	}
	return all, nil
}

func read(fsys fs.FS, name string) (*Language, error) {
	l := &Language{Lang: strings.TrimSuffix(path.Base(name), ".json")}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	if l.Tag, err = language.Parse(l.Lang); err != nil {
		return nil, err
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	l.phrases = make(map[string]Phrase, len(raw))
	for key, value := range raw {
		if l.phrases[key], err = readPhrase(value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return l, nil
}

// matches reports the first difference to English that a reader could meet.
func (l *Language) matches(english *Language) error {
	for _, key := range english.Keys() {
		p, ok := l.phrases[key]
		if !ok {
			return fmt.Errorf("there is no %q", key)
		}
		if !slices.Equal(p.params, english.phrases[key].params) {
			return fmt.Errorf("%q has the parameters %q, and %q in English", key, p.params, english.phrases[key].params)
		}
	}
	for _, key := range l.Keys() {
		if _, ok := english.phrases[key]; !ok {
			return fmt.Errorf("%q is not in English", key)
		}
	}
	return nil
}

// Keys are those of all texts, sorted.
func (l *Language) Keys() []string { return slices.Sorted(maps.Keys(l.phrases)) }

// Phrase is the text of a key.
func (l *Language) Phrase(key string) (Phrase, bool) {
	p, ok := l.phrases[key]
	return p, ok
}

// Say is a text with its parameters put in; empty when there is no such text.
func (l *Language) Say(key string, p Params) string { return l.phrases[key].Fill(p) }

// Count is a text about n things.
func (l *Language) Count(key string, n int, p Params) string {
	all := Params{"n": strconv.Itoa(n)}
	maps.Copy(all, p)
	return l.phrases[key].fill(plural.Cardinal.MatchPlural(l.Tag, n, 0, 0, 0, 0), all)
}

// First is the first of the keys whose text is there and needs nothing that p lacks.
func (l *Language) First(p Params, keys ...string) (string, bool) {
	for _, key := range keys {
		if t, ok := l.phrases[key]; ok && t.Satisfied(p) {
			return key, true
		}
	}
	return "", false
}

// Phrase is one text. Its parameters stand in braces.
type Phrase struct {
	plain  string // all of it, when it has no parameters
	pieces []Piece
	counts map[plural.Form][]Piece // where it depends on a number, those of the categories but "other"
	params []string                // sorted, each once
}

// Piece is a stretch of a phrase: words, or the name of a parameter.
type Piece struct {
	Text  string
	Param bool
}

// NewPhrase reads one text.
func NewPhrase(text string) (Phrase, error) { return newPhrase(text, nil) }

// categories are the members that the object of a counted text may have.
func categories() map[string]plural.Form {
	return map[string]plural.Form{"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other}
}

func readPhrase(value any) (Phrase, error) {
	switch v := value.(type) {
	case string:
		return NewPhrase(v)
	case map[string]any:
		return readCounted(v)
	}
	return Phrase{}, fmt.Errorf("cannot unmarshal %v into a text", value)
}

func readCounted(texts map[string]any) (Phrase, error) {
	forms, known := map[plural.Form]string{}, categories()
	for name, value := range texts {
		form, ok := known[name]
		if !ok {
			return Phrase{}, fmt.Errorf("%q is no plural category", name)
		}
		if forms[form], ok = value.(string); !ok {
			return Phrase{}, fmt.Errorf("cannot unmarshal %v into a text", value)
		}
	}
	other, ok := forms[plural.Other]
	if !ok {
		return Phrase{}, fmt.Errorf("the plural category %q is missing", "other")
	}
	delete(forms, plural.Other)
	return newPhrase(other, forms)
}

func newPhrase(other string, counted map[plural.Form]string) (p Phrase, err error) {
	if p.pieces, err = p.cut(other); err != nil {
		return p, err
	}
	if len(p.params) == 0 && len(counted) == 0 {
		p.plain = other
		return p, nil
	}
	if len(counted) > 0 {
		p.counts = make(map[plural.Form][]Piece, len(counted))
	}
	for form, text := range counted {
		if p.counts[form], err = p.cut(text); err != nil {
			return p, err
		}
	}
	slices.Sort(p.params)
	p.params = slices.Compact(p.params)
	return p, nil
}

// cut is the pieces of a text, the parameters of which the phrase takes.
func (p *Phrase) cut(text string) ([]Piece, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	var pieces []Piece
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			pieces = append(pieces, Piece{Text: before})
		}
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || name == "" {
			return nil, fmt.Errorf("a brace is not closed in %q", text)
		}
		pieces = append(pieces, Piece{name, true})
		p.params = append(p.params, name)
		rest = behind
	}
	return pieces, nil
}

// Pieces are those of the phrase, as it is said where nothing is counted.
func (p Phrase) Pieces() []Piece { return p.pieces }

// Satisfied reports whether by has every parameter.
func (p Phrase) Satisfied(by Params) bool {
	return !slices.ContainsFunc(p.params, func(name string) bool { return by[name] == "" })
}

// Fill is the phrase with its parameters put in.
func (p Phrase) Fill(with Params) string { return p.fill(plural.Other, with) }

func (p Phrase) fill(form plural.Form, with Params) string {
	if p.plain != "" {
		return p.plain
	}
	pieces, ok := p.counts[form]
	if !ok {
		pieces = p.pieces
	}
	var b strings.Builder
	for _, x := range pieces {
		if x.Param {
			b.WriteString(with[x.Text])
		} else {
			b.WriteString(x.Text)
		}
	}
	return b.String()
}
