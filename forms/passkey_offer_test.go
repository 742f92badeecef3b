package forms_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/internal/browsertest"
	"doorward/static"
)

func offer(a forms.Account) forms.PasskeyOffer {
	return forms.PasskeyOffer{Account: a, Flow: "f1", Device: "d1", Options: `{"challenge":"asked"}`}
}

// TestAnOfferHasOneThingToDo, and ways past it that need no script; each goes to the same
// place, and none names where that leads.
func TestAnOfferHasOneThingToDo(t *testing.T) {
	o := offer(forms.Account{Address: "/e/account", Person: "ada", Token: "t"})
	o.Quiet = `{"challenge":"quiet"}`
	got := string(pages(t).PasskeyOffer(acme("en"), o))
	if n := strings.Count(got, `action="/e/account/passkey?flow=f1"`); n != 3 || strings.Count(got, "<form") != 3 {
		t.Errorf("%d forms of it in %s", n, got)
	}
	for _, s := range []string{
		`name="_action" value="create"`, `name="_action" value="later"`, `name="_action" value="never"`, `name="id" value="d1"`,
		`name="attestation"`, `name="origin"`, `name="quiet"`, `data-passkey="{"challenge":"asked"}"`, `data-quiet="{"challenge":"quiet"}"`, "passkey.",
	} {
		if !strings.Contains(html.UnescapeString(got), s) {
			t.Errorf("no %s in %s", s, got)
		}
	}
	if strings.Count(got, `class="button"`) != 1 || strings.Contains(got, "redirect") {
		t.Errorf("%s", got)
	}
}

// quiets has a browser that makes passkeys by itself, or is slow to say that it does not.
const quiets = `PublicKeyCredential.getClientCapabilities = () => Promise.resolve({conditionalCreate: true});
navigator.credentials.create = o => { window.asked = (window.asked || 0) + 1; return new Promise((_, no) => o.signal.addEventListener("abort", () => no(o.signal.reason))); }`

// TestBrowserWaitsAMoment: where the browser is let make a passkey by itself, the person
// sees the offer after a moment, and nothing has moved.
func TestBrowserWaitsAMoment(t *testing.T) {
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := offer(forms.Account{Address: "/e/account", Person: "ada", Token: "t"})
	o.Options = `{"rp":{"id":"localhost","name":"Acme"},"user":{"id":"AQ","name":"ada","displayName":"Ada"},"challenge":"AAECAwQFBgcICQoLDA0ODw","pubKeyCredParams":[{"type":"public-key","alg":-7}]}`
	o.Quiet = o.Options
	all := pages(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := assets.Find(r.URL.Path); ok {
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write(a.Body)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(all.PasskeyOffer(acme("en"), o))
	}))
	t.Cleanup(s.Close)
	tab := browsertest.Start(t).Visitor(t, browsertest.Look{})
	tab.Before(quiets)
	tab.Open(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	tab.Await(`window.asked === 1`)
	tab.Await(`!document.querySelector("main").hasAttribute("aria-busy")`)
	if asked := browsertest.Eval[int](tab, "window.asked"); asked != 1 || !strings.Contains(tab.Text("main"), "Not now") {
		t.Errorf("asked %d times: %s", asked, tab.Text("main"))
	}
	const moved = `new Promise(done => {
	let n = 0;
	new PerformanceObserver(list => n += list.getEntries().length).observe({type: "layout-shift", buffered: true});
	setTimeout(() => done(n), 150);
})`
	if shifts := browsertest.Eval[int](tab, moved); shifts > 0 {
		t.Errorf("%d things have moved", shifts)
	}
	noneSaid(t, tab)
}
