package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/demo"
	"doorward/internal/browsertest"
	visit "doorward/internal/journey"
	"doorward/internal/mailtest"
	"doorward/internal/nodetest"
)

// porch is the built-in demo at a name, which passkeys can be for, and a browser.
type porch struct {
	*browsertest.Browser
	node   *nodetest.Node
	office *office
	mail   *mailtest.Server // that messages go to; nil: to the demo's outbox

	mu     sync.Mutex
	names  int
	read   map[string]int  // messages of an address that have been read
	looked map[string]bool // pages that were looked at with the eyes of everybody
}

func newPorch(t *testing.T, b *browsertest.Browser, args ...string) *porch {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Host: "localhost", Args: args})
	return &porch{Browser: b, node: n, office: newOffice(t, n), read: map[string]int{}, looked: map[string]bool{}}
}

// caller is somebody at a tab, who has an account and no device yet.
type caller struct {
	*testing.T
	*porch
	*browsertest.Tab
	id, name, mailbox, number string
	noScript                  bool
}

// plays is a test of its own: somebody new, beside the others.
func (g *porch) plays(t *testing.T, name string, l browsertest.Look, play func(*caller)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		play(g.caller(t, l))
	})
}

func (g *porch) caller(t *testing.T, l browsertest.Look) *caller {
	t.Helper()
	g.mu.Lock()
	g.names++
	n := g.names
	g.mu.Unlock()
	c := &caller{T: t, porch: g, Tab: g.Visitor(t, l), name: fmt.Sprintf("caller-%d", n), number: fmt.Sprintf("+4930123456%02d", n), noScript: l.NoScript}
	c.mailbox = c.name + "@example.com"
	body, err := json.Marshal(map[string]any{
		"username": c.name, "email": c.mailbox, "population": map[string]any{"id": populationOf(visit.App{Env: nodetest.Env})},
		"password": map[string]any{"value": nodetest.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{T: t, node: g.node, token: g.office.token}
	c.id, _ = o.ask(http.MethodPost, "/users", visit.ContentType("user.import"), string(body), http.StatusCreated)["id"].(string)
	t.Cleanup(c.quiet)
	return c
}

// quiet holds that the browser has nothing to complain of, but for pages that nobody
// has touched before they went on: the virtual authenticator is quicker than people.
func (c *caller) quiet() {
	c.Helper()
	for _, p := range c.Problems() {
		if !strings.Contains(p, "NavigationEntryMarkedSkippable") {
			c.Errorf("the browser says: %s", p)
		}
	}
}

// manages does something about them as an administrator.
func (c *caller) manages(method, path, body string, status int) map[string]any {
	c.Helper()
	o := &office{T: c.T, node: c.node, token: c.office.token}
	return o.ask(method, "/users/"+c.id+path, "application/json", body, status)
}

// at is where the application begins a sign-on by a policy of that name.
func (c *caller) at(policy string) string {
	return c.node.Base + demo.JourneyPath + "?journey=" + policy
}

func (c *caller) journey() {
	c.Helper()
	c.Open(c.at("Multi_Factor"))
}

// names says who they are and what their password is.
func (c *caller) names() {
	c.Helper()
	c.Fill("#username", c.name)
	c.password()
}

func (c *caller) password() {
	c.Helper()
	c.Fill("#password", nodetest.Password)
	c.Follow(primary)
}

// page holds that the page has that heading, and is for everybody to use.
func (c *caller) page(title string) {
	c.Helper()
	if got := c.Text("h1"); got != title {
		c.Fatalf("the page is %q, want %q: %s", got, title, c.Text("body"))
	}
	c.sound()
}

// says holds that a text is on the page.
func (c *caller) says(text string) {
	c.Helper()
	if !strings.Contains(c.Text("main"), text) {
		c.Errorf("no %q in: %s", text, c.Text("main"))
	}
}

// sound looks at a page once.
func (c *caller) sound() {
	c.Helper()
	what := browsertest.Eval[string](c.Tab, `[...document.querySelectorAll("main :is(h1, .lead, button, a, label, .error)")].map(e => e.localName + (e.checkVisibility() ? e.innerText : "")).join("\n").replaceAll(/[0-9]+/g, "")`)
	c.mu.Lock()
	known := c.looked[what]
	c.looked[what] = true
	c.mu.Unlock()
	if known || c.noScript {
		return
	}
	for _, v := range c.Violations() {
		c.Errorf("%s: %s", c.Text("h1"), v)
	}
}

// chooses takes one of several ways, by what it is called.
func (c *caller) chooses(title string) {
	c.Helper()
	c.Follow(c.choice(title))
}

func (c *caller) choice(title string) string {
	c.Helper()
	n := browsertest.Eval[int](c.Tab, `[...document.querySelectorAll(".choices .choice")].findIndex(e => e.querySelector("b").innerText === `+strconv.Quote(title)+`)`)
	if n < 0 {
		c.Fatalf("there is no %q: %s", title, c.Text("main"))
	}
	return `.choices li:nth-child(` + strconv.Itoa(n+1) + `) .choice`
}

// presses presses what says so.
func (c *caller) presses(text string) {
	c.Helper()
	n := browsertest.Eval[int](c.Tab, `(all => all.findIndex(e => e.innerText === `+strconv.Quote(text)+`))([...document.querySelectorAll("main :is(button, a)")])`)
	if n < 0 {
		c.Fatalf("nothing says %q: %s", text, c.Text("main"))
	}
	browsertest.Eval[any](c.Tab, `document.querySelectorAll("main :is(button, a)")[`+strconv.Itoa(n)+`].setAttribute("data-here", "")`)
	c.Follow("[data-here]")
}

// otherWay goes to the devices beside the one that is asked.
func (c *caller) otherWay() {
	c.Helper()
	c.presses("Use another way")
	c.page("Use another way")
}

// code types a code.
func (c *caller) code(code string) {
	c.Helper()
	c.Fill(named("otp"), code)
	c.Follow(primary)
}

// refused holds that the code is told to be wrong beside its field.
func (c *caller) refused(text string) {
	c.Helper()
	if !c.Has(named("otp")) {
		c.Fatalf("the code is taken: %s", c.Text("main"))
	}
	if got := wrong(c.Tab, "otp"); !strings.HasPrefix(got, text) {
		c.Errorf("beside the code stands %q, want %q: %s", got, text, c.Text("main"))
	}
}

// arrives waits for the application, and returns what it was told.
func (c *caller) arrives() map[string]string {
	c.Helper()
	c.Await(`location.pathname === "` + demo.HomePath + `" && document.readyState === "complete" && document.querySelector("#sign-out")`)
	return browsertest.Eval[map[string]string](c.Tab, `Object.fromEntries([...document.querySelectorAll("#id-token tbody tr")].map(r => [r.children[0].innerText, r.children[1].innerText]))`)
}

// arrived holds that the application was told of them, of a policy, and of these
// methods.
func (c *caller) arrived(acr string, amr ...string) {
	c.Helper()
	told := c.arrives()
	var methods []string
	if err := json.Unmarshal([]byte(told["amr"]), &methods); err != nil || fmt.Sprint(methods) != fmt.Sprint(amr) || told["acr"] != acr || told["sub"] != c.id {
		c.Errorf("the application is told %v (%v), want acr %s and amr %s of %s", told, err, acr, amr, c.id)
	}
}

// leaves signs out.
func (c *caller) leaves() {
	c.Helper()
	c.Follow("#sign-out")
	if c.Text("h1") != "You are signed out" {
		c.Fatalf("after signing out: %s", c.Text("body"))
	}
}

// sent is the code in the next message to an address or a number that has one.
func (c *caller) sent(to string) (code string) {
	c.Helper()
	for code == "" { // notices have none
		code = regexp.MustCompile(`\b\d{3} ?\d{3}\b`).FindString(c.message(to))
	}
	return strings.ReplaceAll(code, " ", "")
}

// message is the text of the next message to an address or a number.
func (c *caller) message(to string) (text string) {
	c.Helper()
	if c.mail != nil {
		return c.mail.Wait(c.T, to).Text
	}
	within(c.T, 15*time.Second, "a message to "+to, func() bool {
		var got []demo.Mail
		for _, m := range c.outbox() {
			if m.To == to {
				got = append(got, m)
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(got) <= c.read[to] {
			return false
		}
		c.read[to]++
		text = got[len(got)-c.read[to]].Text // the youngest is the first
		return true
	})
	return text
}

func (c *caller) outbox() (out []demo.Mail) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.node.Base+demo.OutboxPath, nil)
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	client := c.node.Client(nil)
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		c.Fatal(err)
	}
	return out
}
