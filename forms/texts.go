package forms

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"doorward/runtime/flow"
)

// English is the language of whoever asks for none that we have.
const English = "en"

// One file for each language: the words of every page, by the keys that steps,
// faults and templates carry. Where words depend on a number, the value is an
// object with the plural categories of Unicode CLDR as its members.
//
//go:embed texts/*.json
var texts embed.FS

// words are the texts of one language.
type words struct {
	language string // as in lang
	tag      language.Tag
	phrases  map[string]phrase
	labels   map[string]label // by the key of a field's label
}

// label is what stands above a field.
type label struct{ text, hint string }

// phrase is one text. Its parameters stand in braces.
type phrase struct {
	plain  string // all of it, when it has no parameters
	counts map[plural.Form][]piece
	params []string // sorted, each once
}

// piece is a stretch of a phrase: words, or the name of a parameter.
type piece struct {
	text  string
	param bool
}

// params are what is put into a phrase, by name.
type params map[string]string

// loadTexts reads every language. Languages that differ in their keys or in the
// parameters of a text are an error, so that nobody meets a gap.
func loadTexts(fsys fs.FS) (map[string]*words, error) {
	files, err := fs.Glob(fsys, "texts/*.json")
	if err != nil {
		return nil, err
	}
	all := map[string]*words{}
	for _, name := range files {
		w, err := readTexts(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[w.language] = w
	}
	english := all[English]
	if english == nil {
		return nil, fmt.Errorf("no texts in %s", English)
	}
	for _, w := range all {
		if err := w.matches(english); err != nil {
			return nil, fmt.Errorf("texts in %s: %w", w.language, err)
		}
	}
	return all, nil
}

func readTexts(fsys fs.FS, name string) (*words, error) {
	w := &words{language: strings.TrimSuffix(path.Base(name), ".json"), phrases: map[string]phrase{}, labels: map[string]label{}}
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	if w.tag, err = language.Parse(w.language); err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	for key, value := range raw {
		if w.phrases[key], err = readPhrase(value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	for key, p := range w.phrases {
		if base, ok := strings.CutSuffix(key, ".label"); ok {
			w.labels[key] = label{p.plain, w.phrases[base+".hint"].plain}
		}
	}
	return w, nil
}

// categories are the members that the object of a counted text may have.
func categories() map[string]plural.Form {
	return map[string]plural.Form{"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other}
}

func readPhrase(value json.RawMessage) (phrase, error) {
	var plain string
	if err := json.Unmarshal(value, &plain); err == nil {
		return newPhrase(map[plural.Form]string{plural.Other: plain})
	}
	var counted map[string]string
	if err := json.Unmarshal(value, &counted); err != nil {
		return phrase{}, err
	}
	forms, known := map[plural.Form]string{}, categories()
	for name, text := range counted {
		form, ok := known[name]
		if !ok {
			return phrase{}, fmt.Errorf("%q is no plural category", name)
		}
		forms[form] = text
	}
	if _, ok := forms[plural.Other]; !ok {
		return phrase{}, fmt.Errorf("the plural category %q is missing", "other")
	}
	return newPhrase(forms)
}

func newPhrase(texts map[plural.Form]string) (phrase, error) {
	p := phrase{counts: map[plural.Form][]piece{}}
	for form, text := range texts {
		if text == "" {
			return p, fmt.Errorf("it is empty")
		}
		var pieces []piece
		for rest := text; rest != ""; {
			before, after, found := strings.Cut(rest, "{")
			if before != "" {
				pieces = append(pieces, piece{text: before})
			}
			if !found {
				break
			}
			name, behind, closed := strings.Cut(after, "}")
			if !closed || name == "" {
				return p, fmt.Errorf("a brace is not closed in %q", text)
			}
			pieces = append(pieces, piece{name, true})
			p.params = append(p.params, name)
			rest = behind
		}
		p.counts[form] = pieces
	}
	slices.Sort(p.params)
	p.params = slices.Compact(p.params)
	if len(p.params) == 0 && len(texts) == 1 {
		p.plain = texts[plural.Other]
	}
	return p, nil
}

// matches reports the first difference to English that a reader could meet.
func (w *words) matches(english *words) error {
	for _, key := range slices.Sorted(maps.Keys(english.phrases)) {
		p, ok := w.phrases[key]
		if !ok {
			return fmt.Errorf("there is no %q", key)
		}
		if !slices.Equal(p.params, english.phrases[key].params) {
			return fmt.Errorf("%q has the parameters %q, and %q in English", key, p.params, english.phrases[key].params)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.phrases)) {
		if _, ok := english.phrases[key]; !ok {
			return fmt.Errorf("%q is not in English", key)
		}
	}
	return nil
}

// say is a text with its parameters put in; empty when there is no such text.
func (w *words) say(key string, p params) string {
	return w.phrases[key].fill(plural.Other, p)
}

// count is a text about n things.
func (w *words) count(key string, n int, p params) string {
	all := params{"n": strconv.Itoa(n)}
	maps.Copy(all, p)
	return w.phrases[key].fill(plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0), all)
}

// first is the first of the texts that is there and needs nothing that p lacks.
func (w *words) first(p params, keys ...string) (string, bool) {
	for _, key := range keys {
		if t, ok := w.phrases[key]; ok && t.satisfied(p) {
			return key, true
		}
	}
	return "", false
}

// text is what a step declares, in this language where it is known, and in the
// words that the step brought along where it is not.
func (w *words) text(t flow.Text) string {
	if p, ok := w.phrases[t.Key]; ok && p.satisfied(t.Params) {
		return p.fill(plural.Other, t.Params)
	}
	if len(t.Params) == 0 {
		return t.Default
	}
	p, err := newPhrase(map[plural.Form]string{plural.Other: t.Default})
	if err != nil {
		return t.Default
	}
	return p.fill(plural.Other, t.Params)
}

func (p phrase) satisfied(by params) bool {
	for _, name := range p.params {
		if by[name] == "" {
			return false
		}
	}
	return true
}

func (p phrase) fill(form plural.Form, with params) string {
	if p.plain != "" {
		return p.plain
	}
	pieces, ok := p.counts[form]
	if !ok {
		pieces = p.counts[plural.Other]
	}
	var b strings.Builder
	for _, x := range pieces {
		if x.param {
			b.WriteString(with[x.text])
		} else {
			b.WriteString(x.text)
		}
	}
	return b.String()
}

// lead is a sentence with the name in it that matters.
type lead struct{ Before, Name, After string }

// lead is the text with its first parameter set apart.
func (p phrase) lead(with params) *lead {
	if p.plain != "" {
		return &lead{Before: p.plain}
	}
	l := &lead{}
	for _, x := range p.counts[plural.Other] {
		switch {
		case x.param && l.Name == "":
			l.Name = with[x.text]
		case x.param:
			l.After += with[x.text]
		case l.Name == "":
			l.Before += x.text
		default:
			l.After += x.text
		}
	}
	return l
}
