package account_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/account"
	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/passkey"
)

const (
	rpID    = "login.example"
	ended   = "c0000000-0000-4000-8000-000000000001" // an execution
	page    = "/passkey?flow=" + ended
	resumes = "/as/resume?flowId=" + ended
)

func (w *world) Offers(string) (string, bool) { return rpID, w.on }

func (w *world) OfferPasskey(_ context.Context, who mfa.Who) (mfa.Offering, error) {
	w.do("offer " + who.UserID + " " + who.Effect)
	return mfa.Offering{Device: key, Asked: passkey.Options{Standard: []byte(`{"asked":1}`)}, Quiet: passkey.Options{Standard: []byte(`{"quiet":1}`)}}, w.enrolErr
}

func (w *world) Activate(_ context.Context, in mfa.Activation) (mfa.Verdict, error) {
	w.answered = append(w.answered, in)
	return w.verdict, nil
}

func (w *world) Party(_ context.Context, _, _ string, handle bool) (string, []byte, error) {
	if !handle {
		return "", nil, nil
	}
	return rpID, []byte("handle"), nil
}

func (w *world) PasskeyOffer(context.Context, string, string) (directory.PasskeyOffer, error) {
	return w.offered, nil
}

func (w *world) OfferedPasskey(_ context.Context, _, user string, since time.Time) error {
	w.do("asked " + user + " since " + since.Format(time.TimeOnly))
	return nil
}

func (w *world) AnswerPasskeyOffer(_ context.Context, _, user string, a directory.OfferAnswer) error {
	w.do("answered " + user + " " + string(a))
	return nil
}

func (w *world) View(context.Context, flow.Ref, flow.Caller) (flow.View, error) { return w.view, nil }

// PageToward implements account.Pages.
func (d drawing) PageToward(w http.ResponseWriter, b *configs.Bundle, status int, returnTo string, languages []string, draw func(*forms.Pages, forms.Setting) []byte) {
	w.Header().Set("Form-Target", returnTo)
	d.Page(w, b, status, languages, draw)
}

// newOffer is a world in which ada has just signed on to an application.
func newOffer(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.view = flow.View{
		Ref: flow.Ref{Env: envID, ID: ended}, Status: flow.Completed, Application: "app", User: flow.Subject{ID: ada, Username: "ada"}, ReturnTo: "https://shop.example/cb",
	}
	return w
}

// TestWhoIsOfferedAPasskey: whoever has come with a password, may add a device, has no
// passkey and has not been asked for a while. Anybody else goes where the sign-on was
// going, as if there were no page.
func TestWhoIsOfferedAPasskey(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(w *world)
		offered bool
	}{
		"who has signed on with a password":     {func(*world) {}, true},
		"who did so ten minutes ago":            {func(w *world) { w.now = noon().Add(10*time.Minute + time.Second) }, false},
		"who has proven something else":         {func(w *world) { w.session.Proofs[0].Authenticator = phone }, false},
		"whose password somebody else has told": {func(w *world) { w.session.Proofs[0].Subject = phone }, false},
		"who has to show a device first":        {func(w *world) { w.fresh = false }, false},
		"who has a passkey":                     {func(w *world) { w.offered.Parties = []string{rpID} }, false},
		"who has one for another party":         {func(w *world) { w.offered.Parties = []string{"other.example"} }, true},
		"who has as many as are allowed":        {func(w *world) { w.enrolErr = &flow.Fault{Code: flow.RequestFailed} }, false},
		"who is nobody":                         {func(w *world) { w.session = nil }, false},
		"who is somebody else":                  {func(w *world) { w.view.User.ID = phone }, false},
		"whose sign-on is not at its end":       {func(w *world) { w.view.Status = "OTP_REQUIRED" }, false},
		"whose sign-on has failed":              {func(w *world) { w.view.Status = flow.Failed }, false},
		"who came by a page of the account":     {func(w *world) { w.view.Application = "" }, false},
		"who came by an experience":             {func(w *world) { w.view.Definition = "d" }, false},
		"where nobody is":                       {func(w *world) { w.on = false }, false},
		"who wants never to be asked":           {func(w *world) { w.offered = directory.PasskeyOffer{Times: 1, Answer: directory.OfferNever} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOffer(t)
			tt.change(w)
			a := w.ask(http.MethodGet, page, "")
			if tt.offered {
				body := a.Body.String()
				if a.Code != http.StatusOK || !strings.Contains(body, "asked&#34;:1") && !strings.Contains(body, "asked&quot;:1") || !slices.Contains(w.did, "asked "+ada+" since 11:50:00") {
					t.Errorf("%d %q %s", a.Code, w.did, body)
				}
				if a.Header().Get("Form-Target") != "https://shop.example/cb" || len(w.events) != 1 || w.events[0].Type != flow.PasskeyOffered {
					t.Errorf("%v %v", a.Header(), w.events)
				}
				return
			}
			if a.Code != http.StatusSeeOther || to(a) != resumes || slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "asked") }) {
				t.Errorf("%d %q, done %q", a.Code, a.Header().Get("Location"), w.did)
			}
		})
	}
}

// TestPeopleAreAskedMoreAndMoreSeldom: a day, a week, a month and three after each offer,
// and not after the fifth. A page that is shown again is the same offer.
func TestPeopleAreAskedMoreAndMoreSeldom(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		times  int
		answer directory.OfferAnswer
		ago    time.Duration
		asked  bool
	}{
		{0, "", 0, true},
		{1, "", 9 * time.Minute, true},
		{1, "", 10 * time.Minute, false},
		{1, directory.OfferLater, 0, false},
		{1, "", day - time.Second, false},
		{1, "", day, true},
		{1, directory.OfferLater, day, true},
		{2, directory.OfferLater, 7*day - time.Second, false},
		{2, directory.OfferLater, 7 * day, true},
		{3, directory.OfferLater, 30*day - time.Second, false},
		{3, directory.OfferLater, 30 * day, true},
		{4, directory.OfferLater, 90*day - time.Second, false},
		{4, directory.OfferLater, 90 * day, true},
		{5, "", 0, true},
		{5, directory.OfferLater, 3650 * day, false},
		{5, "", 3650 * day, false},
		{1, directory.OfferNever, 3650 * day, false},
	} {
		w := newOffer(t)
		w.offered = directory.PasskeyOffer{Times: tt.times, Answer: tt.answer}
		if tt.times > 0 {
			w.offered.LastAt = noon().Add(-tt.ago)
		}
		led := w.face.Offer(t.Context(), w.bundle, &w.view)
		if (led != "") != tt.asked || led != "" && led != "https://login.example/"+envID+"/account"+page {
			t.Errorf("offer %d, %q, %s ago: led to %q", tt.times, tt.answer, tt.ago, led)
		}
		if a := w.ask(http.MethodGet, page, ""); (a.Code == http.StatusOK) != tt.asked {
			t.Errorf("offer %d, %q, %s ago: %d", tt.times, tt.answer, tt.ago, a.Code)
		}
	}
}

// TestTheWayOnIsTheSignOns: whatever the address says, the way on is that of an
// execution here.
func TestTheWayOnIsTheSignOns(t *testing.T) {
	w := newOffer(t)
	for _, query := range []string{
		"", "?flow=", "?flow=https://evil.example/", "?flow=" + strings.ToUpper(ended), "?flow=" + ended + "%23", "?flow=" + ended + "&flow=" + ended, "?flow=../" + ended,
		"?to=https://evil.example/", "?flow=//evil.example", "?flow=%7B" + ended + "%7D",
	} {
		if a := w.ask(http.MethodGet, "/passkey"+query, ""); a.Code != http.StatusNotFound || a.Header().Get("Location") != "" {
			t.Errorf("%q: %d %q", query, a.Code, a.Header().Get("Location"))
		}
	}
	token := w.token(page)
	for _, more := range []string{"&to=https://evil.example", "&redirect_uri=https://evil.example&returnTo=//evil.example"} {
		if a := w.post(page+more, "later", token); to(a) != resumes {
			t.Errorf("%s leads to %q", more, a.Header().Get("Location"))
		}
	}
	w.view.Status, w.session = "OTP_REQUIRED", nil
	if a := w.ask(http.MethodGet, page+"&to=https://evil.example", ""); to(a) != resumes {
		t.Errorf("a stranger is led to %q", a.Header().Get("Location"))
	}
}

// TestAnOfferIsAnswered: by a passkey, by none for now, or by none for ever; each by a form
// of our page alone, and then the sign-on goes on.
func TestAnOfferIsAnswered(t *testing.T) {
	made := []string{"id", key, "attestation", "made", "origin", "https://login.example", "quiet", ""}
	quietly := append(slices.Clone(made[:7]), "true")
	ok, refused := mfa.Verdict{OK: true, Events: []flow.EventType{flow.DeviceActivated}}, mfa.Verdict{Fault: flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "attestation"})}
	for name, tt := range map[string]struct {
		action  string
		typed   []string
		verdict mfa.Verdict
		status  int
		did     string
		event   flow.EventType
		reason  string
		quiet   bool
	}{
		"not now":                     {"later", nil, ok, http.StatusSeeOther, "answered " + ada + " LATER", flow.PasskeyDeclined, "LATER", false},
		"never":                       {"never", nil, ok, http.StatusSeeOther, "answered " + ada + " NEVER", flow.PasskeyDeclined, "NEVER", false},
		"a passkey":                   {"create", made, ok, http.StatusSeeOther, "", flow.DeviceActivated, "offer", false},
		"one that was made silently":  {"create", quietly, ok, http.StatusSeeOther, "", flow.DeviceActivated, "conditional create", true},
		"one that is not taken":       {"create", made, refused, http.StatusBadRequest, "asked " + ada + " since 11:50:00", "", "", false},
		"a silent one that is not":    {"create", quietly, refused, http.StatusOK, "asked " + ada + " since 11:50:00", "", "", true},
		"something else":              {"remove", nil, ok, http.StatusBadRequest, "", "", "", false},
		"an answer with more than it": {"later", []string{"to", "https://evil.example"}, ok, http.StatusBadRequest, "", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOffer(t)
			token := w.token(page)
			w.did, w.events, w.verdict = nil, nil, tt.verdict
			a := w.post(page, tt.action, token, tt.typed...)
			if a.Code != tt.status || tt.status == http.StatusSeeOther && to(a) != resumes {
				t.Fatalf("%d %q %s", a.Code, to(a), a.Body)
			}
			if tt.did != "" && !slices.Contains(w.did, tt.did) {
				t.Errorf("done: %q", w.did)
			}
			if tt.event != "" && (len(w.events) != 1 || w.events[0].Type != tt.event || w.events[0].Reason != tt.reason || w.events[0].User != ada) {
				t.Errorf("told: %+v", w.events)
			}
			if tt.action == "create" {
				in := w.answered[0]
				if in.Device != key || in.Attestation != "made" || in.Conditional != tt.quiet || in.UserID != ada || in.Effect == "" || in.Bytes != nil {
					t.Errorf("judged: %+v", in)
				}
			} else if len(w.answered) > 0 {
				t.Error("a passkey is judged")
			}
			if strings.Contains(a.Body.String(), "data-quiet") {
				t.Error("it is tried silently again")
			}
		})
	}
}

// TestAnswersAreOurs: no other page answers for a person, and what comes too late changes
// nothing.
func TestAnswersAreOurs(t *testing.T) {
	w := newOffer(t)
	token := w.token(page)
	body := url.Values{"_action": {"never"}, "_token": {token}}.Encode()
	w.did = nil
	for name, tt := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"of another site": {body, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"without a token": {"_action=never", nil, http.StatusForbidden},
		"with another":    {"_action=never&_token=" + strings.ToUpper(token), nil, http.StatusForbidden},
		"that is JSON":    {`{}`, []string{"Content-Type", "application/json"}, http.StatusUnsupportedMediaType},
	} {
		if a := w.ask(http.MethodPost, page, tt.body, tt.header...); a.Code != tt.status {
			t.Errorf("a form %s: %d", name, a.Code)
		}
	}
	made := []string{"id", key, "attestation", "made", "origin", "https://login.example", "quiet", ""}
	w.fresh = false
	if a := w.post(page, "create", token, made...); to(a) != resumes {
		t.Errorf("by whom a device is wanted of: %d %q", a.Code, to(a))
	}
	w.fresh, w.now = true, noon().Add(11*time.Minute)
	if a := w.post(page, "create", token, made...); to(a) != resumes {
		t.Errorf("too late: %d %q", a.Code, to(a))
	}
	w.now, w.session = noon(), nil
	if a := w.post(page, "never", token); to(a) != resumes {
		t.Errorf("when they are gone: %d %q", a.Code, to(a))
	}
	if len(w.did) > 0 || len(w.answered) > 0 {
		t.Errorf("done: %q, judged: %+v", w.did, w.answered)
	}
}

// TestNobodyIsHeldUp: an offer that cannot be looked up is none.
func TestNobodyIsHeldUp(t *testing.T) {
	w := newOffer(t)
	face := account.New(account.Parts{Passkeys: w, Offers: broken{w}, Now: noon})
	if led := face.Offer(t.Context(), w.bundle, &w.view); led != "" {
		t.Errorf("led to %q", led)
	}
}

type broken struct{ account.Offers }

func (broken) PasskeyOffer(context.Context, string, string) (directory.PasskeyOffer, error) {
	return directory.PasskeyOffer{}, errors.New("no directory")
}

// TestTheBrowsersListIsKeptTrue: the pages about devices and names tell which passkeys
// there are, and to whom they belong.
func TestTheBrowsersListIsKeptTrue(t *testing.T) {
	w := newWorld(t)
	w.user.Given, w.user.Family = "Ada", "Lovelace"
	held, elsewhere, begun := active(key, device.FIDO2), active(phone, device.FIDO2), active(paper, device.FIDO2)
	held.Credential = &device.Credential{ID: []byte{1, 2, 3}, RPID: rpID}
	elsewhere.Credential = &device.Credential{ID: []byte{4}, RPID: "other.example"}
	begun.Status = device.ActivationRequired
	const all = `{&#34;displayName&#34;:&#34;Ada Lovelace&#34;,&#34;ids&#34;:[%s],&#34;name&#34;:&#34;ada&#34;,&#34;rpId&#34;:&#34;login.example&#34;,&#34;userId&#34;:&#34;aGFuZGxl&#34;}`
	for _, tt := range []struct {
		page string
		held []device.Device
		told string
	}{
		{"/devices", []device.Device{held, elsewhere, begun}, "&#34;AQID&#34;"},
		{"/profile", []device.Device{held}, "&#34;AQID&#34;"},
		{"/devices?done=removed", nil, ""},
		{"/devices", nil, "-"},
		{"/profile", []device.Device{active(phone, device.SMS)}, "-"},
		{"", []device.Device{held}, "-"},
	} {
		w.held = tt.held
		body := strings.ReplaceAll(w.ask(http.MethodGet, tt.page, "").Body.String(), "&quot;", "&#34;")
		want := strings.ReplaceAll(all, "%s", tt.told)
		if tt.told == "-" && strings.Contains(body, "data-known") || tt.told != "-" && !strings.Contains(body, want) {
			t.Errorf("%s with %d devices: %s", tt.page, len(tt.held), body)
		}
	}
}
