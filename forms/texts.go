package forms

import (
	"embed"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// English is the language of whoever asks for none that we have.
const English = wording.English

// One file for each language: the words of every page, by the keys that steps,
// faults and templates carry.
//
//go:embed texts/*.json
var texts embed.FS

// words are the texts of one language.
type words struct {
	*wording.Language
	labels map[string]label // by the key of a field's label
}

// label is what stands above a field.
type label struct{ text, hint string }

func loadTexts() (map[string]*words, error) {
	all, err := wording.Load(texts, "texts")
	if err != nil {
		return nil, err
	}
	out := map[string]*words{}
	for lang, l := range all {
		w := &words{l, map[string]label{}}
		for _, key := range l.Keys() {
			if base, ok := strings.CutSuffix(key, ".label"); ok {
				w.labels[key] = label{l.Say(key, nil), l.Say(base+".hint", nil)}
			}
		}
		out[lang] = w
	}
	return out, nil
}

// text is what a step declares, in this language where it is known, and in the
// words that the step brought along where it is not.
func (w *words) text(t flow.Text) string {
	if p, ok := w.Phrase(t.Key); ok && p.Satisfied(t.Params) {
		return p.Fill(t.Params)
	}
	if len(t.Params) == 0 {
		return t.Default
	}
	p, err := wording.NewPhrase(t.Default)
	if err != nil {
		return t.Default
	}
	return p.Fill(t.Params)
}

// lead is a sentence with the name in it that matters.
type lead struct{ Before, Name, After string }

// leading is the text of a key with its first parameter set apart.
func (w *words) leading(key string, with wording.Params) *lead {
	p, _ := w.Phrase(key)
	l := &lead{}
	for _, x := range p.Pieces() {
		switch {
		case x.Param && l.Name == "":
			l.Name = with[x.Text]
		case x.Param:
			l.After += with[x.Text]
		case l.Name == "":
			l.Before += x.Text
		default:
			l.After += x.Text
		}
	}
	return l
}
