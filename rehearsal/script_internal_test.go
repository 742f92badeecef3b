package rehearsal

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A script that is something else is refused, with the line, and never a panic.
func FuzzReadScript(f *testing.F) {
	files, err := filepath.Glob("../cmd/doorward/testdata/flow/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, seed := range []string{
		"", "#", "---", "- a", "a", "steps: &a [*a]", "users: [&a {b: *a}]", "steps:\n- {<<: {wait: 5m}}", "parameters: {1: 2}", "clock: 2030-01-01\nclock: x", "a: 1\n---\nb: 2",
		"services: [{url: '*', times: 2, answer: {status: 404, headers: {a: b}, body: [1, {a: null}]}}, {method: get, url: a, fails: TIMEOUT}]",
		"services: [{url: a, answer: {body: &a [*a]}}]", "services: [{url: a, answer: {body: {1: 2}}}]", "services: [{url: a, answer: {body: {<<: *a}}}]",
		"steps: [{call: {url: '*', headers: {a: b}, body: {a: 1}}}, {call: none}, {call: }, {call: {body: !!binary a}}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := readScript("script.yaml", raw)
		if err == nil && (s.config == "" || s.subject == "" && s.kind == "" || s.clock.Location() != time.UTC) {
			t.Errorf("taken as %+v", s)
		}
	})
}
