package main_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
	"doorward/internal/optest"
)

// The environment of testdata/elsewhere. Policies send @honest.example to one provider
// and @rival.example to another.
const (
	linkedEnv = "e8000000-0000-4000-8000-000000000001"
	honest    = "e8000000-0000-4000-8000-000000000091"
	rival     = "e8000000-0000-4000-8000-000000000092"
	away      = "EXTERNAL_AUTHENTICATION_REQUIRED"
	linking   = "ACCOUNT_LINKING_REQUIRED"
)

var (
	closedHouse = visit.App{Env: linkedEnv, ID: "e8000000-0000-4000-8000-0000000000a1", Secret: "linked-closed-secret-77c1", RedirectURI: "https://closed.example/cb"} // makes no accounts
	openHouse   = visit.App{Env: linkedEnv, ID: "e8000000-0000-4000-8000-0000000000a2", Secret: "linked-open-secret-77c1", RedirectURI: "https://open.example/cb"}     // makes accounts
	strongHouse = visit.App{Env: linkedEnv, ID: "e8000000-0000-4000-8000-0000000000a3", Secret: "linked-strong-secret-77c1", RedirectURI: "https://strong.example/cb"} // wants a second factor
	linkedAdmin = visit.App{Env: linkedEnv, ID: "e8000000-0000-4000-8000-0000000000d1", Secret: "linked-admin-secret-4a7e"}
)

// abroad is a deployment of two processes beside two providers, one of which belongs to
// the attacker.
type abroad struct {
	*trial
	providers map[string]*optest.Provider // by id
}

func newAbroad(t *testing.T) *abroad {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole processes; make test runs it")
	}
	a := &abroad{providers: map[string]*optest.Provider{honest: optest.Start(t), rival: optest.Start(t)}}
	config := t.TempDir()
	if err := os.CopyFS(config, os.DirFS("testdata/elsewhere")); err != nil {
		t.Fatal(err)
	}
	l := &lab{tb: lasting{TB: t}, config: config}
	for name, id := range map[string]string{"honest": honest, "rival": rival} {
		p := a.providers[id]
		file := filepath.Join(config, "linked", "identityProviders", name+".json")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told := strings.NewReplacer("{"+name+".id}", p.ClientID, "{"+name+".secret}", p.ClientSecret, "{"+name+"}", p.URL).Replace(string(b))
		if err := os.WriteFile(file, []byte(told), 0o600); err != nil {
			t.Fatal(err)
		}
		l.more = append(l.more, "--outbound-allow", "127.0.0.1/32:"+port(p.URL))
	}
	t.Cleanup(func() {
		for _, end := range slices.Backward(l.tb.ends) {
			end()
		}
	})
	l.start()
	a.trial = l.trial(t)
	for _, p := range a.providers {
		a.trail.Secret("secret of a client", p.ClientSecret)
	}
	return a
}

// sent is a flow in which somebody is sent elsewhere.
func (a *abroad) sent(c *visit.Client, app visit.App, name string) *visit.Flow {
	a.Helper()
	f := c.Start(app.Ask())
	if r := f.Act("user.lookup", map[string]string{"username": name}).Is(200).Flow(); r.Status != away {
		a.Fatalf("%s came to %s", name, r.Status)
	}
	return f
}

// way is where the flow sends the browser to: the provider's id, and the address there.
func (a *abroad) way(f *visit.Flow) (id string, to *url.URL) {
	a.Helper()
	at := f.Get().Flow().Embedded.IdentityProvider
	return at.ID, f.Send(http.MethodGet, at.Links["authenticate"].Href, nil, nil).Is(http.StatusFound).Location()
}

// signsOn has the provider name somebody, and returns what it sends the browser back
// with: path and query of the callback.
func (a *abroad) signsOn(f *visit.Flow, claims map[string]any) *url.URL {
	a.Helper()
	id, to := a.way(f)
	p := a.providers[id]
	p.SignIn(claims)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}
	res, err := client.Get(to.String())
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.Path, "/"+linkedEnv+"/rp/callback/openid_connect") {
		a.Fatalf("%d leads to %s", res.StatusCode, res.Header.Get("Location"))
	}
	return back
}

// back is the browser that comes back, and what the flow has come to then.
func (a *abroad) back(f *visit.Flow, to *url.URL) string {
	a.Helper()
	f.Send(http.MethodGet, to.RequestURI(), nil, nil)
	return f.Get().Flow().Status
}

func mara(more map[string]any) map[string]any {
	claims := map[string]any{"sub": "mara-at-honest", "preferred_username": "mara", "email": "mara@honest.example", "email_verified": true, "given_name": "Mara", "family_name": "Away"}
	for name, v := range more {
		claims[name] = v
	}
	return claims
}

// user is what the management API tells of one.
func (a *abroad) user(id any) map[string]any {
	a.Helper()
	name, _ := id.(string)
	return a.mustJSON(a.via(0).do(http.MethodGet, "/users/"+name, nil).Is(200).Body)
}

// via is the administrator.
func (a *abroad) via(node int) *manager { return a.manager(linkedAdmin).via(node) }

// linked is how many accounts belong to somebody.
func (a *abroad) linked() (n int) {
	a.Helper()
	if err := a.db.QueryRowContext(a.Context(), `SELECT count(*) FROM linked_accounts`).Scan(&n); err != nil {
		a.Fatal(err)
	}
	return n
}
