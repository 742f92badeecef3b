package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/demo"
	"doorward/internal/browsertest"
	visit "doorward/internal/journey"
	"doorward/internal/nodetest"
)

const voucherJourney = "d0000000-0000-4000-8000-000000000114" // of the demo

// redeems is the journey with a voucher, at a desk that works.
func (p player) redeems(tab *browsertest.Tab, _ string) string {
	p.Helper()
	tab.Follow(primary)
	if tab.Status() != http.StatusBadRequest || wrong(tab, "voucher") == "" {
		p.Errorf("%d %s", tab.Status(), tab.Text("body"))
	}
	fillIn(tab, "voucher", " welcome ")
	return primary
}

// counter is where vouchers are redeemed: the demo as it is started, with somebody
// at its page who makes the desk do well or badly.
type counter struct {
	*testing.T
	node     *nodetest.Node
	look     browsertest.Look
	tab      *browsertest.Tab
	operator *browsertest.Tab
}

// TestBrowserVouchers redeems vouchers while the desk does well and badly.
func TestBrowserVouchers(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for mode, look := range map[string]browsertest.Look{"with scripts": {}, "without scripts": {NoScript: true}} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := &counter{T: t, node: nodetest.Start(t, nodetest.Options{}), look: look, tab: browser.Visitor(t, look), operator: browser.Visitor(t, look)}
			c.redeems()
			c.waits()
			c.fails()
			c.goesOn()
			noProblems(t, c.tab)
			noProblems(t, c.operator)
		})
	}
}

// mood sets how the desk does, at the demo's page.
func (c *counter) mood(name string) {
	c.Helper()
	c.operator.Open(c.node.Base + demo.HomePath)
	c.operator.Click(`#desk input[value="` + name + `"]`)
	c.operator.Follow("#mood")
	if now := browsertest.Eval[string](c.operator, `document.querySelector("#desk input:checked").value`); now != name || c.operator.Status() != http.StatusOK {
		c.Fatalf("the desk is %s, want %s: %d", now, name, c.operator.Status())
	}
}

// begin goes to the form.
func (c *counter) begin(definition string) {
	c.Helper()
	c.tab.Open(c.node.Base + "/" + nodetest.Env + "/experiences/" + definition + "?" + url.Values{"redirectUri": {c.node.Base + demo.HomePath}}.Encode())
	if c.tab.Text("h1") != "Redeem a voucher" {
		c.Fatalf("%s: %s", c.tab.URL(), c.tab.Text("body"))
	}
}

func (c *counter) redeem(voucher string) {
	c.Helper()
	c.tab.Fill(named("voucher"), voucher)
	c.tab.Follow(primary)
}

// fits holds that a page is for everybody and every window.
func (c *counter) fits(tab *browsertest.Tab) {
	c.Helper()
	for _, width := range []int{390, 1280} {
		tab.Resize(browsertest.Look{Width: width, Height: 844})
		if n := tab.Overflow(); n > 0 {
			c.Errorf("%s: at %d pixels the page is %d too wide", tab.Text("h1"), width, n)
		}
	}
	for _, dark := range []bool{true, false} {
		tab.Resize(browsertest.Look{Dark: dark})
		if c.look.NoScript {
			continue
		}
		for _, v := range tab.Violations() {
			c.Errorf("%s, dark %t: %s", tab.Text("h1"), dark, v)
		}
	}
}

// accepted holds that the application has the voucher.
func (c *counter) accepted() {
	c.Helper()
	at, err := url.Parse(c.tab.URL())
	if err != nil || at.Path != demo.HomePath || at.Query().Get("discount") != "20" || !c.tab.Has("#done") {
		c.Errorf("ended at %s: %s", c.tab.URL(), c.tab.Text("body"))
	}
}

// ended holds that the journey is over, and that the page says why and nothing of
// whom was asked.
func (c *counter) ended(why string) {
	c.Helper()
	if all := c.tab.Text("main"); !strings.Contains(all, why) || c.tab.Has("form") || !c.tab.Has(primary) {
		c.Errorf("ended with %s, want %s", all, why)
	}
	c.tells()
	c.fits(c.tab)
}

// tells holds that a page tells nothing of the desk.
func (c *counter) tells() {
	c.Helper()
	source := browsertest.Eval[string](c.tab, "document.documentElement.outerHTML")
	for _, hidden := range []string{demo.DeskKey, "/desk", "vouchers?", "out of order", "HTTP", "INVOCATION", "TIMEOUT", "TOO_MANY"} {
		if strings.Contains(source, hidden) {
			c.Errorf("the page shows %q: %s", hidden, source)
		}
	}
}

// redeems: a good voucher is worth something, another one is refused.
func (c *counter) redeems() {
	c.Helper()
	c.operator.Open(c.node.Base + demo.HomePath)
	c.fits(c.operator)
	c.begin(voucherJourney)
	c.fits(c.tab)
	c.redeem("welcome")
	c.accepted()
	c.begin(voucherJourney)
	c.redeem("EXPIRED-1")
	c.ended("This voucher is not valid. Check the code that is printed on it.")
}

// waits: a slow desk is waited for, a dead one is not, and a broken one leaves the
// person where they are, with what they typed.
func (c *counter) waits() {
	c.Helper()
	c.mood("slow")
	c.begin(voucherJourney)
	began := time.Now()
	c.redeem("WELCOME")
	if took := time.Since(began); took < 3*time.Second {
		c.Errorf("a slow desk answered after %v", took)
	}
	c.accepted()
	c.mood("broken")
	c.begin(voucherJourney)
	for range 2 {
		c.redeem("WELCOME")
		if c.tab.Status() != http.StatusOK || value(c.tab, "voucher") != "WELCOME" || !strings.Contains(c.tab.Text("main"), "A service that is needed here") {
			c.Errorf("%d %s", c.tab.Status(), c.tab.Text("body"))
		}
		c.tells()
	}
	c.fits(c.tab)
	c.mood("works")
	c.tab.Follow(primary) // what was typed is still there
	c.accepted()
	c.mood("dead")
	c.begin(voucherJourney)
	began = time.Now()
	c.redeem("WELCOME")
	if took := time.Since(began); took < 7*time.Second || took > 16*time.Second {
		c.Errorf("a dead desk was waited for %v", took)
	}
	c.ended("The voucher desk did not answer in time. Your voucher is still good; try again in a while.")
}

// fails: a desk that has failed ten times is left alone for a while.
func (c *counter) fails() {
	c.Helper()
	c.mood("broken")
	c.begin(voucherJourney)
	tries := 0
	for ; c.tab.Has(named("voucher")) && tries < 12; tries++ {
		c.redeem("WELCOME")
	}
	if tries > 11 {
		c.Errorf("the desk was asked %d times", tries)
	}
	c.ended("Vouchers cannot be redeemed right now. Your voucher is still good; try again in a while.")
	c.mood("works")
	back := time.Now()
	for c.begin(voucherJourney); ; c.begin(voucherJourney) {
		if c.redeem("WELCOME"); c.tab.Has("#done") {
			break
		}
		if time.Since(back) > 15*time.Second { // 5, and what a loaded machine adds
			c.Fatalf("the desk is not asked again: %s", c.tab.Text("body"))
		}
		time.Sleep(200 * time.Millisecond)
	}
	c.accepted()
}

// goesOn: a journey that asks the desk twice says so when the first answer has
// taken the time of both.
func (c *counter) goesOn() {
	c.Helper()
	c.mood("slow")
	c.begin(c.twice())
	c.redeem("WELCOME")
	if c.tab.Text("h1") != "This takes a little longer" || c.tab.Text(primary) != "Continue" || !strings.Contains(c.tab.Text("main"), "What you entered is kept.") {
		c.Fatal(c.tab.Text("body"))
	}
	c.tells()
	c.fits(c.tab)
	c.tab.Open(c.tab.URL())
	c.mood("works")
	asked := strings.Count(c.node.Log(), "type=FLOW.COMPLETED ")
	c.tab.DoubleClick(primary, 0)
	c.tab.Await(`location.pathname === "` + demo.HomePath + `" && document.querySelector("#done")`)
	c.accepted()
	if n := strings.Count(c.node.Log(), "type=FLOW.COMPLETED ") - asked; n > 1 {
		c.Errorf("%d executions were completed", n)
	}
}

// twice is the voucher journey with a second call behind the first.
func (c *counter) twice() string {
	c.Helper()
	x := &trial{T: c.T, lab: &lab{site: visit.At(c.node)}}
	m := x.manager(visit.App{Env: nodetest.Env, ID: nodetest.Worker, Secret: nodetest.WorkerSecret})
	d := m.get("/flowDefinitions/" + voucherJourney)
	steps, _ := d["stepDefinitions"].(map[string]any)
	again := x.mustJSON(x.json(steps["askDesk"]))
	steps["again"] = again
	outlets, _ := memberOf(steps, "askDesk", "outlets").(map[string]any)
	outlets["INVOCATION_OUTPUT"] = next("again")
	return m.create("/flowDefinitions", map[string]any{"name": "Voucher twice", "enabled": true, "trigger": d["trigger"], "stepDefinitions": steps})
}
