package management_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

type reply struct {
	*http.Response
	t    testing.TB
	text string
}

func (r reply) json() map[string]any {
	r.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.text), &m); err != nil {
		r.t.Fatalf("%d %s: %v", r.StatusCode, r.text, err)
	}
	return m
}

// is makes sure of the status and returns the document.
func (r reply) is(status int) map[string]any {
	r.t.Helper()
	if r.StatusCode != status {
		r.t.Fatalf("%s %s: %d, want %d: %s", r.Request.Method, r.Request.URL, r.StatusCode, status, r.text)
	}
	if r.text == "" {
		return nil
	}
	return r.json()
}

// refuses makes sure of the status, the code and the details, as "CODE target".
func (r reply) refuses(status int, code string, details ...string) map[string]any {
	r.t.Helper()
	m := r.is(status)
	var got []string
	for _, d := range list(m["details"]) {
		text := d["code"].(string)
		if target, has := d["target"].(string); has {
			text += " " + target
		}
		got = append(got, text)
	}
	if m["code"] != code || strings.Join(got, ", ") != strings.Join(details, ", ") {
		r.t.Fatalf("%s %s: %v %q, want %s %q\n%s", r.Request.Method, r.Request.URL, m["code"], got, code, details, r.text)
	}
	return m
}

func list(v any) (out []map[string]any) {
	all, _ := v.([]any)
	for _, one := range all {
		out = append(out, one.(map[string]any))
	}
	return out
}

// at is what lies at a path of members.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// embedded are the members of a collection.
func embedded(m map[string]any) []map[string]any {
	for _, v := range m["_embedded"].(map[string]any) {
		return list(v)
	}
	return nil
}

// oneOf makes sure of one of several statuses.
func (r reply) oneOf(statuses ...int) {
	r.t.Helper()
	for _, s := range statuses {
		if r.StatusCode == s {
			return
		}
	}
	r.t.Fatalf("%s %s: %d, want one of %v: %s", r.Request.Method, r.Request.URL, r.StatusCode, statuses, r.text)
}
