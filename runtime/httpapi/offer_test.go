package httpapi_test

import (
	"context"
	"strings"
	"testing"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
)

// offers leads people to a page, or nowhere.
type offers struct {
	page  string
	asked []string // users
}

func (o *offers) Offer(_ context.Context, b *configs.Bundle, v *flow.View) string {
	o.asked = append(o.asked, b.Environment().ID+" "+v.User.Username)
	return o.page
}

// TestWhoIsLedOverAnOffer: whoever has completed a sign-on by a form of a page, with a
// password, in a browser that says what it can. Nobody else is even looked at.
func TestWhoIsLedOverAnOffer(t *testing.T) {
	const page, able = "https://login.example/offer", "Cookie: ST=" + owner + "; PK=1"
	for name, tt := range map[string]struct {
		page   string
		change func(v *flow.View)
		ask    func(h *house) reply
		looked bool
	}{
		"by a form":                     {page, nil, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, able) }, true},
		"with nothing to offer":         {"", nil, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, able) }, true},
		"in a browser that says naught": {page, nil, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded) }, false},
		"in one that cannot": {page, nil, func(h *house) reply {
			return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, "Cookie: ST="+owner+"; PK=0")
		}, false},
		"without a password":     {page, func(v *flow.View) { v.AMR = []string{"hwk"} }, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, able) }, false},
		"from a page of our own": {page, func(v *flow.View) { v.Application = "" }, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, able) }, false},
		"in an experience":       {page, func(v *flow.View) { v.Definition, v.Redirect = "d", "https://shop.example.com/done" }, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "right"), urlencoded, able) }, false},
		"with a wrong password":  {page, nil, func(h *house) reply { return h.ask("POST", thisPage, signOnForm("ada", "wrong"), urlencoded, able) }, false},
		"by the flow API": {page, nil, func(h *house) reply {
			return h.ask("POST", thisFlow, `{"username":"ada","password":"right"}`, "Content-Type: "+check, able)
		}, false},
		"looking at one that was": {page, func(v *flow.View) { v.Status, v.User.ID = flow.Completed, "u" }, func(h *house) reply { return h.ask("GET", thisPage, "", able) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := &offers{page: tt.page}
			h := open(t, func(p *httpapi.Parts) { p.Offers = o }, nil)
			h.engine.view.AMR = []string{"pwd"}
			if tt.change != nil {
				tt.change(&h.engine.view)
			}
			r := tt.ask(h)
			led := r.Header.Get("Location") == page
			if looked := len(o.asked) == 1 && o.asked[0] == envID+" ada"; looked != tt.looked || len(o.asked) > 1 || led != (tt.looked && tt.page != "") {
				t.Errorf("%d, looked at %q, led to %q", r.StatusCode, o.asked, r.Header.Get("Location"))
			}
			if tt.looked && !led && !strings.Contains(r.Header.Get("Location"), "/as/resume?flowId="+flowID) {
				t.Errorf("led to %q", r.Header.Get("Location"))
			}
		})
	}
}

// TestAPasskeyOfNobodyIsToldToTheBrowser alone, and to no client of the flow API.
func TestAPasskeyOfNobodyIsToldToTheBrowser(t *testing.T) {
	h := open(t, nil, nil)
	h.engine.view.Offers = append(h.engine.view.Offers, flow.Offer{Name: "assertion.check", Fields: []flow.Field{
		{Name: "origin", Type: flow.TypeText}, {Name: "assertion", Type: flow.TypeCredential, Required: true},
	}})
	h.engine.view.Members = []flow.Member{{Name: "publicKeyCredentialRequestOptionsJSON", JSON: []byte(`{"challenge":"AA","rpId":"login.example"}`)}}
	f := flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "assertion", Message: "No."})
	f.Unknown = []byte{1, 2, 3}
	h.engine.err = f
	r := h.ask("POST", thisPage, form("_action", "assertion.check", "_token", "t1", "assertion", "{}", "origin", h.base), urlencoded)
	if r.StatusCode != 400 || !strings.Contains(r.body, `data-unknown="AQID"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	r = h.ask("POST", thisFlow, `{"assertion":"{}","origin":"x"}`, "Content-Type: application/vnd.pingidentity.assertion.check+json")
	if r.StatusCode != 400 || strings.Contains(r.body, "AQID") || strings.Contains(r.body, "nknown") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := h.ask("GET", thisPage, ""); strings.Contains(r.body, "data-unknown") {
		t.Error("it is told once more")
	}
}

// TestWhatTheOfferTakesIsTaken: where several kinds have an action of one name, and one of
// them lets its node say what it takes, a page's form is read as its offer says.
func TestWhatTheOfferTakesIsTaken(t *testing.T) {
	open1, closed := flow.Action{Name: "device.select", Open: true}, flow.Action{Name: "device.select", Fields: []flow.Field{{Name: "device.id", Type: flow.TypeText}}}
	for name, all := range map[string][]flow.Action{"the open one first": {open1, closed}, "the open one last": {closed, open1}} {
		h := open(t, func(p *httpapi.Parts) { p.Actions = all }, nil)
		h.engine.err = flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "device.id"})
		h.engine.view.Offers = []flow.Offer{{Name: "device.select", Fields: []flow.Field{{Name: "device.id", Type: flow.TypeText}, {Name: "compatibility", Type: flow.TypeText}}}}
		h.ask("POST", thisPage, form("_action", "device.select", "_token", "t1", "device.id", "d1", "compatibility", "FULL"), urlencoded)
		if seen := h.engine.seen(); len(seen) != 1 || seen[0].Values["compatibility"] != "FULL" || seen[0].Values["device.id"] != "d1" {
			t.Errorf("%s: the engine saw %+v", name, seen)
		}
	}
}
