package main_test

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/configs"
	"doorward/demo"
	"doorward/directory"
	"doorward/internal/browsertest"
	"doorward/internal/mailtest"
	"doorward/internal/nodetest"
	"doorward/internal/optest"
)

// Who can sign on in the browser tests, beside ada.
const (
	eve = "eve" // is disabled
	joe = "joe" // gets locked out
	ann = "anneliese.von-hohenfels-zu-langenburg@customers.subsidiary.example.com"
)

// stage is where the browser tests play: a node, an application on an origin of
// its own, and a browser.
type stage struct {
	*browsertest.Browser
	tb   testing.TB
	node *nodetest.Node
	mail *mailtest.Server
	app  string           // origin of the application
	away *optest.Provider // of @partner.example
	demo *nodetest.Node   // with the built-in demo; nil where it plays no part
}

// newStage starts them all. The application is the demo's relying party, which
// speaks only HTTP, on its own listener. environment stands for "demo": true in
// environment.json, and {app} in it for the application's origin.
func newStage(t *testing.T, o nodetest.Options, environment ...string) *stage {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", page(`<h1>Landed</h1>`))
	mux.HandleFunc("GET /demo/members", page(`<h1>Landed</h1>`))
	mux.HandleFunc("GET /logo.svg", logo)
	mux.HandleFunc("GET /elsewhere", page(`<form method="post"><input name="_action"><input name="_token"><input name="username" autocomplete="username"><input name="password" autocomplete="off"><button class="button">Win a prize</button></form>`))
	app := httptest.NewServer(mux)
	t.Cleanup(app.Close)
	dir := t.TempDir()
	away := optest.Start(t)
	writeConfig(t, dir, app.URL, away, strings.Join(environment, ""))
	mail := mailtest.Start(t)
	o.Args = append(o.Args, "--outbound-allow", "127.0.0.1/32:"+port(app.URL), "--outbound-allow", "127.0.0.1/32:"+port(away.URL)) // the voucher desk
	o.Args = append(o.Args, "--config", dir, "--smtp", mail.URL(), "--mail-from", "Acme <no-reply@acme.example>")
	s := &stage{tb: t, node: nodetest.Start(t, o), mail: mail, app: app.URL, away: away}
	rp, err := demo.New(demo.Config{
		Issuer: s.node.Base + "/" + nodetest.Env + "/as", ClientID: nodetest.Web, ClientSecret: nodetest.WebSecret,
		RedirectURI: app.URL + demo.CallbackPath, AfterSignOut: app.URL + demo.HomePath,
		Client: &http.Client{Timeout: 10 * time.Second}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Journeys: s.journeys(),
	})
	if err != nil {
		t.Fatal(err)
	}
	rp.Register(appRoutes{mux})
	s.Browser = browsertest.Start(t)
	return s
}

func page(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><html lang=en><title>Elsewhere</title><main>"+body+"</main>")
	}
}

func logo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="40"><rect width="160" height="40" fill="#0a6640"/></svg>`)
}

type appRoutes struct{ *http.ServeMux }

func (m appRoutes) Handle(method, path string, h http.Handler) {
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	m.ServeMux.Handle(method+" "+path, h)
}

// brought is nodetest.Password as it is kept: a node that hashes it for each of
// these people first takes seconds to be ready.
var brought = sync.OnceValue(func() string {
	stored, err := directory.NewHasher(directory.DefaultParams(), 1, time.Now).Hash(context.Background(), nodetest.Password)
	if err != nil {
		panic(err)
	}
	return stored
})

// writeConfig is the demo's configuration for an application at app.
func writeConfig(t *testing.T, dir, app string, away *optest.Provider, environment string) {
	t.Helper()
	if environment == "" {
		environment = `"demo": true`
	}
	user := func(last, name, more string) string {
		return `{"id": "d0000000-0000-4000-8000-0000000000` + last + `", "username": "` + name + `", "password": "` + brought() + `"` + more + `}`
	}
	more := map[string]string{
		"demo/users/eve.json": user("fa", eve, `, "enabled": false`),
		"demo/users/joe.json": user("fb", joe, ""),
		"demo/users/ann.json": user("fc", ann, ""),
	}
	for i, name := range []string{"ruth", "rolf", "gisela", "gustav"} {
		more["demo/users/"+name+".json"] = user(strconv.Itoa(20+i), name, `, "emailVerified": true, "email": "`+name+`@example.com"`)
	}
	ours := strings.NewReplacer("{base}/demo/", app+"/demo/", "http://localhost:8080/demo/", app+"/demo/", "Demo web application", "Acme Travel", `"Demo"`, `"Acme"`, `"demo": true`, strings.ReplaceAll(environment, "{app}", app))
	readFolder(t, configs.Demo, func(name, content string) { more[name] = ours.Replace(content) })
	theirs := strings.NewReplacer("{partner.id}", away.ClientID, "{partner.secret}", away.ClientSecret, "{partner}", away.URL)
	readFolder(t, os.DirFS("testdata/journeys"), func(name, content string) { more["demo/"+name] = theirs.Replace(ours.Replace(content)) })
	people(more, user)
	for name, content := range more {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(path.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// readFolder hands over every file of a folder, and of those in it.
func readFolder(t testing.TB, folder fs.FS, take func(name, content string)) {
	t.Helper()
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(folder, name)
		take(name, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is somebody new, whose browser must have nothing to complain of.
func (s *stage) visitor(t *testing.T, l browsertest.Look) *browsertest.Tab {
	t.Helper()
	tab := s.Visitor(t, l)
	t.Cleanup(func() { noProblems(t, tab) })
	return tab
}

func noProblems(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	for _, p := range tab.Problems() {
		t.Errorf("the browser says: %s", p)
	}
}

// home is the application's first page.
func (s *stage) home() string { return s.app + demo.HomePath }

// start is where the application begins a sign-on.
func (s *stage) start(prompt string) string {
	to := s.app + demo.SignOnPath
	if prompt != "" {
		to += "?prompt=" + prompt
	}
	return to
}

// native is where a second application, on a device, begins a sign-on.
func (s *stage) native() string {
	return s.address("/as/authorize", url.Values{
		"client_id": {nodetest.Native}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {s.app + "/callback"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, // RFC 7636 appendix B
	})
}

// address is one of the node's environment.
func (s *stage) address(rest string, query url.Values) string {
	return s.node.Base + "/" + nodetest.Env + rest + "?" + query.Encode()
}

// fill types a username, where one is asked for, and a password.
func (*stage) fill(tab *browsertest.Tab, name, password string) {
	if name != "" {
		tab.Fill("#username", name)
	}
	tab.Fill("#password", password)
}

// primary is the one primary button of a page.
const primary = "main .button"

// signOn starts at the application and comes back to it.
func (s *stage) signOn(tab *browsertest.Tab) {
	tab.Open(s.start(""))
	s.fill(tab, nodetest.User, nodetest.Password)
	tab.Follow(primary)
	s.signedOn(tab)
}

// signedOn waits until the application says so.
func (s *stage) signedOn(tab *browsertest.Tab) {
	tab.Await(`location.pathname === "` + demo.HomePath + `" && document.querySelector("#sign-out")`)
}

// events counts the lines of the node's log about one security event.
func (s *stage) events(kind string) int { return strings.Count(s.node.Log(), "type="+kind+" ") }

// newest is the code of the second mail to an address, which voids the first.
func (s *stage) newest(to string) string {
	s.tb.Helper()
	s.mail.Wait(s.tb, to)
	return s.mail.Wait(s.tb, to).Code()
}
