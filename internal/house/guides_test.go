package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLinksOfGuidesLeadSomewhere follows every link of a page to another file of
// the repository, and to the heading that it names.
func TestLinksOfGuidesLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob(filepath.Join(root(t), "docs", "decisions", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, decisions...)
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"} {
		pages = append(pages, filepath.Join(root(t), name))
	}
	followed := 0
	for _, page := range pages {
		for _, l := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(prose(file(t, page)), -1) {
			to, heading, _ := strings.Cut(l[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			followed++
			at := page
			if to != "" {
				at = filepath.Join(filepath.Dir(page), to)
			}
			if _, err := os.Stat(at); err != nil {
				t.Errorf("%s: %s is not there", page, l[1])
				continue
			}
			if heading != "" && !slices.Contains(headings(file(t, at)), heading) {
				t.Errorf("%s: %s has no heading #%s", page, at, heading)
			}
		}
	}
	if followed < 30 {
		t.Errorf("only %d links were found", followed)
	}
}

func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withoutCode is a page without its fenced blocks.
func withoutCode(page string) string {
	return regexp.MustCompile("(?ms)^```.*?^```\n").ReplaceAllString(page, "")
}

// prose is a page without anything that is code.
func prose(page string) string {
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(withoutCode(page), "")
}

// headings are those of a page, as links name them.
func headings(page string) (out []string) {
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(withoutCode(page), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(h[1]), "")
		out = append(out, strings.ReplaceAll(name, " ", "-"))
	}
	return out
}
