package main_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorward/configs"
	"doorward/demo"
	"doorward/internal/browsertest"
	"doorward/internal/nodetest"
)

const (
	journeysApp  = "d0000000-0000-4000-8000-0000000000a4" // of the demo
	membersApp   = "d0000000-0000-4000-8000-000000000605" // its sign-on leads to a registration of its own
	registration = "d0000000-0000-4000-8000-000000000103"
	consent      = "d0000000-0000-4000-8000-000000000107"
	formSignOn   = "d0000000-0000-4000-8000-00000000010b"
	recovery     = "d0000000-0000-4000-8000-00000000010d"
	captchaed    = "d0000000-0000-4000-8000-000000000602"
	closed       = "d0000000-0000-4000-8000-000000000603"
)

// people are those who walk the journeys beside the demo's own, a pair for each
// journey, since what is agreed to or set anew stays so.
func people(files map[string]string, user func(last, name, more string) string) {
	for i, name := range []string{
		"carol", "carla", "clara", "corin", "dora", "doris", "edda", "edgar", "fritz", "frida", "greta", "gerd", "hanna", "hans", "irma", "ivo",
		"jonas", "jule", "karl", "kira",
	} {
		files["demo/users/"+name+".json"] = user(strconv.Itoa(40+i), name, `, "emailVerified": true, "email": "`+name+`@example.com"`)
	}
	for name, like := range map[string][4]string{"albert": {"alan", "Alan", "f3", "f7"}, "gudrun": {"grace", "Grace", "f2", "f8"}} {
		files["demo/users/"+name+".json"] = strings.NewReplacer(like[0], name, like[2]+`"`, like[3]+`"`).Replace(files["demo/users/"+like[0]+".json"])
	}
}

// journeys are the demo's, for the application of the stage.
func (s *stage) journeys() *demo.Journeys {
	j := &demo.Journeys{ClientID: journeysApp, ClientSecret: "demo-journeys-secret", RedirectURI: s.app + demo.JourneyCallbackPath}
	readFolder(s.tb, configs.Demo, func(name, content string) {
		var d struct {
			ID, Name string
			Trigger  struct{ Type string }
		}
		if strings.Contains(name, "/users/") {
			return
		}
		if err := json.Unmarshal([]byte(content), &d); err != nil {
			s.tb.Fatal(name, err)
		}
		switch {
		case d.Trigger.Type == "EXPERIENCE":
			j.Experiences = append(j.Experiences, demo.Experience{Name: d.Name, Address: s.experience(d.ID)})
		case strings.Contains(name, "/signOnPolicies/") && d.Name != "Single_Factor":
			j.Policies = append(j.Policies, d.Name)
		}
	})
	return j
}

// experience is where a link begins one.
func (s *stage) experience(id string) string {
	return s.address("/experiences/"+id, url.Values{"redirectUri": {s.home()}})
}

// outing is a journey of the demo's page, from its link to its last button. It
// returns that button; empty when there is none.
type outing struct {
	link     string // its text
	pair     [2]string
	begin    func(player, *browsertest.Tab) // what comes before; nil: nothing
	through  func(p player, tab *browsertest.Tab, name string) string
	error    string // code that it ends with
	stranger bool   // nobody is signed on by it
}

func outings() []outing {
	return append([]outing{
		{link: "Basic (experience)", through: nothing, stranger: true},
		{link: "Registration (experience)", pair: [2]string{"quinn", "quirin"}, through: player.registers},
		{link: "Agreement consent (experience)", pair: [2]string{"carol", "carla"}, through: player.agrees},
		{link: "Agreement consent (experience)", pair: [2]string{"irma", "ivo"}, through: player.declines, error: "CONSENT_DECLINED", stranger: true},
		{link: "Agreement reconsent (experience)", pair: [2]string{"edda", "edgar"}, begin: player.signsOnFirst, through: player.agreesAgain},
		{link: "Sign on (experience)", pair: [2]string{"clara", "corin"}, through: player.signsOn},
		{link: "Sign on (experience)", pair: [2]string{"alan", "albert"}, through: resets("Expired-Horse-9")},
		{link: "Sign on (experience)", pair: [2]string{"grace", "gudrun"}, through: resets("Temporary-Horse-9")},
		{link: "Password recovery (experience)", pair: [2]string{"greta", "gerd"}, through: player.recovers},
		{link: "Voucher (experience)", through: player.redeems, stranger: true},

		{link: "Basic", pair: [2]string{"clara", "corin"}, through: player.logsIn},
		{link: "Registration", pair: [2]string{"rosa", "roman"}, through: player.registers},
		{link: "Registration_with_consent", pair: [2]string{"selma", "samuel"}, through: player.registersAndAgrees},
		{link: "Agreement_consent", pair: [2]string{"dora", "doris"}, through: player.agrees},
		{link: "Agreement_reconsent", pair: [2]string{"fritz", "frida"}, through: player.logsInAndAgrees},
		{link: "Sign_on", pair: [2]string{"clara", "corin"}, through: player.signsOn},
		{link: "Password_recovery", pair: [2]string{"hanna", "hans"}, through: player.recovers},
	}, factorOutings()...)
}

// TestBrowserJourneys walks every journey of the demo's page.
func TestBrowserJourneys(t *testing.T) {
	t.Parallel()
	both(t, func(p player) {
		p.act("all are walked", allAreWalked)
		for _, w := range outings() {
			p.act(w.link+" "+w.error+strings.Join(w.pair[:], " or "), w.play)
		}
		for name, play := range map[string]func(player){
			"a sign-on leads to a registration and back": playLink,
			"people are told from programs":              playCaptcha,
			"an end in the operator's words":             playClosed,
			"a form in another language":                 playFormGerman,
		} {
			p.act(name, play)
		}
	})
}

// allAreWalked holds that the walks are those of the real demo's page.
func allAreWalked(p player) {
	node := nodetest.Start(p.T, nodetest.Options{})
	tab := p.visit()
	tab.Open(node.Base + demo.HomePath)
	const links = `[...document.querySelectorAll("#experiences a, #policies a")].map(a => a.innerText).sort()`
	want := browsertest.Eval[[]string](tab, links)
	tab.Open(p.home())
	if here := browsertest.Eval[[]string](tab, links); !slices.Equal(here, want) {
		p.Errorf("here are %q, the demo has %q", here, want)
	}
	var walked []string
	for _, w := range outings() {
		walked = append(walked, w.link)
	}
	slices.Sort(walked)
	if walked = slices.Compact(walked); !slices.Equal(walked, want) || len(want) != 20 {
		p.Errorf("%q are walked of %q", walked, want)
	}
}

// play walks from the demo's page, presses the last button twice, and looks at
// where it has come to.
func (w outing) play(p player) {
	tab, name := p.visit(), p.own(w.pair[0], w.pair[1])
	if w.begin != nil {
		w.begin(p, tab)
	}
	tab.Open(p.home())
	tab.Follow(browsertest.Eval[string](tab, `(a => a.parentNode.parentNode.id && "#" + a.parentNode.parentNode.id + " a[href='" + a.getAttribute("href") + "']")([...document.querySelectorAll("#experiences a, #policies a")].find(a => a.innerText === `+strconv.Quote(w.link)+`))`))
	ended, end := p.events("FLOW.COMPLETED"), demo.HomePath
	if last := w.through(p, tab, name); last != "" {
		tab.DoubleClick(last, 0)
	}
	tab.Await(`location.pathname === "` + end + `" && document.querySelector("#done, #error, #sign-out, #sign-on")`)
	experience, most := strings.HasSuffix(w.link, "(experience)"), 1
	if p.look.NoScript && !experience && tab.Has("#sign-on") {
		// The second click came while the application was answering the first, and with
		// that answer the browser dropped the application's cookie. Nothing is asked again.
		tab.Follow("#sign-on")
		most++
	}
	switch {
	case experience && w.error == "":
		if !tab.Has("#done") || !strings.Contains(tab.URL(), "flowExecutionId=") {
			p.Errorf("ended at %s: %s", tab.URL(), tab.Text("main"))
		}
	case w.error != "":
		if tab.Text("#error") != w.error {
			p.Errorf("ended at %s: %s", tab.URL(), tab.Text("main"))
		}
	default:
		p.signedOn(tab)
	}
	if n := p.events("FLOW.COMPLETED") - ended; n > most {
		p.Errorf("%d executions were completed", n)
	}
	w.over(p, tab)
}

// over holds that nothing comes of the end when it is loaded again, of the pages
// that were left, or of the next sign-on, which asks nobody it knows.
func (w outing) over(p player, tab *browsertest.Tab) {
	p.Helper()
	here, replayed := tab.URL(), p.events("OIDC.CODE_REPLAYED")
	tab.Open(here)
	if tab.URL() != here || tab.Status() != http.StatusOK {
		p.Errorf("%s loaded again is %d %s", here, tab.Status(), tab.URL())
	}
	tab.Back()
	if p.look.NoScript && strings.HasPrefix(tab.URL(), "chrome-error:") { // the browser asks whether to submit again
		tab.Back()
	}
	behind := `location.pathname === "` + demo.HomePath + `" && document.readyState === "complete"`
	if w.error != "" { // the page that tells why
		behind = `document.querySelector("h1").innerText === "We could not sign you on"`
	}
	tab.Await(behind)
	if tab.Has("form:not([action^='/demo/'])") {
		p.Errorf("behind the end there is %s", tab.Text("body"))
	}
	if n := p.events("OIDC.CODE_REPLAYED") - replayed; n != 0 {
		p.Errorf("a code was presented again %d times", n)
	}
	tab.Open(p.start(""))
	if w.stranger {
		if !tab.Has("#password") {
			p.Errorf("somebody is signed on: %s", tab.Text("body"))
		}
		return
	}
	p.signedOn(tab)
	tab.Follow("#sign-out")
	if tab.Text("h1") != "You are signed out" {
		p.Errorf("after signing out: %s %s", tab.URL(), tab.Text("body"))
	}
}
