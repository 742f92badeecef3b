package account_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// TestWhoIsLetIn: nobody sees a page who is not signed on, and nobody changes what
// matters without having shown a short time ago who they are. They are sent to do so,
// and what they come back to is a page.
func TestWhoIsLetIn(t *testing.T) {
	const device1 = "/devices/" + phone
	for _, tt := range []struct {
		page    string
		matters bool
	}{
		{"", false},
		{"/devices", false},
		{device1, false},
		{"/browsers", false},
		{"/sessions", false},
		{"/profile", false},
		{"/email", true},
		{"/phone", true},
		{device1 + "/remove", true},
		{"/add", true},
		{"/codes", true},
		{"/password", true},
	} {
		t.Run("page "+tt.page, func(t *testing.T) {
			w := newWorld(t)
			w.held = []device.Device{active(phone, device.SMS)}
			a := w.ask(http.MethodGet, tt.page, "", "Cookie", "ST=planted")
			if a.Code != http.StatusFound || len(w.started) != 1 || !strings.Contains(string(w.started[0].Request.Payload), `"`+tt.page+`"`) {
				t.Fatalf("a stranger: %d %s, %d executions", a.Code, to(a), len(w.started))
			}
			s := w.started[0]
			if s.Request.Application != "" || s.Request.ReturnTo != "https://login.example/"+envID+"/account/return" || s.Request.PiFlow {
				t.Errorf("begun as %+v", s.Request)
			}
			w.started, w.fresh = nil, false
			a = w.ask(http.MethodGet, tt.page, "")
			if asked := len(w.started) == 1 && w.started[0].Plans[0] == flow.Sum(string(policy.StepUp)); asked != tt.matters {
				t.Errorf("asked for more: %v; %d %s", asked, a.Code, to(a))
			}
			if a.Header().Get("Cache-Control") != "no-store" {
				t.Error("may be kept")
			}
		})
	}
}

// TestWhatIsPostedLate: a form that comes when the person is gone, or not sure any more,
// changes nothing and leads to its page.
func TestWhatIsPostedLate(t *testing.T) {
	w := newWorld(t)
	w.held = []device.Device{active(phone, device.SMS), active(key, device.FIDO2)}
	const page = "/devices/" + phone + "/remove"
	token := w.token(page)
	w.fresh = false
	if a := w.post(page, "remove", token); a.Code != http.StatusSeeOther || to(a) != "/account"+page {
		t.Errorf("not sure: %d %s", a.Code, to(a))
	}
	w.fresh, w.session = true, nil
	if a := w.post(page, "remove", token); a.Code != http.StatusSeeOther || to(a) != "/account"+page {
		t.Errorf("gone: %d %s", a.Code, to(a))
	}
	if len(w.did) > 0 {
		t.Errorf("done: %q", w.did)
	}
}

// TestFormsAreOurs: only a form that this session was shown is taken, sent by our page.
func TestFormsAreOurs(t *testing.T) {
	w := newWorld(t)
	good := w.token("/profile")
	w.session.ID = "s2"
	theirs := w.token("/profile")
	w.session.ID = "s1"
	once, mac, _ := strings.Cut(good, ".")
	body := func(token string) string { return "_action=profile&given=Eve&_token=" + token }
	for name, tt := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"of another site":          {body(good), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"of another host of ours":  {body(good), []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"of another origin":        {body(good), []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, http.StatusForbidden},
		"of no origin":             {body(good), []string{"Sec-Fetch-Site", "", "Origin", "null"}, http.StatusForbidden},
		"without a token":          {"_action=profile&given=Eve", nil, http.StatusForbidden},
		"with another session's":   {body(theirs), nil, http.StatusForbidden},
		"with half a token":        {body(once + "."), nil, http.StatusForbidden},
		"with the number changed":  {body("x" + once + "." + mac), nil, http.StatusForbidden},
		"that is JSON":             {`{"given":"Eve"}`, []string{"Content-Type", "application/json"}, http.StatusUnsupportedMediaType},
		"that says something else": {"_action=remove&_token=" + good, nil, http.StatusBadRequest},
		"that says it twice":       {body(good) + "&given=Eva", nil, http.StatusBadRequest},
	} {
		if a := w.ask(http.MethodPost, "/profile", tt.body, tt.header...); a.Code != tt.status {
			t.Errorf("a form %s: %d, not %d", name, a.Code, tt.status)
		}
	}
	if w.user.Given != "" {
		t.Errorf("kept: %q", w.user.Given)
	}
	w.session.ID = "s1" // the cookie may change meanwhile, the session does not
	if a := w.ask(http.MethodPost, "/profile", body(good)); a.Code != http.StatusSeeOther || w.user.Given != "Eve" {
		t.Errorf("a good one: %d, kept %q", a.Code, w.user.Given)
	}
}

// TestRemovals: what may go, what has to stay, and what goes along.
func TestRemovals(t *testing.T) {
	for name, tt := range map[string]struct {
		devices      []device.Type
		asks         bool
		passwordless bool
		says         string
		removed      int
	}{
		"one of several":                         {[]device.Type{device.SMS, device.TOTP}, true, false, "not be asked for it", 1},
		"the only one":                           {[]device.Type{device.SMS}, false, false, "only one", 1},
		"the only one, and the codes":            {[]device.Type{device.SMS, device.Recovery}, false, false, "only one", 2},
		"the only one where one is needed":       {[]device.Type{device.SMS, device.Recovery}, true, false, "cannot sign on here without", 0},
		"the codes":                              {[]device.Type{device.Recovery, device.SMS}, true, false, "not be asked for it", 1},
		"a passkey beside another way":           {[]device.Type{device.FIDO2, device.SMS}, false, false, "not be asked for it", 1},
		"the only passkey of no password":        {[]device.Type{device.FIDO2}, false, true, "only way you sign on", 0},
		"the same beside what is no first way":   {[]device.Type{device.FIDO2, device.SMS}, false, true, "only way you sign on", 0},
		"one of two passkeys, and no password":   {[]device.Type{device.FIDO2, device.SecurityKey}, false, true, "not be asked for it", 1},
		"a phone beside a passkey, no password":  {[]device.Type{device.SMS, device.FIDO2}, true, true, "not be asked for it", 1},
		"the only passkey where there are codes": {[]device.Type{device.FIDO2, device.Recovery}, false, false, "only one", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.asks = tt.asks
			if tt.passwordless {
				w.user.PasswordChangedAt = time.Time{}
			}
			for i, kind := range tt.devices {
				w.held = append(w.held, active([]string{phone, key}[i], kind))
			}
			page := "/devices/" + phone + "/remove"
			a := w.ask(http.MethodGet, page, "")
			if a.Code != http.StatusOK || !strings.Contains(a.Body.String(), tt.says) {
				t.Errorf("%d, does not say %q: %s", a.Code, tt.says, a.Body)
			}
			a = w.post(page, "remove", w.token("/profile"))
			if a.Code != http.StatusSeeOther || len(w.did) != tt.removed {
				t.Errorf("%d, done: %q", a.Code, w.did)
			}
			if tt.removed > 0 && w.did[len(w.did)-1] != "remove "+phone {
				t.Errorf("done: %q", w.did)
			}
			deleted := slices.DeleteFunc(slices.Clone(w.events), func(e flow.Event) bool { return e.Type != flow.DeviceDeleted })
			if len(deleted) != tt.removed {
				t.Errorf("%d events", len(deleted))
			}
		})
	}
}

// TestOnlyOnesOwnDevices: an id that is none of the person's own active devices is
// nothing, whatever is asked of it.
func TestOnlyOnesOwnDevices(t *testing.T) {
	w := newWorld(t)
	waiting := active(key, device.TOTP)
	waiting.Status = device.ActivationRequired
	w.held = []device.Device{active(phone, device.SMS), waiting}
	token := w.token("/profile")
	for _, id := range []string{key, paper, "x", "%2e%2e"} {
		for _, page := range []string{"/devices/" + id, "/devices/" + id + "/remove"} {
			if a := w.ask(http.MethodGet, page, ""); a.Code != http.StatusNotFound {
				t.Errorf("%s: %d", page, a.Code)
			}
			for _, action := range []string{"nickname", "first", "remove"} {
				if a := w.post(page, action, token, "nickname", "Mine"); a.Code != http.StatusNotFound {
					t.Errorf("%s, %s: %d", page, action, a.Code)
				}
			}
		}
	}
	if len(w.did) > 0 {
		t.Errorf("done: %q", w.did)
	}
}

// TestNamesAndOrder: what needs no proof is done as it is said.
func TestNamesAndOrder(t *testing.T) {
	w := newWorld(t)
	w.held = []device.Device{active(phone, device.SMS), active(key, device.FIDO2)}
	page := "/devices/" + key
	if a := w.post(page, "nickname", w.token(page), "nickname", " Blue key "); to(a) != "/account"+page+"?done=named" {
		t.Errorf("named: %d %s", a.Code, to(a))
	}
	if a := w.post(page, "nickname", w.token(page), "nickname", "a\nb"); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), `id="nickname-error"`) {
		t.Errorf("two lines: %d %s", a.Code, a.Body)
	}
	if a := w.post(page, "first", w.token(page)); to(a) != "/account/devices?done=first" {
		t.Errorf("put first: %d %s", a.Code, to(a))
	}
	if want := []string{"name " + key + " Blue key of " + ada, "order " + key + " " + phone}; !slices.Equal(w.did, want) {
		t.Errorf("done: %q, not %q", w.did, want)
	}
	if first := w.ask(http.MethodGet, "/devices/"+phone, "").Body.String(); strings.Contains(first, `value="first"`) {
		t.Error("what is first can be put first")
	}
}

// TestCodesOfOneForm: the same form makes the same codes, another one makes others.
func TestCodesOfOneForm(t *testing.T) {
	w := newWorld(t)
	if strings.Contains(w.ask(http.MethodGet, "/codes", "").Body.String(), `value="codes"`) {
		t.Error("codes stand in for nothing")
	}
	if a := w.post("/codes", "codes", w.token("/profile")); a.Code != http.StatusSeeOther || len(w.did) > 0 {
		t.Errorf("%d %q", a.Code, w.did)
	}
	w.held = []device.Device{active(phone, device.SMS)}
	token := w.token("/codes")
	first, again := w.post("/codes", "codes", token), w.post("/codes", "codes", token)
	if first.Code != http.StatusOK || tokens.ReplaceAllString(first.Body.String(), "") != tokens.ReplaceAllString(again.Body.String(), "") {
		t.Errorf("%d, then %d: %s", first.Code, again.Code, again.Body)
	}
}

// TestBrowsersAndSessions: what is ended is the person's own, and not where they are.
func TestBrowsersAndSessions(t *testing.T) {
	w := newWorld(t)
	w.trusted = []directory.Browser{{ID: "b1", Name: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", CreatedAt: noon()}}
	live := flow.Ledger{flow.PasswordProof(ada, noon())}
	w.sessions = []flow.Session{
		{ID: "s2", Proofs: live, RemoteIP: "192.0.2.7"},
		{ID: "s1", Proofs: live},
		{ID: "s3", Proofs: flow.Ledger{flow.PasswordProof(ada, noon().Add(-2*time.Hour))}}, // before the password was changed
		{ID: "s4", Proofs: live},
	}
	if a := w.post("/browsers", "forget", w.token("/browsers"), "id", "b1"); to(a) != "/account/browsers?done=forgotten" {
		t.Errorf("forgotten: %d %s", a.Code, to(a))
	}
	if a := w.post("/browsers", "forget", w.token("/browsers"), "id", "b2"); a.Code != http.StatusNotFound {
		t.Errorf("nobody's: %d", a.Code)
	}
	if a := w.post("/browsers", "forgetAll", w.token("/browsers")); to(a) != "/account/browsers?done=forgottenAll" {
		t.Errorf("forgotten: %d %s", a.Code, to(a))
	}
	shown := w.ask(http.MethodGet, "/sessions", "").Body.String()
	if strings.Count(shown, `class="browser"`) != 2 || strings.Count(shown, `value="end"`) != 1 || !strings.Contains(shown, "192.0.2.7") {
		t.Errorf("shown: %s", shown)
	}
	for id, want := range map[string][]string{"s1": nil, "nobody's": nil, "s2": {"revoke s2", "end s2", "revoke s2"}} {
		w.did = nil
		if a := w.post("/sessions", "end", w.token("/sessions"), "id", id); a.Code != http.StatusSeeOther || !slices.Equal(w.did, want) {
			t.Errorf("%s: %d %q", id, a.Code, w.did)
		}
	}
	w.did = nil
	w.post("/sessions", "endAll", w.token("/sessions"))
	if want := []string{"revoke s2", "end s2", "revoke s2", "revoke s3", "end s3", "revoke s3", "revoke s4", "end s4", "revoke s4"}; !slices.Equal(w.did, want) {
		t.Errorf("done: %q", w.did)
	}
}
