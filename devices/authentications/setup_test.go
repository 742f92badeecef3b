package authentications_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/configs"
	"doorward/devices/authentications"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/runtime/policy"
	"doorward/session"
	"doorward/steps/mfachallenge"
)

const (
	envID    = "d0000000-0000-4000-8000-000000000001"
	otherEnv = "d0000000-0000-4000-8000-000000000002"
	desk     = "d0000000-0000-4000-8000-0000000000a1" // a worker
	bank     = "d0000000-0000-4000-8000-0000000000a2" // another one
	reader   = "d0000000-0000-4000-8000-0000000000a3" // one without the role
	ada      = "ada00000-0000-4000-8000-000000000001"
	bob      = "b0b00000-0000-4000-8000-000000000001"
	eve      = "e0e00000-0000-4000-8000-000000000001" // disabled
	joe      = "10e00000-0000-4000-8000-000000000001" // locked
	sms      = "00000000-0000-4000-8000-000000000001"
	key      = "00000000-0000-4000-8000-000000000002"
	phone    = "00000000-0000-4000-8000-000000000003"
	hers     = "00000000-0000-4000-8000-000000000009" // bob's
)

// house is the face behind a real listener and a real engine; the devices are played.
type house struct {
	*httptest.Server
	t      testing.TB
	engine *engine.Engine
	town   *town
	mu     sync.Mutex
	events []flow.Event
	log    strings.Builder
	plans  map[flow.Digest]*flow.Plan
	kinds  []flow.Kind
	away   bool
}

func open(t testing.TB) *house {
	t.Helper()
	mux := http.NewServeMux()
	h := &house{Server: httptest.NewServer(mux), t: t, plans: map[flow.Digest]*flow.Plan{}, town: &town{devices: map[string][]device.Device{
		ada: {
			{ID: sms, UserID: ada, Type: device.SMS, Phone: "+15550100", Status: device.Active},
			{ID: key, UserID: ada, Type: device.FIDO2, Status: device.Active},
			{ID: phone, UserID: ada, Type: device.Mobile, Status: device.Active, Application: "app"},
		},
		joe: {{ID: hers, UserID: joe, Type: device.SMS, Status: device.Active}},
	}}}
	t.Cleanup(h.Close)
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	db, err := directory.Open(t.Context(), directory.Options{Path: filepath.Join(t.TempDir(), "d.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	memory := session.NewMemory(session.DefaultMemory, time.Now)
	t.Cleanup(func() { _, _ = memory.Close(), db.Close() })
	store := session.NewEmbedded(memory, session.NewSQLSessions(db, time.Now))
	h.kinds = []flow.Kind{mfachallenge.New(h.town, h.town, h.town)}
	h.engine, err = engine.New(engine.Parts{
		Executions: store, Sessions: store, Index: store, Plans: h, Users: h, Keys: ring, Events: h, Kinds: h.kinds, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	authentications.New(authentications.Parts{
		Tenants: h, Workers: h, Engine: h.engine, Users: h, Events: h, Log: slog.New(slog.NewTextHandler(&h.log, nil)), Now: time.Now,
	}).Register(router{mux})
	return h
}

type router struct{ *http.ServeMux }

func (m router) Handle(method, path string, h http.Handler) {
	m.ServeMux.Handle(method+" "+strings.NewReplacer(":env", "{env}", ":id", "{id}").Replace(path), h)
}

func (h *house) Resolve(_, path string) (*configs.Bundle, string, error) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if id != envID && id != otherEnv {
		return nil, "", flow.Gone()
	}
	return configs.NewBundle(configs.Environment{ID: id, Name: "Acme", AuthBase: h.URL, APIBase: h.URL}), "/" + rest, nil
}

func (h *house) DeviceAuthentication(_ context.Context, _ string, d policy.DeviceAuthentication) (flow.Digest, error) {
	src, hash, err := d.Source()
	if err != nil {
		return hash, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plans[hash], err = policy.Compile(src, h.kinds)
	return hash, err
}

func (h *house) Plan(_ context.Context, _ string, hash flow.Digest) (*flow.Plan, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.plans[hash], nil
}

// Worker takes the id of a worker for its token.
func (h *house) Worker(_ context.Context, b *configs.Bundle, audience, token string) (*configs.Application, error) {
	env, id, _ := strings.Cut(token, "~")
	if env != b.Environment().ID || audience != h.URL {
		return nil, &flow.Fault{Code: flow.InvalidToken, Message: "no"}
	}
	role := configs.RoleIdentityDataAdmin
	if id == reader {
		role = configs.RoleConfigurationReadOnly
	}
	return &configs.Application{ID: id, Name: "Desk", Type: "WORKER", Roles: []string{role}}, nil
}

func (h *house) Account(_ context.Context, env, id string) (authentications.Account, error) {
	a := authentications.Account{Subject: flow.Subject{ID: id, Username: id[:3]}, Enabled: id != eve, Locked: id == joe}
	if a.Locked {
		a.UnlockIn = 90 * time.Second
	}
	switch {
	case h.away:
		return a, io.ErrUnexpectedEOF
	case env != envID || id != ada && id != bob && id != eve && id != joe:
		return authentications.Account{}, flow.ErrUnknown
	}
	return a, nil
}

func (*house) Facts(context.Context, string, string) (map[string]any, error) { return nil, nil }
func (*house) Standing(context.Context, string, string) (flow.Standing, error) {
	return flow.Standing{Enabled: true}, nil
}

func (h *house) Record(_ context.Context, e flow.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// town plays devices: the code is 123456, and so is what a key signs.
type town struct {
	devices map[string][]device.Device
	asked   []mfa.Start
	cancels int
	push    device.PushState
	limited bool
}

func (t *town) Choose(_ context.Context, w mfa.Who, _, c string) (out mfa.Choice, _ error) {
	for _, d := range t.devices[w.UserID] {
		if c != mfa.NoWebAuthn || !d.Type.IsFIDO2() {
			out.Devices = append(out.Devices, d)
		}
	}
	out.Held = len(out.Devices) > 0
	return out, nil
}

func (t *town) Challenge(_ context.Context, s mfa.Start) (mfa.Challenge, error) {
	if t.limited {
		return mfa.Challenge{}, &flow.Fault{Code: flow.Limited, RetryAfter: time.Minute, Message: "too many"}
	}
	t.asked = append(t.asked, s)
	c := mfa.Challenge{Status: mfa.OTPRequired, Device: s.Device.ID, Type: s.Device.Type, Until: time.Now().Add(time.Minute)}
	switch {
	case s.Unproven:
		panic("asked blindly")
	case s.Device.Type.IsFIDO2():
		c.Status = mfa.AssertionRequired
	case s.Device.Type == device.Mobile:
		c.Status, c.Push, c.Number = mfa.PushRequired, "p", "42"
	}
	return c, nil
}

func (t *town) Cancel(context.Context, mfa.Who, mfa.Challenge) error { t.cancels++; return nil }

func (t *town) verdict(w mfa.Who, c mfa.Challenge, right bool, target string) mfa.Verdict {
	for _, d := range t.devices[w.UserID] {
		if d.ID == c.Device && right {
			p := d.Proof(false)
			p.At = time.Now()
			return mfa.Verdict{OK: true, Device: d, Proof: p}
		}
	}
	return mfa.Verdict{Fault: flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: target, Message: "wrong"})}
}

func (t *town) CheckOTP(_ context.Context, in mfa.OTP) (mfa.Verdict, error) {
	return t.verdict(in.Who, in.Challenge, in.Code == "123456", "otp"), nil
}

func (t *town) CheckAssertion(_ context.Context, in mfa.Assertion) (mfa.Verdict, error) {
	return t.verdict(in.Who, in.Challenge, in.Assertion == "123456", "assertion"), nil
}

func (t *town) Settled(context.Context, mfa.Who, mfa.Challenge) (bool, error) {
	return t.push != "", nil
}

func (t *town) Poll(_ context.Context, w mfa.Who, c mfa.Challenge) (device.PushState, mfa.Verdict, error) {
	return t.push, t.verdict(w, c, t.push == device.PushApproved, "device.id"), nil
}

func (*town) Remembers(string, string) bool { return true }
func (*town) Trusted(context.Context, mfa.Who, string, flow.Digest) (bool, error) {
	return true, nil
}

func (*town) Trust(context.Context, mfa.Who, string, flow.Digest) (time.Duration, error) {
	return time.Hour, nil
}

func (*town) RequestOptions(string, mfa.Challenge, []byte) (passkey.Options, error) {
	return passkey.Options{Vendor: "vendor", Standard: json.RawMessage(`{"standard":true}`)}, nil
}

func (*town) Policy(string, string) (*mfapolicy.Policy, error)     { return mfapolicy.Default(), nil }
func (*town) Find(context.Context, string, string) (string, error) { return "", nil }
func (*town) Account(context.Context, string, string) (mfachallenge.Account, error) {
	return mfachallenge.Account{}, nil
}

// reply is an answer, decoded.
type reply struct {
	*http.Response
	raw  string
	body map[string]any
}

func (r *reply) at(path string) any {
	var v any = r.body
	for name := range strings.SplitSeq(path, "/") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// ask sends a request as an application of the environment; action names the content
// type, empty: application/json.
func (h *house) ask(as, method, path, action, body string, header ...string) *reply {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+"/"+envID+"/deviceAuthentications"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+envID+"~"+as)
	if r.Header.Set("Content-Type", "application/json"); action != "" {
		r.Header.Set("Content-Type", "application/vnd.pingidentity."+action+"+json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	res, err := h.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	out := &reply{Response: res, raw: string(raw)}
	if err := json.Unmarshal(raw, &out.body); err != nil && len(raw) > 0 {
		h.t.Fatalf("%v: %s", err, raw)
	}
	return out
}

// begin starts one for a user, with more members of the request.
func (h *house) begin(user, more string) *reply {
	h.t.Helper()
	return h.ask(desk, http.MethodPost, "", "", `{"user":{"id":"`+user+`"}`+more+`}`)
}

func (h *house) act(r *reply, action, body string) *reply {
	h.t.Helper()
	return h.ask(desk, http.MethodPost, "/"+r.at("id").(string), action, body)
}
