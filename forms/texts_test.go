package forms_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/steps"
)

// catalogue is a file of texts as it lies there, each text with its plural forms
// one after the other.
func catalogue(t *testing.T, language string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("texts", language+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for key, value := range raw {
		switch v := value.(type) {
		case string:
			out[key] = []string{v}
		case map[string]any:
			for _, form := range slices.Sorted(maps.Keys(v)) {
				out[key] = append(out[key], v[form].(string))
			}
		}
		if strings.Count(string(b), strconv.Quote(key)+":") != 1 {
			t.Errorf("%s: %q is there more than once", language, key)
		}
	}
	return out
}

// TestTextsAreAlike: every language says the same things with the same
// parameters. NewPages refuses to start otherwise; this names all the gaps.
func TestTextsAreAlike(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\w+\}`)
	of := func(texts []string) []string {
		var out []string
		for _, s := range texts {
			out = append(out, placeholder.FindAllString(s, -1)...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	english := catalogue(t, "en")
	for _, language := range pages(t).Languages() {
		texts := catalogue(t, language)
		for key := range english {
			if texts[key] == nil {
				t.Errorf("%s lacks %q", language, key)
			} else if got, want := of(texts[key]), of(english[key]); !slices.Equal(got, want) {
				t.Errorf("%s: %q has %q, and %q in English", language, key, got, want)
			}
		}
		for key := range texts {
			if english[key] == nil {
				t.Errorf("%q is in %s alone", key, language)
			}
		}
	}
}

// TestTextsAreCalm holds the tone. Source: visual.md, Words.
func TestTextsAreCalm(t *testing.T) {
	never := map[string]string{
		"en": `(?i)!|invalid|credential|an error occurred|\bflow\b|session|\bplease\b|\boops|sorry`,
		"de": `(?i)!|ungültig|anmeldedaten|fehler ist aufgetreten|\bflow\b|sitzung|\bbitte\b|\b(du|dein\w*|dir|dich)\b`,
		"es": `(?i)!|¡|inválid|credencial|se ha producido un error|\bflujo\b|\bpor favor\b|\b(tú|tu|tus|ti|contigo)\b`,
	}
	for _, language := range pages(t).Languages() {
		bad := regexp.MustCompile(never[language])
		for key, texts := range catalogue(t, language) {
			for _, s := range texts {
				if m := bad.FindString(s); m != "" {
					t.Errorf("%s: %q says %q", language, key, m)
				}
				if s != strings.TrimSpace(s) || strings.Contains(s, "  ") || strings.Contains(s, "...") {
					t.Errorf("%s: %q is untidy: %q", language, key, s)
				}
			}
		}
	}
}

// declared is every text that a step or the engine brings along, by key.
func declared() map[string]string {
	out := map[string]string{"session.reset": "Start again"}
	for _, k := range steps.Builtin(steps.Parts{}) {
		for _, a := range k.Meta().Actions {
			if a.Name == flow.PollAction || a.Name == flow.CallbackAction { // nobody is offered it
				continue
			}
			out[a.Prompt.Key] = a.Prompt.Default
			for _, f := range a.Fields {
				if !slices.Contains(unsaid(), f.Name) {
					out[f.Label.Key] = f.Label.Default
				}
			}
		}
	}
	return out
}

// unsaid are the inputs that pages fill in themselves: nobody reads their labels.
func unsaid() []string {
	return []string{"device.id", "compatibility", "origin", "assertion", "attestation", "type", "reason", "rp.id", "rp.name"}
}

// TestStepsSpeakEveryLanguage: a label that a step declares is in the catalogue,
// in the same words.
func TestStepsSpeakEveryLanguage(t *testing.T) {
	english := catalogue(t, "en")
	for key, text := range declared() {
		if !slices.Equal(english[key], []string{text}) {
			t.Errorf("%q is %q in the catalogue, and a step says %q", key, english[key], text)
		}
	}
	for code, message := range failures(t) {
		if key := "failure." + code; english[key] == nil || message != "" && english[key][0] != message {
			t.Errorf("%q is %q in the catalogue, and a step says %q", key, english[key], message)
		}
	}
}

// failures are the codes that steps and the engine end an execution with, and
// the message where it is a literal.
func failures(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	literal := func(e ast.Expr) string {
		if l, ok := e.(*ast.BasicLit); ok {
			s, _ := strconv.Unquote(l.Value)
			return s
		}
		return ""
	}
	for _, dir := range []string{"../steps", "../runtime/engine", "../runtime/flow"} {
		walk(t, dir, func(f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					called, _ := n.Fun.(*ast.Ident)
					if s, ok := n.Fun.(*ast.SelectorExpr); ok {
						called = s.Sel
					}
					if called != nil && called.Name == "Fail" && len(n.Args) == 2 {
						out[literal(n.Args[0])] = literal(n.Args[1])
					}
				case *ast.CompositeLit:
					if code, message, ok := told(n); ok {
						out[literal(code)] = literal(message)
					}
					if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Failure" && len(n.Elts) >= 2 {
						code, message := n.Elts[0].(*ast.KeyValueExpr), n.Elts[1].(*ast.KeyValueExpr)
						out[literal(code.Value)] = literal(message.Value)
					}
				}
				return true
			})
		})
	}
	delete(out, "") // of a variable
	return out
}

// told are the code and the message of a trouble that a status shows, which is no
// failure yet.
func told(n *ast.CompositeLit) (code, message ast.Expr, ok bool) {
	if len(n.Elts) != 2 {
		return nil, nil, false
	}
	if name, is := n.Type.(*ast.Ident); is && name.Name == "trouble" {
		return n.Elts[0], n.Elts[1], true
	}
	first, is := n.Elts[0].(*ast.KeyValueExpr)
	second, is2 := n.Elts[1].(*ast.KeyValueExpr)
	if !is || !is2 {
		return nil, nil, false
	}
	a, is := first.Key.(*ast.BasicLit)
	b, is2 := second.Key.(*ast.BasicLit)
	return first.Value, second.Value, is && is2 && a.Value == `"code"` && b.Value == `"message"`
}

// walk reads the product's files in a folder and those inside it.
func walk(t *testing.T, dir string, f func(*ast.File)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err == nil {
			f(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryTextIsUsed: a text is named by this package, or follows from what
// steps declare.
func TestEveryTextIsUsed(t *testing.T) {
	literals := map[string]bool{}
	walk(t, ".", func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				s, _ := strconv.Unquote(l.Value)
				literals[s] = true
			}
			return true
		})
	})
	used := follows(t)
	for key := range catalogue(t, "en") {
		topic, part := key, ""
		if i := strings.LastIndexByte(key, '.'); i > 0 {
			topic, part = key[:i], key[i:]
		}
		explained := literals[topic] && (part == ".title" || part == ".text")
		if !literals[key] && !used[key] && !explained {
			t.Errorf("nothing uses %q", key)
		}
	}
}

// follows are the keys that this package makes of what others declare.
func follows(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	add := func(base string, parts ...string) {
		for _, p := range parts {
			out[base+p] = true
		}
	}
	targets := map[string]bool{"": true, ".device": true, ".devices": true, ".device.id": true, // what runtime/mfa refuses beside inputs
		".newEmail": true, ".newPhone": true, ".codes": true, ".language": true} // and the account
	for key := range declared() {
		add(key, "")
		if base, ok := strings.CutSuffix(key, ".label"); ok {
			add(base, ".hint")
		}
	}
	for _, k := range steps.Builtin(steps.Parts{}) {
		for _, a := range k.Meta().Actions {
			add(a.Name, ".title", ".lead", ".button", ".done", ".way")
			for _, status := range a.When {
				add("status."+status, ".title", ".lead", ".lead.other")
				for _, d := range device.Types() {
					add("status."+status, ".title."+string(d), ".lead."+string(d))
				}
				add("status."+status, ".title.shown", ".lead.shown", ".lead.number")
			}
			for _, f := range a.Fields {
				targets["."+f.Name] = true
			}
		}
	}
	for _, code := range []string{flow.InvalidValue, flow.RequiredValue, flow.SizeLimitExceeded, flow.InvalidCredentials, flow.PasswordLockedOut, flow.UniquenessViolation, flow.ConstraintViolation, flow.LimitExceeded, "INVALID_OTP"} {
		for target := range targets {
			add("fault."+code+target, "", ".known", ".left", ".spent", ".lasting")
		}
	}
	for code := range failures(t) {
		add("failure."+code, "")
	}
	add("fault."+flow.ExternalFailed, "")
	add("failure."+string(flow.Limited), "") // a trouble of a step that goes on
	for _, rule := range []string{
		passwordpolicy.Length, passwordpolicy.MaxRepeatedCharacters, passwordpolicy.MinUniqueCharacters, passwordpolicy.MinComplexity,
		passwordpolicy.AlphabetSequenceRule, passwordpolicy.NumberSequenceRule, passwordpolicy.QwertySequenceRule, passwordpolicy.ShiftedNumberRowSequenceRule,
		passwordpolicy.ExcludesCommonlyUsed, passwordpolicy.ExcludesProfileData, passwordpolicy.NotSimilarToCurrent, passwordpolicy.History, passwordpolicy.MinAge,
	} {
		add("rule."+rule, "", ".upper", ".lower", ".digit", ".symbol")
	}
	for _, d := range device.Types() {
		add("device."+string(d), "")
		add("enrol."+string(d), "", ".title")
	}
	add("rule."+passwordpolicy.MinCharacters, ".upper", ".lower", ".digit", ".symbol")
	return out
}

// TestOnlyLiteralsAreMarkup: no string is converted to markup, and nothing but a
// page's own bytes to what is written again.
func TestOnlyLiteralsAreMarkup(t *testing.T) {
	walk(t, ".", func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "constant" {
					t.Error("a string is converted to markup")
				}
				if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "ready" {
					if from, ok := c.Args[0].(*ast.SelectorExpr); !ok || from.Sel.Name != "out" {
						t.Error("something is converted to markup that was none")
					}
				}
			}
			return true
		})
	})
}

func TestLanguage(t *testing.T) {
	p := pages(t)
	for _, tc := range []struct {
		name    string
		allowed []string
		wanted  []string
		want    string
	}{
		{"nothing is asked for", nil, nil, "en"},
		{"the browser asks", nil, []string{"", "de-AT,de;q=0.9,en;q=0.8"}, "de"},
		{"by weight, not by order", nil, []string{"en;q=0.2,es;q=0.9"}, "es"},
		{"the application goes before the browser", nil, []string{"es", "de"}, "es"},
		{"an application that asks for what there is not", nil, []string{"fi", "de"}, "de"},
		{"nothing that there is", nil, []string{"fi,sv;q=0.5"}, "en"},
		{"a dialect", nil, []string{"es-419"}, "es"},
		{"a language near one", nil, []string{"gsw"}, "de"},
		{"anything", nil, []string{"*"}, "en"},
		{"nonsense", nil, []string{"\x00<script>", "de"}, "de"},
		{"a flood", nil, []string{strings.Repeat("a-", 5000), "es"}, "es"},
		{"one is allowed", []string{"de"}, []string{"es,en"}, "de"},
		{"two are allowed, the first for the rest", []string{"es", "en"}, []string{"de"}, "es"},
		{"two are allowed, and one is asked for", []string{"es", "en"}, []string{"en-GB"}, "en"},
		{"one that there is not is allowed", []string{"fi"}, []string{"de"}, "de"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // the second time by what the first one keeps
				if got := p.Language(tc.allowed, tc.wanted...); got != tc.want {
					t.Errorf("%q, want %q", got, tc.want)
				}
			}
		})
	}
	if page := drawn(t, p.SignedOff(forms.Setting{Language: "xx"})); !strings.Contains(page, `<html lang="en">`) {
		t.Error("an unknown language is not English")
	}
}
