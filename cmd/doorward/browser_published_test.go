package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"doorward/internal/browsertest"
	visit "doorward/internal/journey"
)

// gallery is the form of the gallery, which has a field of every sort.
const gallery = "gallery_form"

// onScreen is a room of which the definitions are walked in a browser.
type onScreen struct {
	*room
	browser *browsertest.Browser
	look    browsertest.Look
	asked   map[string]string // definitions that show a form, by its file
	walkers int
	filled  map[string]bool // types of inputs
}

// TestPublishedBodiesInABrowser opens every published form and definition in a
// browser, fills in what is asked, wrongly at first, and looks at where it leads.
// Forms and definitions are in a deployment each, at the same time.
func TestPublishedBodiesInABrowser(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*onScreen){"forms": (*onScreen).fillsAllIn, "definitions": (*onScreen).walksAll} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBrowser(t, test)
		})
	}
}

func onBrowser(t *testing.T, test func(*onScreen)) {
	t.Helper()
	x := apart(t)
	app := httptest.NewServer(page("<h1>Landed</h1>"))
	defer app.Close()
	s := &onScreen{room: x.room(admin, shop4), browser: browsertest.Start(t), asked: map[string]string{}, filled: map[string]bool{}}
	s.host = app.URL
	s.shop = s.behind()
	defer s.clear()
	for _, password := range []string{fillersFirst, fillersSecond, walkersFirst, walkersSecond, wrongPassword} {
		x.trail.Secret("password", password)
	}
	s.user(filler+"-on-screen", fillersFirst)
	test(s)
}

// fillsAllIn is every form, with scripts and without.
func (s *onScreen) fillsAllIn() {
	for mode, look := range map[string]browsertest.Look{"with scripts": {}, "without scripts": {NoScript: true}} {
		s.look = look
		s.visit(func(v *window) {
			for _, file := range append(publishedFiles(s.x.T, "../../runtime/form/testdata/*-form-*.json"), gallery) {
				s.x.part(mode+" "+file, func() { v.fillsIn(file) })
			}
		})
	}
	for _, input := range []string{"text", "email", "tel", "password", "radio", "checkbox", "select-one"} {
		if !s.filled[input] {
			s.x.Errorf("no %s was filled in", input)
		}
	}
}

// walksAll is every definition, with scripts, and those that ask for a second factor
// without them too: TestBrowserJourneys walks the demo's like ones so.
func (s *onScreen) walksAll() {
	for _, file := range slices.Sorted(maps.Keys(walked())) {
		s.x.part(file, func() { s.walks(file, walked()[file]) })
	}
	s.look = browsertest.Look{NoScript: true}
	for _, file := range slices.Sorted(maps.Keys(scriptless())) {
		s.x.part("without scripts "+file, func() { s.walks(file, scriptless()[file]) })
	}
}

// walks goes through a definition, as somebody new each time.
func (s *onScreen) walks(file string, walks []func(*tour)) {
	s.x.Helper()
	id := s.definition(s.fitted(file))
	for _, walk := range walks {
		s.walkers++
		s.visit(func(v *window) {
			walk(&tour{room: s.room, face: v, file: file, id: id, name: fmt.Sprintf("stroller-%d", s.walkers)})
		})
	}
}

// fillsIn walks a form to each of its ends.
func (v *window) fillsIn(file string) {
	s := v.s
	s.x.Helper()
	body, g := s.body(file), s.x.filling(filler+"-on-screen")
	want := g.handed(body)
	if file == gallery {
		g.travels(want)
	}
	if s.asked[file] == "" {
		s.asked[file] = s.definition(s.handing(s.make("/forms", body), body))
	}
	address := s.begins(s.asked[file], s.shop)
	v.Open(address)
	if v.sound(); v.Header("Content-Language") != "en" {
		s.x.Errorf("%s is in %s", file, v.Header("Content-Language"))
	}
	v.nothing()
	v.sound()
	if v.wrongly(g) {
		v.sound()
	}
	v.fill(g)
	v.Follow(primary)
	v.landed(s.shop, want)
	for _, key := range buttons(body) {
		v.Open(address)
		v.Follow(`[name="key"][value="` + key + `"]`)
		v.landed(s.shop, url.Values{"by": {key}})
	}
	v.quiet()
}

// body is a published form, or that of the gallery: with an agreement there is
// here, and without the proof that somebody is a person, which has its own test.
func (s *onScreen) body(file string) map[string]any {
	s.x.Helper()
	if file != gallery {
		return s.reference(file)
	}
	b, err := os.ReadFile("../../forms/" + gallery + ".json")
	if err != nil {
		s.x.Fatal(err)
	}
	form := s.x.mustJSON([]byte(strings.ReplaceAll(string(b), "a0000000-0000-4000-8000-000000000001", s.agreement())))
	parts, _ := form["components"].(map[string]any)
	fields, _ := parts["fields"].([]any)
	parts["fields"] = slices.DeleteFunc(fields, func(f any) bool { return memberOf(f, "type") == "RECAPTCHA_V2" })
	return form
}

// travels answers what the gallery asks, and says what becomes of that.
func (g *guest) travels(want url.Values) {
	for name, v := range map[string][2]string{ // what is typed or chosen, and what is handed on
		"trip.day": {"Saturday", "sat"}, "trip.people": {"2", "2"}, "trip.class": {"2", "2"}, "user.mobilePhone": {"0151 23456789", "+4915123456789;ext=12"},
		"trip.city": {"", "Braga"}, "trip.meal": {"fish", "fish"}, "terms": {"true", "true"}, "news": {"true", "true"}, "pin": {"Voucher-1234", ""},
	} {
		g.answers[name] = v[0]
		if v[1] != "" {
			want.Set(name, v[1])
		}
	}
	g.answers["user.mobilePhoneExtension"], g.answers["trip.cityOther"] = "12", "Braga"
	g.answers["trip.extras.0"], g.answers["trip.extras.2"] = "window", "quiet"
}

// begins is the address of an experience that comes back to an application.
// parameters are names and values in turn.
func (s *onScreen) begins(definition string, app visit.App, parameters ...string) string {
	query := url.Values{"redirectUri": {app.RedirectURI}}
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	return s.x.site.Base + "/" + app.Env + "/experiences/" + definition + "?" + query.Encode()
}

// visit is what somebody new does at a browser, who then leaves it.
func (s *onScreen) visit(do func(v *window)) {
	s.x.Helper()
	here := &lasting{TB: s.x.T}
	defer func() {
		for _, end := range slices.Backward(here.ends) {
			end()
		}
	}()
	v := &window{Tab: s.browser.Visitor(here, s.look), s: s}
	do(v)
	v.quiet()
}

// quiet holds that the browser has nothing to complain of, but for a value of
// autocomplete that Chromium does not know and HTML does: nickname. Source: HTML
// 4.10.18.7.1; WCAG 2.2 section 7.
func (v *window) quiet() {
	v.s.x.Helper()
	for _, p := range v.Problems()[v.heard:] {
		v.heard++
		if !v.nickname || !strings.Contains(p, "FormInputHasWrongButWellIntendedAutocompleteValueError") {
			v.s.x.Errorf("the browser says: %s", p)
		}
	}
}

// landed holds that the browser is back at the application, with these parameters.
func (v *window) landed(app visit.App, want url.Values) {
	v.s.x.Helper()
	if got, _ := url.Parse(v.URL()); v.URL() != app.RedirectURI+"?"+got.RawQuery || got.Query().Encode() != want.Encode() {
		v.s.x.Fatalf("the browser is at %s, want %s?%s: %s", got, app.RedirectURI, want.Encode(), v.Text("body"))
	}
}

// asks is an authorization request, as an application sends a browser with it. It
// returns the code that the browser comes back with; empty when there is none.
func (v *window) asks(ask visit.Ask, fill func()) string {
	v.s.x.Helper()
	v.Open(v.s.x.site.Base + "/" + ask.App.Env + "/as/authorize?" + ask.Query.Encode())
	fill()
	back, err := url.Parse(v.URL())
	if err != nil || !strings.HasPrefix(v.URL(), ask.App.RedirectURI+"?") || back.Query().Get("state") != ask.Query.Get("state") {
		v.s.x.Fatalf("the browser is at %s: %s", v.URL(), v.Text("body"))
	}
	if e := back.Query().Get("error"); e != "" && e != "login_required" {
		v.s.x.Fatalf("the application is told %s", back)
	}
	return back.Query().Get("code")
}

func (v *window) signOn(w *tour, g *guest) {
	w.x.Helper()
	if v.asks(w.shop.Ask(), func() { v.through(g) }) == "" {
		w.x.Fatalf("%s: nobody is signed on", w.file)
	}
}

func (v *window) to(w *tour, g *guest, app visit.App) map[string]any {
	w.x.Helper()
	ask, fill := app.Ask(), func() { v.through(g) }
	if !w.policy() {
		v.Open(v.s.begins(w.id, app, w.parameters()...))
		fill()
		back, _ := url.Parse(v.URL())
		v.landed(app, url.Values{"flowExecutionId": {back.Query().Get("flowExecutionId")}})
		ask, fill = app.Ask("prompt", "none"), func() {}
	}
	code := v.asks(ask, fill)
	if code == "" {
		return nil
	}
	return w.x.device().Redeem(ask, code).Tokens().Claims(w.x)
}

// through goes from page to page until the application is reached.
func (v *window) through(g *guest) {
	v.s.x.Helper()
	var titles []string
	for !strings.HasPrefix(v.URL(), v.s.host+"/") {
		title := v.Text("h1")
		if titles = append(titles, title); slices.Contains(titles[:len(titles)-1], title) {
			v.s.x.Fatalf("after %q: %s", titles, v.Text("body"))
		}
		if v.Status() != http.StatusOK {
			v.s.x.Fatalf("%q comes with %d: %s", title, v.Status(), v.Text("body"))
		}
		if v.sets(g) {
			continue
		}
		if !v.s.look.NoScript { // forms have been filled in wrongly without scripts as well
			v.nothing()
			v.wrongly(g)
		}
		v.fill(g)
		v.Follow(primary)
	}
}
