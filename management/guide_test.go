package management_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
)

const guide = "../docs/management.md"

// TestGoldenGuide sends every request of docs/management.md and compares the
// answers with the page. UPDATE_GOLDEN=1 writes them anew.
func TestGoldenGuide(t *testing.T) {
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	g := &guided{house: newHouse(t), known: map[string]string{"{env}": envID}}
	g.reach()
	g.known["{passwordPolicy}"] = g.post("/passwordPolicies", `{"name":"Strict","excludesProfileData":true,"notSimilarToCurrent":true,"excludesCommonlyUsed":true}`).is(http.StatusCreated)["id"].(string)
	g.known["{other}"] = g.post("/populations", `{"name":"Sales","passwordPolicy":{"id":"`+g.known["{passwordPolicy}"]+`"}}`).is(http.StatusCreated)["id"].(string)
	var answer string
	n := 0
	got := regexp.MustCompile("(?s)```http\n(.*?)```\n").ReplaceAllStringFunc(string(page), func(b string) string {
		n++
		if n%2 == 1 {
			answer = g.send(strings.TrimSuffix(strings.TrimPrefix(b, "```http\n"), "```\n"))
			return b
		}
		return "```http\n" + answer + "```\n"
	})
	if n == 0 || n%2 != 0 {
		t.Fatalf("%d http blocks; requests and answers come in pairs", n)
	}
	if got == string(page) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(guide, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(string(page), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(want) || want[i] != line {
			t.Fatalf("%s:%d: the server answers\n  %s\nUPDATE_GOLDEN=1 writes the page anew", guide, i+1, line)
		}
	}
}

// guided sends what a page says, with values for the names in braces.
type guided struct {
	*house
	known map[string]string // name to value
}

func (g *guided) send(request string) string {
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(g.filled(lines[0]), " ")
	path, query, _ := strings.Cut(path, "?")
	if values, err := url.ParseQuery(strings.ReplaceAll(query, " ", "+")); query != "" && err == nil {
		path += "?" + values.Encode()
	}
	var header []string
	for _, line := range lines[1:] {
		if name, value, _ := strings.Cut(line, ": "); name == "Content-Type" {
			header = append(header, name, value)
		}
	}
	r := g.do(admin, method, path, g.filled(strings.TrimSpace(body)), header...)
	out := "HTTP/1.1 " + r.Status + "\n"
	for _, name := range []string{"Location", "Content-Type"} {
		if v := r.Header.Get(name); v != "" {
			out += name + ": " + v + "\n"
		}
	}
	if r.text != "" {
		m := r.json()
		if id, is := m["id"].(string); is && r.StatusCode == http.StatusCreated {
			segments := strings.Split(path, "/")
			g.known["{"+strings.TrimSuffix(segments[len(segments)-1], "s")+"}"] = id
		}
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(r.text), "", "  "); err != nil {
			g.t.Fatal(err)
		}
		out += "\n" + b.String() + "\n"
	}
	return g.named(out)
}

func (g *guided) filled(s string) string {
	if strings.Contains(s, "{otp}") {
		s = strings.ReplaceAll(s, "{otp}", g.code())
	}
	for name, value := range g.known {
		s = strings.ReplaceAll(s, name, value)
	}
	return s
}

// named is an answer with names in place of what one run makes.
func (g *guided) named(s string) string {
	s = strings.ReplaceAll(s, g.URL, "https://api.example.com")
	for name, value := range g.known {
		s = strings.ReplaceAll(s, value, name)
	}
	s = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllStringFunc(s, func(id string) string {
		if uuid.Validate(id) != nil {
			return id
		}
		return "{id}"
	})
	s = regexp.MustCompile(`("secret": "|[?&]secret=)[A-Z2-7]{32}`).ReplaceAllString(s, "${1}{secret}")
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`).ReplaceAllString(s, "{time}")
}
