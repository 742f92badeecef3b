package browsertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"doorward/internal/browsertest"
)

// TestBrowserSeesWhatIsWrong holds that silence of the helper means something.
func TestBrowserSeesWhatIsWrong(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>t</title><main><h1>h</h1>
			<p style="color:#999;background:#aaa">pale</p><input><div style="width:2000px">wide</div><script>document.title = "ran"</script></main>`)
	}))
	defer s.Close()
	b := browsertest.Start(t)
	for name, look := range map[string]browsertest.Look{"with scripts": {}, "without scripts": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			tab := b.Visitor(t, look)
			tab.Open(s.URL)
			if tab.Status() != http.StatusTeapot || tab.Overflow() < 700 || tab.Rule("p", "color") != "rgb(153, 153, 153)" {
				t.Errorf("status %d, %d too wide", tab.Status(), tab.Overflow())
			}
			if look.NoScript {
				return
			}
			for _, rule := range []string{"color-contrast", "label"} {
				if !slices.ContainsFunc(tab.Violations(), func(v string) bool { return strings.HasPrefix(v, rule+":") }) {
					t.Errorf("%s is not seen in %q", rule, tab.Violations())
				}
			}
			if !slices.ContainsFunc(tab.Problems(), func(p string) bool { return strings.Contains(p, "Content Security Policy") }) {
				t.Errorf("the violation of the policy is not heard: %q", tab.Problems())
			}
		})
	}
}
