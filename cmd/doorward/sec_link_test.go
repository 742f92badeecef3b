package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
	"doorward/internal/optest"
)

// Somebody new gets an account, and the next time signs on to it.
func TestSec_LINK_newcomers(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	var subject any
	for i, given := range []string{"Mara", "Marah"} {
		f := a.sent(a.browser(), openHouse, "Mara@Honest.Example")
		if got := a.back(f, a.signsOn(f, mara(map[string]any{"given_name": given, "family_name": "Name " + given}))); got != completed {
			t.Fatalf("%d: the flow is %s", i, got)
		}
		claims := a.claims(f)
		if subject != nil && subject != claims["sub"] {
			t.Errorf("the second time it is %v, not %v", claims["sub"], subject)
		}
		subject = claims["sub"]
		if amr := claims["amr"]; amr != nil {
			t.Errorf("amr is %v", amr)
		}
		u := a.user(subject)
		if u["username"] != "mara" || u["email"] != "mara@honest.example" || memberOf(u, "name", "given") != given || memberOf(u, "name", "family") != "Name Mara" || memberOf(u, "population", "id") != "e8000000-0000-4000-8000-0000000000b2" {
			t.Errorf("%d: the user is %v", i, u)
		}
	}
	links := a.via(0).do(http.MethodGet, "/users/"+subject.(string)+"/linkedAccounts", nil).Is(200).Body
	if !strings.Contains(string(links), `"mara-at-honest"`) || !strings.Contains(string(links), honest) {
		t.Errorf("linked are %s", links)
	}
	c := a.browser()
	f := a.sent(c, closedHouse, "mara@honest.example") // linked once, it is enough everywhere
	if got := a.back(f, a.signsOn(f, mara(nil))); got != completed {
		t.Fatalf("the flow is %s", got)
	}
	a.claims(f)

	// Who has no password here proves it there again, and nobody in their place.
	f = c.Start(openHouse.Ask("prompt", "login"))
	if _, to := a.way(f); to.Query().Get("prompt") != "login" || to.Query().Get("login_hint") != "mara" {
		t.Errorf("asked again by %s", to)
	}
	if got := a.back(f, a.signsOn(f, mara(map[string]any{"sub": "somebody-else", "preferred_username": "else", "email": "else@honest.example"}))); got != away {
		t.Errorf("somebody else there: %s", got)
	}
	g := a.sent(a.browser(), openHouse, "nell@honest.example")
	nell := map[string]any{"sub": "nell-at-honest", "preferred_username": "nell", "email": "nell@honest.example", "given_name": "Nell"}
	if got := a.back(g, a.signsOn(g, mara(nell))); got != completed {
		t.Fatalf("another newcomer: %s", got)
	}
	nell["given_name"] = "Nelly"
	if got := a.back(f, a.signsOn(f, mara(nell))); got != away {
		t.Errorf("somebody else who is known here: %s", got)
	}
	if given := memberOf(a.user(a.claims(g)["sub"]), "name", "given"); given != "Nell" {
		t.Errorf("whom the sign-on is not of is called %v by it", given)
	}
	if got := a.back(f, a.signsOn(f, mara(map[string]any{"auth_time": time.Now().Add(-time.Hour).Unix()}))); got != away {
		t.Errorf("an hour ago there: %s", got)
	}
	if got := a.back(f, a.signsOn(f, mara(nil))); got != completed || a.claims(f)["sub"] != subject {
		t.Errorf("asked again: %s", got)
	}

	// Nobody else gets an account then, though the provider has a population for newcomers.
	c = a.browser()
	noel := map[string]any{"sub": "noel-at-rival", "preferred_username": "noel", "email": "noel@rival.example", "email_verified": true}
	f = a.sent(c, closedHouse, "noel@rival.example")
	if got := a.back(f, a.signsOn(f, noel)); got != completed {
		t.Fatalf("a newcomer of the provider's population: %s", got)
	}
	accounts := a.linked()
	f = c.Start(closedHouse.Ask("prompt", "login"))
	if got := a.back(f, a.signsOn(f, map[string]any{"sub": "olga-at-rival", "preferred_username": "olga"})); got != away || a.linked() != accounts {
		t.Errorf("somebody new in the place of who was asked again: %s, %d accounts are linked", got, a.linked())
	}

	// An address that is kept up to date is not taken from whose it is.
	for _, row := range []struct{ says, has string }{
		{"Mara@Honest.Example", "noel@rival.example"}, {"Noel@rival.example", "Noel@rival.example"}, {"noel.new@rival.example", "noel.new@rival.example"},
	} {
		noel["email"] = row.says
		g = a.sent(a.browser(), closedHouse, "noel@rival.example")
		if got := a.back(g, a.signsOn(g, noel)); got != completed {
			t.Fatalf("with the address %s: %s", row.says, got)
		}
		if has := a.user(a.claims(g)["sub"])["email"]; has != row.has {
			t.Errorf("the address %s makes %v", row.says, has)
		}
	}

	// Whom an administrator has locked out signs on nowhere.
	a.via(0).act(http.MethodPost, "/users/"+subject.(string), "account.lock", nil).Is(200)
	f = a.sent(a.browser(), closedHouse, "mara@honest.example")
	if got := a.back(f, a.signsOn(f, mara(nil))); got != failed {
		t.Errorf("locked: %s", got)
	}
}

// An address is not a proof: whose account it is shows by the password, and the link is
// made when everything is proven. Cases LINK-UNVERIFIED and LINK-DEVICE-STEPUP.
func TestSec_LINK_UNVERIFIED(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	ruth := func(verified any) map[string]any {
		claims := mara(map[string]any{"sub": "ruth-at-honest", "preferred_username": "ruth.away", "email": "ruth@home.example"})
		if claims["email_verified"] = verified; verified == nil {
			delete(claims, "email_verified")
		}
		return claims
	}
	for _, verified := range []any{false, nil, "true", "1", true} {
		f := a.sent(a.browser(), openHouse, "ruth@honest.example")
		if got := a.back(f, a.signsOn(f, ruth(verified))); got != linking {
			t.Fatalf("with email_verified %v: %s", verified, got)
		}
		if to := f.Resume().Is(302).Location(); !strings.HasSuffix(to.Path, "/signon/") {
			t.Errorf("it resumes at %s", to)
		}
	}
	f := a.sent(a.browser(), openHouse, "ruth@honest.example")
	if got := a.back(f, a.signsOn(f, ruth(true))); got != linking {
		t.Fatal(got)
	}
	if body := string(f.Get().Is(200).Body); !strings.Contains(body, `"identityProvider":{"id":"`+honest+`","name":"Honest","type":"OPENID_CONNECT"}`) {
		t.Errorf("what is to be linked is not named, or can be left for again: %s", body)
	}
	f.Act("usernamePassword.check", map[string]string{"username": "ruth", "password": "Wrong-Wrong-Horse-8"}).Refused(400, "INVALID_DATA", "INVALID_CREDENTIALS@password")
	if n := a.linked(); n != 0 {
		t.Errorf("%d accounts are linked", n)
	}

	// A password alone does not link where the policy wants more.
	f = a.sent(a.browser(), strongHouse, "ruth@honest.example")
	if got := a.back(f, a.signsOn(f, ruth(true))); got != linking {
		t.Fatal(got)
	}
	if r := f.Act("usernamePassword.check", map[string]string{"username": "ruth", "password": "Ruth-Right-Horse-8"}).Flow(); r.Status == completed {
		t.Errorf("without a second factor: %s", r.Status)
	}
	if n := a.linked(); n != 0 {
		t.Errorf("half a proof has linked %d accounts", n)
	}

	// Nor does a reset hand the account to the next person.
	f = a.sent(a.browser(), closedHouse, "ruth@honest.example")
	if got := a.back(f, a.signsOn(f, ruth(true))); got != linking {
		t.Fatal(got)
	}
	f.Act("session.reset", nil).Is(200)
	f.Act("user.lookup", map[string]string{"username": "tess"}).Is(200)
	if r := f.Act("usernamePassword.check", map[string]string{"password": "Tess-Right-Horse-8"}).Is(200).Flow(); r.Status != completed || a.linked() != 0 {
		t.Errorf("after a reset: %s, %d accounts are linked", r.Status, a.linked())
	}

	f = a.sent(a.browser(), closedHouse, "ruth@honest.example")
	if got := a.back(f, a.signsOn(f, ruth(true))); got != linking {
		t.Fatal(got)
	}
	if r := f.Act("usernamePassword.check", map[string]string{"username": "ruth", "password": "Ruth-Right-Horse-8"}).Is(200).Flow(); r.Status != completed || a.linked() != 1 {
		t.Fatalf("%s, %d accounts are linked", r.Status, a.linked())
	}
	for told := ""; !strings.Contains(told, "an account at Honest was linked"); { // codes of before may come first
		told = a.mailed("ruth@home.example").Text
	}
	f = a.sent(a.browser(), closedHouse, "whatever@honest.example")
	if got := a.back(f, a.signsOn(f, ruth(true))); got != completed || a.claims(f)["sub"] != "e8000000-0000-4000-8000-0000000000f3" {
		t.Errorf("once linked: %s", got)
	}
}

// Who does not know the password here any more has it recovered, by a code that goes to
// the address here, and that links as well.
func TestSec_LINK_recovered(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	tess := mara(map[string]any{"sub": "tess-at-honest", "preferred_username": "tess.away", "email": "tess@honest.example"})
	f := a.sent(a.browser(), closedHouse, "tess@honest.example")
	if got := a.back(f, a.signsOn(f, tess)); got != linking {
		t.Fatal(got)
	}
	forgot(f, "tess").Is(200)
	recoverWith(f, "ABCD2345", "Tess-Other-Horse-9").Is(400)
	if n := a.linked(); n != 0 {
		t.Errorf("%d accounts are linked before anything is proven", n)
	}
	code := a.mailed("tess@home.example").Code()
	if r := recoverWith(f, code, "Tess-Other-Horse-9").Is(200).Flow(); r.Status != completed || a.linked() != 1 {
		t.Fatalf("%s, %d accounts are linked", r.Status, a.linked())
	}
	const id = "e8000000-0000-4000-8000-0000000000f2"
	if sub := a.claims(f)["sub"]; sub != id {
		t.Errorf("signed on is %v", sub)
	}
	f = a.sent(a.browser(), closedHouse, "tess@honest.example")
	if got := a.back(f, a.signsOn(f, tess)); got != completed || a.claims(f)["sub"] != id {
		t.Errorf("once linked: %s", got)
	}
}

// What comes back must be of this execution, this browser and this provider, once. Cases
// LINK-FORGED-CALLBACK and LINK-MIXUP.
func TestSec_LINK_FORGED_CALLBACK(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	mine, theirs := a.browser(), a.browser()
	f, g := a.sent(mine, openHouse, "mara@honest.example"), a.sent(theirs, openHouse, "noel@rival.example")
	good, other := a.signsOn(f, mara(nil)), a.signsOn(g, map[string]any{"sub": "victim", "preferred_username": "una", "email": "una@home.example", "email_verified": true})
	for _, p := range a.providers {
		p.Forget()
	}
	with := func(u *url.URL, set ...string) *url.URL {
		q := u.Query()
		for i := 0; i < len(set); i += 2 {
			if q.Del(set[i]); set[i+1] != "-" {
				q.Set(set[i], set[i+1])
			}
		}
		v := *u
		v.RawQuery = q.Encode()
		return &v
	}
	for name, forged := range map[string]*url.URL{
		"no state":             with(good, "state", "-"),
		"an empty state":       with(good, "state", ""),
		"a random state":       with(good, "state", f.ID+"."+strings.Repeat("A", 43)),
		"a state of nothing":   with(good, "state", "state"),
		"the other's state":    with(good, "state", other.Query().Get("state")),
		"my state, their code": with(other, "code", good.Query().Get("code")),
		"of another flow":      with(good, "state", noFlow+good.Query().Get("state")[36:]),
		"a state twice":        {Path: good.Path, RawQuery: good.RawQuery + "&state=" + url.QueryEscape(good.Query().Get("state"))},
		"another type":         {Path: strings.Replace(good.Path, "openid_connect", "google", 1), RawQuery: good.RawQuery},
		"another environment":  {Path: strings.Replace(good.Path, linkedEnv, noFlow, 1), RawQuery: good.RawQuery},
	} {
		if got := mine.Send(http.MethodGet, forged.RequestURI(), nil, nil); got.Status < 400 || got.Status >= 500 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := theirs.Send(http.MethodGet, good.RequestURI(), nil, nil); got.Status != 404 {
		t.Errorf("in another browser: %d %s", got.Status, got.Body)
	}
	for id, p := range a.providers {
		if asked := p.Asked(); len(asked) != 0 {
			t.Errorf("%s was asked %+v", id, asked)
		}
	}
	if got := f.Get().Flow().Status; got != away {
		t.Errorf("after all that the flow is %s", got)
	}

	// The answer of another issuer is refused before anybody is asked.
	if got := a.back(f, with(good, "iss", a.providers[rival].Issuer)); got != away || len(a.providers[honest].Asked()) != 0 {
		t.Errorf("with the rival's iss: %s", got)
	}
	if got := a.back(f, good); got != away { // its challenge is used up
		t.Errorf("a state that was answered: %s", got)
	}

	// To give up there leads back to the button, once.
	f = a.sent(mine, openHouse, "mara@honest.example")
	a.providers[honest].Refuse("access_denied")
	denied := a.signsOn(f, nil)
	for range 2 {
		if got := a.back(f, denied); got != away {
			t.Errorf("denied: %s", got)
		}
	}
	a.providers[honest].Refuse("")

	// A second arrival gets the answer of the first, and nobody is asked again.
	good = a.signsOn(f, mara(nil))
	a.providers[honest].Forget()
	for range 2 {
		if got := a.back(f, good); got != completed {
			t.Errorf("the flow is %s", got)
		}
	}
	if n := len(a.providers[honest].Asked(optest.TokenPath)); n != 1 {
		t.Errorf("the code was exchanged %d times", n)
	}
	mine.Send(http.MethodPost, "/"+linkedEnv+"/flows/"+g.ID, visit.Header("Content-Type", visit.ContentType("externalAuthentication.callback")), []byte(`{"code":"x"}`)).Refused(404, "NOT_FOUND")
	g.Act("externalAuthentication.callback", map[string]string{"code": other.Query().Get("code")}).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED@Content-Type")
}

// Every flaw of an ID token leaves the person where they were, with nobody changed. Case
// LINK-IDTOKEN; all its rows are judged in runtime/federation.
func TestSec_LINK_IDTOKEN(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	p := a.providers[honest]
	f := a.sent(a.browser(), openHouse, "mara@honest.example")
	for name, spoil := range map[string]func(*optest.Token){
		"another nonce":  func(t *optest.Token) { t.Claims["nonce"] = "x" },
		"another issuer": func(t *optest.Token) { t.Claims["iss"] = p.Issuer + "/" },
		"another client": func(t *optest.Token) { t.Claims["aud"] = "other" },
		"over":           func(t *optest.Token) { t.Claims["exp"] = time.Now().Add(-time.Hour).Unix() },
		"no subject":     func(t *optest.Token) { delete(t.Claims, "sub") },
	} {
		p.Spoil(spoil)
		if got := a.back(f, a.signsOn(f, mara(nil))); got != away {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := a.linked(); n != 0 {
		t.Errorf("%d accounts are linked", n)
	}
	if page := string(f.Send(http.MethodGet, f.Page(), nil, nil).Is(200).Body); !strings.Contains(page, "/rp/authenticate?") {
		t.Errorf("the page leads nowhere: %s", page)
	}
	p.Spoil(nil)
	if got := a.back(f, a.signsOn(f, mara(nil))); got != completed {
		t.Errorf("a good one: %s", got)
	}
}
