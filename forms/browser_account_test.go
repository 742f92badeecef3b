package forms_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	"doorward/runtime/flow"
	"doorward/static"
)

// TestBrowserAccount looks at every page of an account as people with different eyes,
// windows and languages do. LOOK names a directory for screenshots.
func TestBrowserAccount(t *testing.T) {
	t.Parallel()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := accountPages(pages(t), "anneliese.von-hohenfels-zu-langenburg@customers.example.com")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := assets.Find(r.URL.Path); ok {
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write(a.Body)
			return
		}
		language, name, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", contentPolicy(&flow.View{}))
		if draw, ok := all[name]; ok {
			_, _ = w.Write(draw(acme(language)))
		}
	}))
	t.Cleanup(s.Close)
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	paths := []string{"/de/account", "/de/account-devices", "/es/account-remove-last", "/de/account-sessions"}
	for name := range all {
		paths = append(paths, "/en/"+name)
	}
	for _, path := range paths {
		t.Run(path[1:], func(t *testing.T) {
			tab.Resize(browsertest.Look{})
			tab.Open(s.URL + path)
			for _, dark := range []bool{false, true} {
				tab.Resize(browsertest.Look{Dark: dark})
				for _, v := range tab.Violations() {
					t.Errorf("dark %t: %s", dark, v)
				}
			}
			fits(t, tab)
			touchable(t, tab)
			keep(t, tab, strings.ReplaceAll(path[1:], "/", "-"))
		})
	}
	noneSaid(t, tab)
}

// noneSaid holds that the browser has nothing to complain of.
func noneSaid(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	for _, p := range tab.Problems() {
		t.Errorf("the browser says: %s", p)
	}
}
