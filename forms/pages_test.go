package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"doorward/forms"
	"doorward/static"
)

func pages(t testing.TB) *forms.Pages {
	t.Helper()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := forms.NewPages(assets)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// acme is the environment that the tests are about.
func acme(language string) forms.Setting { return forms.Setting{Language: language, Owner: "Acme"} }

// drawn is a page that keeps the rules.
func drawn(t *testing.T, page []byte) string {
	t.Helper()
	sound(t, page)
	return string(page)
}

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	n, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// skeleton is the page without its words: elements and attribute names.
func skeleton(t *testing.T, page []byte) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		b.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteString(">")
	}
	return b.String()
}

// text is what the page says, to eyes and to ears.
func text(t *testing.T, page []byte) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// sound holds the rules that every page keeps.
func sound(t *testing.T, page []byte) {
	t.Helper()
	labels, ids, headings, primary := map[string]bool{}, map[string]bool{}, 0, 0
	var inputs []*html.Node
	for n := range parse(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("inline %s in <%s>", a.Key, n.Data)
			}
		}
		if class, _ := attr(n, "class"); class == "button" {
			primary++
		}
		switch n.Data {
		case "html":
			if lang, _ := attr(n, "lang"); lang == "" {
				t.Error("no lang")
			}
		case "h1":
			headings++
		case "label":
			id, _ := attr(n, "for")
			labels[id] = true
		case "script", "style":
			if src, _ := attr(n, "src"); src == "" || n.FirstChild != nil {
				t.Errorf("inline %s", n.Data)
			}
		case "input":
			inputs = append(inputs, n)
		case "svg":
			if h, _ := attr(n, "aria-hidden"); h != "true" {
				t.Error("an icon is read aloud")
			}
		}
	}
	if headings != 1 || primary > 1 {
		t.Errorf("%d h1, %d primary actions", headings, primary)
	}
	for _, n := range inputs {
		soundInput(t, n, labels)
	}
	soundReferences(t, page, ids)
}

// soundInput holds what an input needs to be found and filled in.
func soundInput(t *testing.T, n *html.Node, labels map[string]bool) {
	t.Helper()
	kind, _ := attr(n, "type")
	_, hidden := attr(n, "hidden")
	id, _ := attr(n, "id")
	if kind != "hidden" && !hidden && (id == "" || !labels[id]) {
		t.Errorf("input %q has no label", id)
	}
	a, _ := attr(n, "autocomplete")
	a = strings.TrimSuffix(a, " webauthn")
	if kind == "password" && a != "current-password" && a != "new-password" {
		t.Errorf("a password with autocomplete %q", a)
	}
	if kind != "password" {
		return
	}
	form := n.Parent
	for form.Data != "form" {
		form = form.Parent
	}
	for d := range form.Descendants() {
		if name, _ := attr(d, "autocomplete"); strings.TrimSuffix(name, " webauthn") == "username" {
			return
		}
	}
	t.Errorf("no name beside the password %q", id)
}

// soundReferences holds that what an element names by id is there.
func soundReferences(t *testing.T, page []byte, ids map[string]bool) {
	t.Helper()
	for n := range parse(t, page).Descendants() {
		for _, key := range []string{"aria-describedby", "aria-labelledby", "aria-controls", "for"} {
			value, _ := attr(n, key)
			for id := range strings.FieldsSeq(value) {
				if !ids[id] {
					t.Errorf("%s of <%s> names %q, which is not there", key, n.Data, id)
				}
			}
		}
		if href, _ := attr(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] && href != "#top" {
			t.Errorf("a link leads to %q, which is not there", href)
		}
	}
}

// TestPagesAreCheap: a page costs little beside the answer of the flow API, and
// what it costs does not grow with its words.
func TestPagesAreCheap(t *testing.T) {
	p := pages(t)
	for name, row := range map[string]struct {
		page forms.SignOn
		most float64
	}{
		"sign-on": {signOn(), 25}, "recovery": {recovery(), 60}, "registration": {registration(), 60},
		"passkeys": {withPasskeys(signOn()), 40}, "selection": {selection(), 90}, "code": {code("d1"), 75}, "assertion": {assertion(), 75},
	} {
		if n := testing.AllocsPerRun(100, func() { p.SignOn(acme("de"), row.page) }); n > row.most {
			t.Errorf("%s: %.0f allocations, more than %.0f", name, n, row.most)
		}
	}
}

func BenchmarkSignOn(b *testing.B) {
	p := pages(b)
	for name, s := range map[string]forms.SignOn{
		"sign-on": signOn(), "recovery": recovery(), "registration": registration(), "passkeys": withPasskeys(signOn()), "selection": selection(), "code": code("d1"),
		"assertion": assertion(), "push": push("42"), "enrolment": enrolment(), "qr": totp(),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.SignOn(acme("en"), s)
			}
		})
	}
}
