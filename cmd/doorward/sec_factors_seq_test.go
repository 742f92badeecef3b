package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// standing are flows of somebody in every status of steps that ask for devices.
func (x *trial) standing() map[string]*visit.Flow {
	x.Helper()
	first, two, key := x.lodger(), x.lodger(), x.lodger()
	two.authenticator()
	key.key()
	setUp, paired := first.asked("", enrolling), first.asked("", enrolling)
	setUp.Act("device.create", map[string]string{"type": "TOTP"}).Is(200)
	paired.Act("device.create", map[string]any{"type": "MOBILE", "application": map[string]string{"id": guardedApp}}).Is(200)
	out := map[string]*visit.Flow{
		coding: two.asked("", coding), asserting: key.asked("", asserting), enrolling: first.asked("", enrolling), activating: setUp, pairing: paired,
	}
	for status, f := range out {
		if got := f.Get().Flow().Status; got != status {
			x.Fatalf("the flow is in %s, want %s", got, status)
		}
	}
	return out
}

// wants are the actions that a status waits for, with what each of them must have.
var wants = map[string]map[string][]string{
	coding:     {"otp.check": {"REQUIRED_VALUE@otp"}, "device.select": {"REQUIRED_VALUE@device.id"}},
	asserting:  {"assertion.check": {"REQUIRED_VALUE@origin", "REQUIRED_VALUE@assertion"}, "device.select": {"REQUIRED_VALUE@device.id"}},
	enrolling:  {"device.create": {"REQUIRED_VALUE@type"}},
	activating: {"device.activate": {"REQUIRED_VALUE@otp"}},
}

// An empty submit passes no step that asks for a device, and counts as no answer.
// authentik CVE-2026-49448.
func TestSec_SEQ_EMPTY_POST_factors(t *testing.T) {
	x := newTrial(t)
	for status, f := range x.standing() {
		x.part(status, func() {
			x.unchanged(f, func() {
				f.Send(http.MethodPost, f.Path(), nil, nil).Refused(415, "UNSUPPORTED_MEDIA_TYPE")
				for action, required := range wants[status] {
					f.Act(action, nil).Refused(400, "INVALID_DATA", required...)
					f.Act(action, "{}").Refused(400, "INVALID_DATA", required...)
					f.Act(action, "null").Refused(400, "INVALID_REQUEST")
				}
			})
			x.kept(f, status)
			x.happened(f, "MFA.CHECK_FAILED", 0)
		})
	}
}

// What a status does not offer it refuses, and half a sign-on is none.
func TestSec_SEQ_UNOFFERED_factors(t *testing.T) {
	x := newTrial(t)
	for status, f := range x.standing() {
		x.part(status, func() {
			links := f.Get().Flow().Links
			x.unchanged(f, func() {
				for action, body := range known {
					if _, offered := links[action]; !offered {
						f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
					}
				}
				f.Act("poll", nil).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED") // the engine's own
			})
			for _, more := range []string{"", "&response_mode=pi.flow"} {
				a := f.Send(http.MethodGet, "/"+guardedEnv+"/as/resume?flowId="+f.ID+more, nil, nil)
				if a.Code() != "" || !strings.HasSuffix(a.Is(302).Header.Get("Location"), f.Page()) {
					t.Errorf("resume led to %s", a.Header.Get("Location"))
				}
			}
			if a := f.Authorize(gate.Ask("prompt", "none")).Is(302); a.Code() != "" || a.Refusal() != "login_required" {
				t.Errorf("a silent request led to %s", a.Header.Get("Location"))
			}
		})
	}
}

// session.reset forgets whose devices were asked for. Keycloak GHSA-c9h6-v78w-52wj.
func TestSec_SEQ_RESET_MIX_factors(t *testing.T) {
	x := newTrial(t)
	u, m := x.lodger(), x.lodger()
	theirs, mine := u.authenticator(), m.authenticator()
	f := u.asked("", coding)
	if r := f.Act("session.reset", nil).Flow(); r.Status != anybody || len(r.Devices)+len(r.AMR) > 0 || r.SelectedDevice.ID != "" {
		t.Errorf("after the reset the flow is %+v", r)
	}
	f.Act("otp.check", otp(theirs.code(theirs.used+1))).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	if r := f.Password(m.name, m.pwd).Flow(); r.Status != coding || slices.ContainsFunc(r.Devices, func(d visit.Device) bool { return d.ID == theirs.id }) {
		t.Errorf("the flow is %+v", r)
	}
	if claims := x.done(f, f.Act("otp.check", otp(mine.next(x)))); claims["sub"] != m.id {
		t.Errorf("signed on as %v", claims["sub"])
	}
	g := m.asked("", coding)
	g.Act("session.reset", nil).Is(200)
	g.Password(u.name, u.pwd).Is(200)
	g.Act("otp.check", otp(mine.next(x))).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	x.kept(g, coding)
}

// What is secret about devices is where it must be, and nowhere else: each is shown
// once, sealed where it is kept, and in no log, error or metric.
func TestSec_TRAIL_factors(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	f := r.asked("", enrolling)
	made := f.Act("device.create", map[string]any{"type": "MOBILE", "application": map[string]string{"id": guardedApp}}).Flow()
	if made.PairingKey.Code == "" {
		t.Fatalf("the flow is %+v", made)
	}
	x.trail.Secret("pairing key", made.PairingKey.Code)
	if got := f.Get().Flow(); got.PairingKey.Code != made.PairingKey.Code {
		t.Error("a pairing key is shown once only, although the phone is yet to read it")
	}
	f.Act("device.delete", nil).Is(200)
	made = f.Act("device.create", map[string]string{"type": "TOTP"}).Flow()
	x.trail.Secret("seed", made.TOTP.Secret)
	r2 := x.lodger()
	a := r2.authenticator()
	r2.recoveryCodes()
	r2.key()
	r2.postbox()
	g := r2.asked("", coding)
	for _, body := range []any{otp(a.wrong()), otp(strings.Repeat("9", 32)), map[string]string{"otp": "1234", "seed": "x"}, map[string]any{"otp": []string{"1"}}} {
		g.Act("otp.check", body).Is(400)
	}
	devices := g.Get().Flow().Devices
	for _, d := range devices {
		if d.Email != "" && !strings.Contains(d.Email, "•") {
			t.Errorf("an address is shown as %s", d.Email)
		}
	}
	g.Act("otp.check", otp(a.next(x))).Is(200)
	if len(devices) != 4 || x.trail.Secrets() < 20 {
		t.Errorf("%d devices; %d secrets are looked for", len(devices), x.trail.Secrets())
	}
	for _, d := range embedded(r2.admin.get(r2.devices()), "devices") {
		for _, name := range []string{"secret", "keyUri", "recoveryCodes", "publicKeyCredentialCreationOptions"} {
			if _, shown := d[name]; shown {
				t.Errorf("%s of a device is shown again", name)
			}
		}
	}
}
