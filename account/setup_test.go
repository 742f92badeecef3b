package account_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/account"
	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/policy"
	"doorward/static"
	"doorward/wire"
)

const (
	envID = "e0000000-0000-4000-8000-000000000001"
	ada   = "a0000000-0000-4000-8000-000000000001"
	phone = "b0000000-0000-4000-8000-000000000001"
	key   = "b0000000-0000-4000-8000-000000000002"
	paper = "b0000000-0000-4000-8000-000000000003"
)

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// world is everything that the face knows, made up.
type world struct {
	t        *testing.T
	mux      *http.ServeMux
	bundle   *configs.Bundle
	session  *flow.Session // of whoever has a cookie
	held     []device.Device
	user     directory.User
	asks     bool // the default sign-on policy asks for a device
	fresh    bool // proofs are young, and by a device
	sessions []flow.Session
	trusted  []directory.Browser
	did      []string
	started  []flow.Start
	view     flow.View // of Resume
	events   []flow.Event
	now      time.Time
	face     *account.Face
	kept     *archive // of newArchive: who keeps user and addresses; nil: user is all
	mute     bool     // no SMS can be sent

	on       bool // people are offered passkeys
	offered  directory.PasskeyOffer
	verdict  mfa.Verdict
	answered []mfa.Activation
	enrolErr error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e := configs.Environment{ID: envID, Name: "Acme", AuthBase: "https://login.example"}
	w := &world{
		t: t, mux: http.NewServeMux(), bundle: configs.NewBundle(e), fresh: true, now: noon(), on: true,
		session: &flow.Session{ID: "s1", User: flow.Subject{ID: ada, Username: "ada"}, Proofs: flow.Ledger{flow.PasswordProof(ada, noon())}},
		user:    directory.User{ID: ada, Username: "ada", PasswordChangedAt: noon()},
	}
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := forms.NewPages(assets)
	if err != nil {
		t.Fatal(err)
	}
	w.face = account.New(account.Parts{
		Tenants: w, Engine: w, Factors: w, Devices: w, Users: w, Addresses: w, Phones: w, Sessions: w, Grants: w, Forms: ring, Pages: drawing{pages}, Events: w,
		Now: func() time.Time { return w.now }, Posted: func() {}, Passkeys: w, Offers: w, Executions: w,
	})
	w.face.Register(w)
	return w
}

// Handle implements account.Router.
func (w *world) Handle(method, path string, h http.Handler) {
	path = regexp.MustCompile(`:(\w+)`).ReplaceAllString(path, "{$1}")
	w.mux.Handle(method+" "+path, h)
}

func (w *world) do(format string) { w.did = append(w.did, format) }

// Record implements flow.Recorder.
func (w *world) Record(_ context.Context, e flow.Event) { w.events = append(w.events, e) }

func (w *world) Resolve(host, path string) (*configs.Bundle, string, error) {
	if host != "login.example" || !strings.HasPrefix(path, "/"+envID+"/") {
		return nil, "", flow.Gone()
	}
	return w.bundle, "", nil
}

func (w *world) Plan(context.Context, string, flow.Digest) (*flow.Plan, error) {
	p := &flow.Plan{Nodes: map[string]*flow.Node{"1": {Kind: "PASSWORD"}}}
	if w.asks {
		p.Nodes["2"] = &flow.Node{Kind: "MFA_CHALLENGE"}
	}
	return p, nil
}

func (w *world) Errand(_ context.Context, _ string, e policy.Errand) (flow.Digest, error) {
	return flow.Sum(string(e)), nil
}

func (w *world) Present(_ context.Context, env string, c flow.Caller) (*flow.Session, error) {
	if c.Cookie != "mine" || env != envID {
		return nil, nil //nolint:nilnil // nobody
	}
	return w.session, nil
}

func (w *world) Start(_ context.Context, s flow.Start) (flow.View, *flow.Completion, error) {
	w.started = append(w.started, s)
	return flow.View{Ref: flow.Ref{Env: s.Env, ID: "f1"}, Cookie: "fresh"}, nil, nil
}

func (w *world) Resume(context.Context, flow.Ref, flow.Caller) (flow.View, *flow.Completion, error) {
	return w.view, nil, nil
}

func (w *world) SignOff(_ context.Context, _ string, c flow.Caller, session string) (string, error) {
	if c.Cookie != "" {
		w.t.Error("the person's own session is ended")
	}
	w.do("end " + session)
	return "", nil
}

func (w *world) RevokeBySession(_ context.Context, _, session string) error {
	w.do("revoke " + session)
	return nil
}

// SessionsOf lists two at a time: a list has an end.
func (w *world) SessionsOf(_ context.Context, _, user string) ([]flow.Session, error) {
	if user != ada {
		w.t.Errorf("sessions of %q", user)
	}
	left := slices.DeleteFunc(slices.Clone(w.sessions), func(s flow.Session) bool { return slices.Contains(w.did, "end "+s.ID) })
	return left[:min(len(left), 2)], nil
}

func (w *world) Devices(context.Context, mfa.Who) ([]device.Device, error) { return w.held, nil }

func (w *world) MayChange(context.Context, mfa.Who, flow.Ledger) (bool, error) { return w.fresh, nil }

func (w *world) Regenerate(_ context.Context, in mfa.Enrolment) (mfa.Enrolling, error) {
	w.do("codes for " + in.UserID)
	return mfa.Enrolling{Codes: []string{"AAAAA-" + in.Effect[len(in.Effect)-5:]}}, nil
}

func (w *world) Delete(_ context.Context, who mfa.Who, id string) error {
	if who.Effect == "" || who.UserID != ada {
		w.t.Errorf("%s is removed for %q with effect %q", id, who.UserID, who.Effect)
	}
	w.do("remove " + id)
	return nil
}

func (w *world) Nickname(_ context.Context, _, user, id, name string) error {
	w.do("name " + id + " " + name + " of " + user)
	return nil
}

func (w *world) Reorder(_ context.Context, _, _ string, ids []string) error {
	w.do("order " + strings.Join(ids, " "))
	return nil
}

func (w *world) Browsers(context.Context, string, string) ([]directory.Browser, error) {
	return w.trusted, nil
}

func (w *world) Revoke(_ context.Context, _, user, id string) error {
	if user != ada || !slices.ContainsFunc(w.trusted, func(b directory.Browser) bool { return b.ID == id }) {
		return flow.ErrUnknown
	}
	w.do("forget " + id)
	return nil
}

func (w *world) RevokeAll(context.Context, string, string) error {
	w.do("forget all")
	return nil
}

func (w *world) Get(ctx context.Context, env, id string) (directory.User, error) {
	if w.kept != nil {
		return w.kept.users.Get(ctx, env, id)
	}
	return w.user, nil
}

func (w *world) Update(ctx context.Context, env, id string, change func(*directory.User) error) (directory.User, error) {
	if w.kept != nil {
		return w.kept.users.Update(ctx, env, id, change)
	}
	err := change(&w.user)
	return w.user, err
}

func (w *world) Standing(context.Context, string, string) (flow.Standing, error) {
	return flow.Standing{Enabled: true, Since: noon().Add(-time.Hour)}, nil
}

// drawing draws as the server does.
type drawing struct{ pages *forms.Pages }

func (d drawing) Page(w http.ResponseWriter, _ *configs.Bundle, status int, _ []string, draw func(*forms.Pages, forms.Setting) []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(draw(d.pages, forms.Setting{Language: "en"}))
}

func (d drawing) ProblemIn(w http.ResponseWriter, _ *http.Request, _ *configs.Bundle, f *flow.Fault, _ []string) {
	status, body, _ := wire.Problem(f, "1", wire.Place{})
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// ask sends a request as the person's browser would.
func (w *world) ask(method, page, body string, header ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "https://login.example/"+envID+"/account"+page, bytes.NewBufferString(body))
	r.AddCookie(&http.Cookie{Name: wire.CookieName, Value: "mine"})
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

var tokens = regexp.MustCompile(`name="_token" value="([^"]+)"`)

// token is that of a form of a page.
func (w *world) token(page string) string {
	w.t.Helper()
	a := w.ask(http.MethodGet, page, "")
	found := tokens.FindStringSubmatch(a.Body.String())
	if found == nil {
		w.t.Fatalf("%s has no form: %d %s", page, a.Code, a.Body)
	}
	return found[1]
}

// post sends a form of a page.
func (w *world) post(page, action, token string, typed ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	v := url.Values{"_action": {action}, "_token": {token}}
	for pair := range slices.Chunk(typed, 2) {
		v.Set(pair[0], pair[1])
	}
	return w.ask(http.MethodPost, page, v.Encode())
}

// to is where an answer leads, below the account.
func to(a *httptest.ResponseRecorder) string {
	return strings.TrimPrefix(a.Header().Get("Location"), "https://login.example/"+envID)
}

func active(id string, t device.Type) device.Device {
	return device.Device{Env: envID, UserID: ada, ID: id, Type: t, Status: device.Active, CreatedAt: noon()}
}
