package wording_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"doorward/runtime/wording"
)

// written are the files of a folder, by language.
func written(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for lang, text := range files {
		out["texts/"+lang+".json"] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestWhatIsSaid(t *testing.T) {
	all, err := wording.Load(written(map[string]string{
		"en": `{"hello": "Hello {name}, {name}!", "bye": "Bye", "left": {"one": "{n} day, {name}", "other": "{n} days, {name}"}}`,
		"de": `{"hello": "Hallo {name}, {name}!", "bye": "Ade", "left": {"one": "{n} Tag, {name}", "other": "{n} Tage, {name}"}}`,
	}), "texts")
	if err != nil {
		t.Fatal(err)
	}
	en, de := all["en"], all["de"]
	ada := wording.Params{"name": "{name} & Ada"}
	for got, want := range map[string]string{
		en.Say("hello", ada):     "Hello {name} & Ada, {name} & Ada!",
		de.Say("bye", nil):       "Ade",
		en.Say("nothing", nil):   "",
		en.Count("left", 1, ada): "1 day, {name} & Ada",
		de.Count("left", 0, ada): "0 Tage, {name} & Ada",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if key, ok := en.First(nil, "hello", "nothing", "bye"); !ok || key != "bye" {
		t.Errorf("the first that needs nothing is %q", key)
	}
	if key, ok := en.First(nil, "hello"); ok {
		t.Errorf("%q needs a name", key)
	}
}

func TestNobodyMeetsAGap(t *testing.T) {
	const en = `{"hello": "Hello {name}"}`
	for says, files := range map[string]map[string]string{
		"no texts in en":       {"de": en},
		`there is no "hello"`:  {"en": en, "de": `{}`},
		"is not in English":    {"en": en, "de": `{"hello": "Hallo {name}", "bye": "Ade"}`},
		"has the parameters":   {"en": en, "de": `{"hello": "Hallo {who}"}`},
		"it is empty":          {"en": `{"hello": ""}`},
		"a brace is not":       {"en": `{"hello": "Hello {name"}`},
		"is no plural":         {"en": `{"hello": {"several": "x", "other": "y"}}`},
		`"other" is missing`:   {"en": `{"hello": {"one": "x"}}`},
		"language: tag is not": {"en": en, "nolanguage": en},
		"cannot unmarshal":     {"en": `{"hello": 1}`},
	} {
		if _, err := wording.Load(written(files), "texts"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
