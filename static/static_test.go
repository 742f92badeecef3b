package static_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"doorward/static"
)

func TestAssetsAreNamedByTheirContent(t *testing.T) {
	a, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, mime := range map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		p := a.Path(name)
		if !regexp.MustCompile(`^/static/[a-z]+\.[0-9a-f]{12}\.[a-z]+$`).MatchString(p) {
			t.Errorf("%s is served at %q", name, p)
		}
		f, ok := a.Find(p)
		if !ok || f.Type != mime || len(f.Body) == 0 {
			t.Errorf("%s: %v %s %d bytes", name, ok, f.Type, len(f.Body))
		}
	}
	for _, p := range []string{"/static/", "/static/page.css", "/static/../static.go", ""} {
		if _, ok := a.Find(p); ok {
			t.Errorf("%q is served", p)
		}
	}
	if a.Path("other") != "" {
		t.Error("an unknown name has a path")
	}
}

// TestNothingComesFromElsewhere: pages load from this server only, and every
// colour is a token, so that light and dark stay one design.
func TestNothingComesFromElsewhere(t *testing.T) {
	a, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	css, _ := a.Find(a.Path("page.css"))
	if strings.Contains(string(css.Body), "url(") || strings.Contains(string(css.Body), "@import") {
		t.Error("the stylesheet loads something")
	}
	_, rules, _ := strings.Cut(string(css.Body), "*,*::before")
	if m := regexp.MustCompile(`#[0-9a-f]{3,8}\b`).FindString(rules); m != "" {
		t.Errorf("colour %s outside the tokens", m)
	}
}

// TestAssetsAreLight: what a page needs beside itself. Pages are read on slow
// lines.
func TestAssetsAreLight(t *testing.T) {
	a, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	css, _ := a.Find(a.Path("page.css"))
	js, _ := a.Find(a.Path("page.js"))
	passkeys, _ := a.Find(a.Path("passkey.js"))
	if n := len(css.Body) + len(js.Body) + len(passkeys.Body); n > 30<<10 {
		t.Errorf("style and scripts are %d bytes", n)
	}
}

// TestNobodyReadsTheComments: what is served lacks what stands there for whoever
// changes it, and nothing else.
func TestNobodyReadsTheComments(t *testing.T) {
	a, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	space := regexp.MustCompile(`\s+`)
	for name, comments := range map[string]string{
		"page.css": `(?s)/\*.*?\*/`, "page.js": `(?m)^\s*//.*$`, "passkey.js": `(?m)^\s*//.*$`,
	} {
		written, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "page.css" && strings.Contains(string(written), "`") {
			t.Errorf("%s has a text of several lines, in which every space counts", name)
		}
		served, _ := a.Find(a.Path(name))
		want := regexp.MustCompile(comments).ReplaceAllString(string(written), "")
		if got := string(served.Body); space.ReplaceAllString(got, "") != space.ReplaceAllString(want, "") || len(got) >= len(want) {
			t.Errorf("%s is served as\n%s", name, got)
		}
	}
}

// TestStyleLosesNoSpaceThatCounts: lines of the stylesheet end where no space has to
// follow.
func TestStyleLosesNoSpaceThatCounts(t *testing.T) {
	written, err := os.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	bare := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(written), "")
	for line := range strings.Lines(bare) {
		if line = strings.TrimSpace(line); line != "" && !strings.ContainsAny(line[len(line)-1:], "{};,") {
			t.Errorf("%q goes on in the next line", line)
		}
	}
}
