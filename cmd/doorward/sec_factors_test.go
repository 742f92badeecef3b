package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	visit "doorward/internal/journey"
)

// meddling is what somebody tries who has the password and not the device.
var meddling = map[string]any{
	"device.create":         map[string]string{"type": "EMAIL", "email": "m@evil.tld"},
	"device.activate":       map[string]string{"otp": "123456"},
	"device.delete":         nil,
	"device.skipEnrollment": nil,
	"user.update":           map[string]any{"mobilePhone": "+15005550006"},
}

// To add or remove a factor takes the old one. PingFederate GHSA-gqc6-p5c3-q963.
func TestSec_LINK_DEVICE_STEPUP(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	x.part("with the password alone", func() {
		f := r.asked("", coding)
		x.unchanged(f, func() {
			for action, body := range meddling {
				f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
			}
			f.Act("device.select", map[string]any{"device": map[string]string{"id": noFlow}}).Refused(400, "INVALID_DATA", "INVALID_VALUE@device.id")
		})
		x.kept(f, coding)
		f.Act("device.select", map[string]any{"device": map[string]string{"id": a.id}, "compatibility": "NONE"}).Is(200)
		x.kept(f, coding)
	})
	x.part("removed meanwhile", func() {
		f, g := r.asked("", coding), r.asked("", coding)
		r.admin.do(http.MethodDelete, r.devices()+"/"+a.id, nil).Is(204)
		f.Act("otp.check", otp(a.next(x))).Is(400)
		x.kept(f, coding)
		f.Act("device.select", map[string]any{"device": map[string]string{"id": a.id}}).Is(400)
		for action, body := range meddling {
			g.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
		}
		x.kept(g, coding)
		if got := r.begin("").Password(r.name, r.pwd).Flow(); got.Status != enrolling {
			t.Errorf("a new flow is in %s", got.Status)
		}
		x.await(func() bool { return len(r.told()) >= 2 })
		if told := strings.Join(r.told(), "|"); !strings.Contains(told, "added") || !strings.Contains(told, "removed") {
			t.Errorf("the owner was told %q", told)
		}
	})
	x.part("blocked", func() { // who has a device is not led to a first one
		s := x.lodger()
		b := s.authenticator()
		s.admin.act(http.MethodPost, s.devices()+"/"+b.id, "device.block", nil).Is(200)
		f := s.begin("")
		if got := f.Password(s.name, s.pwd).Flow(); got.Status != failed || got.Error.Code != "NO_USABLE_DEVICES" {
			t.Errorf("with a blocked device the flow is in %s, %s", got.Status, got.Error.Code)
		}
		if a := f.Resume(); a.Code() != "" {
			t.Error("a code without a second factor")
		}
	})
}

// Who has no device sets one up, and cannot go on without; what is set up is told by
// mail, is worth nothing before it has answered, and is given up alone.
func TestSec_LINK_DEVICE_STEPUP_first(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	f := r.asked("", enrolling)
	for action, body := range map[string]any{"device.skipEnrollment": nil, "otp.check": otp("123456"), "device.activate": otp("123456"), "device.select": known["device.select"]} {
		f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	}
	x.kept(f, enrolling)
	got := f.Act("device.create", map[string]string{"type": "TOTP"}).Flow()
	if got.Status != activating || got.TOTP.Secret == "" {
		t.Fatalf("the flow is %+v", got)
	}
	f.Act("device.activate", nil).Refused(400, "INVALID_DATA", "REQUIRED_VALUE@otp")
	f.Act("device.activate", "{}").Refused(400, "INVALID_DATA", "REQUIRED_VALUE@otp")
	f.Act("device.activate", otp("000000")).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	x.kept(f, activating)
	if in := r.begin("").Password(r.name, r.pwd).Flow(); in.Status != enrolling {
		t.Errorf("beside a device that is not active yet a flow is in %s", in.Status)
	}
	x.part("a second one meanwhile", func() { // neither the seed nor the device is shared
		g := r.asked("", enrolling)
		other := g.Act("device.create", map[string]string{"type": "TOTP"}).Flow()
		if other.Device.ID == got.Device.ID || other.TOTP.Secret == got.TOTP.Secret {
			t.Error("two flows set up one device")
		}
		g.Act("device.delete", nil).Is(200)
		if again := f.Get().Flow(); again.Device.ID != got.Device.ID || again.TOTP.Secret != got.TOTP.Secret {
			t.Errorf("after another was given up the device is %+v", again.Device)
		}
	})
	x.part("its owner has got another one meanwhile", func() {
		s := x.lodger()
		g := s.asked("", enrolling)
		begun := g.Act("device.create", map[string]string{"type": "TOTP"}).Is(200).Flow()
		s.authenticator()
		code, err := totp.GenerateCode(begun.TOTP.Secret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if now := g.Act("device.activate", otp(code)).Flow(); now.Status != failed || now.Error.Code != "STEP_UP_REQUIRED" {
			t.Errorf("beside a device that was not proven the flow is in %s, %s", now.Status, now.Error.Code)
		}
		if a := g.Resume(); a.Code() != "" {
			t.Error("a code for an unproven enrolment")
		}
		if n := strings.TrimSpace(x.column(`SELECT count(*) FROM devices WHERE user_id = '` + s.id + `' AND status = 'ACTIVE'`)); n != "1" {
			t.Errorf("%s devices are active", n)
		}
	})
	x.part("recovery codes are shown once", func() {
		s := x.lodger()
		g := s.asked("", enrolling)
		g.Act("device.create", map[string]string{"type": "RECOVERY_CODE"}).Refused(400, "INVALID_DATA", "INVALID_VALUE@type")
		s.authenticator()
		x.kept(g, enrolling)
		g.Act("device.create", map[string]string{"type": "EMAIL", "email": s.mail}) // a device came meanwhile, which was not proven
		if now := g.Get().Flow().Status; now != failed {
			t.Errorf("beside a device that was not proven the enrolment is in %s", now)
		}
		if a := g.Resume(); a.Code() != "" {
			t.Error("a code for an unproven enrolment")
		}
	})
}

// A password that was recovered is one factor. Source: Kratos GHSA-wc43-73w7-x2f5;
// ASVS 6.4.3.
func TestSec_REC_MFA_KEPT(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	r.key()
	before := x.column(`SELECT id || status || step FROM devices WHERE user_id = '` + r.id + `' ORDER BY 1`)
	f := r.begin("")
	forgot(f, r.name).Is(200)
	got := recoverWith(f, r.recoveryCode(), "Guest-Newer-Horse-"+r.name).Flow()
	r.pwd = "Guest-Newer-Horse-" + r.name
	if got.Status != coding && got.Status != selecting {
		t.Fatalf("recovered, the flow is in %s", got.Status)
	}
	x.kept(f, got.Status)
	for _, app := range []visit.App{gate, lodge} {
		if a := f.Authorize(app.Ask("prompt", "none", "acr_values", "Multi_Factor")).Is(302); a.Code() != "" || a.Refusal() != "login_required" {
			t.Errorf("a silent request led to %s", a.Header.Get("Location"))
		}
	}
	for action, body := range meddling {
		f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	}
	if now := x.column(`SELECT id || status || step FROM devices WHERE user_id = '` + r.id + `' ORDER BY 1`); now != before {
		t.Errorf("the devices changed from\n%s\nto\n%s", before, now)
	}
	if amr := fmt.Sprint(x.done(f, f.Act("otp.check", otp(a.next(x))))["amr"]); !strings.Contains(amr, "mfa") {
		t.Errorf("amr is %s", amr)
	}

	for how, spell := range map[string]func(string) string{"": strings.ToLower, ", however it is written": strings.ToUpper} {
		x.part("the mailbox that set the password is no second factor"+how, func() {
			s := x.lodger()
			s.postbox()
			s.mail = spell(s.mail)
			s.admin.do(http.MethodPatch, "/users/"+s.id, map[string]any{"email": s.mail}).Is(200)
			g := s.begin("")
			forgot(g, s.name).Is(200)
			in := recoverWith(g, s.recoveryCode(), "Guest-Newer-Horse-"+s.name).Flow()
			if in.Status != failed || in.Error.Code != "NO_USABLE_DEVICES" {
				t.Errorf("with its codes alone the flow is in %s, %s", in.Status, in.Error.Code)
			}
			x.kept(g, failed)
			s.pwd = "Guest-Newer-Horse-" + s.name
			if h := s.asked("", coding); h.Get().Flow().Status != coding { // who has come to know the password
				t.Error("the new password leads to no second factor")
			}
		})
	}
	x.part("a lock is not lifted", func() {
		s := x.lodger()
		b := s.authenticator()
		g := s.asked("", coding)
		for i := range 7 {
			g.Act("otp.check", otp(b.wrong()), "Idempotency-Key", fmt.Sprint(i))
		}
		h := s.begin("")
		forgot(h, s.name).Is(200)
		if in := recoverWith(h, s.recoveryCode(), "Guest-Newer-Horse-"+s.name).Flow(); in.Status != failed || in.Error.Code != "DEVICE_LOCKED" {
			t.Errorf("with the device locked a recovered password leads to %s, %s", in.Status, in.Error.Code)
		}
		if x.counted("device/"+b.id) != 7 || x.counted("mfa/"+s.id) != 7 {
			t.Error("the wrong answers are forgotten")
		}
	})
}

// recoveryCode is the one that a lodger was mailed to set another password.
func (r *lodger) recoveryCode() string {
	r.x.Helper()
	for range 8 {
		if m := r.x.mailed(r.mail); len(m.Code()) == 8 {
			return m.Code()
		}
	}
	r.x.Fatal("no mail has a code")
	return ""
}

// Whoever wants less than the policy asks for is not given more for it. Keycloak
// CVE-2026-97176.
func TestSec_SEQ_ACR_DOWNGRADE_factors(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	weak := r.asked("Single_Factor", completed)
	if claims := x.claims(weak); claims["acr"] != "Single_Factor" || strings.Contains(fmt.Sprint(claims["amr"]), "mfa") {
		t.Errorf("one factor is told as %v %v", claims["acr"], claims["amr"])
	}
	for _, ask := range []visit.Ask{gate.Ask("prompt", "none"), lodge.Ask("prompt", "none", "acr_values", "Multi_Factor"), lodge.Ask("prompt", "none", "acr_values", "Multi_Factor Single_Factor")} {
		if a := weak.Authorize(ask).Is(302); a.Code() != "" || a.Refusal() != "login_required" {
			t.Errorf("one factor led to %s", a.Header.Get("Location"))
		}
	}
	if a := weak.Authorize(gate.Ask("acr_values", "Single_Factor")).Is(302); a.Code() != "" || a.Refusal() != "invalid_request" {
		t.Errorf("a policy that the application is not assigned led to %s", a.Header.Get("Location"))
	}
	f := weak.Start(gate.Ask())
	if got := f.Get().Flow(); got.Status != coding {
		t.Errorf("the second factor is not asked for: %s", got.Status)
	}
	other := weak.Start(lodge.Ask("acr_values", "Single_Factor", "prompt", "login"))
	other.Password("", r.pwd).Is(200)
	x.kept(f, coding)
	claims := x.done(f, f.Act("otp.check", otp(a.next(x))))
	if claims["acr"] != "Multi_Factor" || fmt.Sprint(claims["amr"]) != "[pwd otp mfa]" {
		t.Errorf("two factors are told as %v %v", claims["acr"], claims["amr"])
	}
	if a := f.Authorize(gate.Ask("prompt", "none")).Is(302); a.Code() == "" {
		t.Errorf("two factors led to %s", a.Header.Get("Location"))
	}
}

// The cookie changes when the password is right and again when the device is; what
// it was before is nobody's. Source: ASVS 7.2.4.
func TestSec_BIND_FIXATION_factors(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	f := r.begin("")
	seen := []string{f.ST(guardedEnv)}
	f.Password(r.name, r.pwd).Is(200)
	seen = append(seen, f.ST(guardedEnv))
	f.Act("otp.check", otp(a.wrong())).Is(400)
	if f.ST(guardedEnv) != seen[1] {
		t.Error("a wrong code changed the cookie")
	}
	right := a.next(x)
	x.part("who knows the id alone", func() {
		unknown := &visit.Flow{ID: noFlow, Ask: f.Ask, Client: x.browser()}
		planted := x.browser()
		planted.Plant(guardedEnv, seen[0])
		for _, c := range []*visit.Client{x.browser(), planted} {
			if got, want := f.As(c).Act("otp.check", otp(right)).Is(404).Shape(), unknown.As(c).Act("otp.check", otp(right)).Is(404).Shape(); got != want {
				t.Errorf("is told\n%s\nand of an unknown flow\n%s", got, want)
			}
		}
	})
	if got := f.Act("otp.check", otp(right)).Flow(); got.Status != completed {
		t.Fatalf("with a code that strangers tried the flow is in %s", got.Status)
	}
	last := f.ST(guardedEnv)
	if slices.Contains(seen, last) || seen[0] == seen[1] || len(last) != 43 {
		t.Errorf("the cookie went through %q to %q", seen, last)
	}
	for _, old := range seen {
		thief := x.browser()
		thief.Plant(guardedEnv, old)
		f.As(thief).Get().Refused(404, "NOT_FOUND")
		f.As(thief).Resume().Refused(404, "NOT_FOUND")
		if a := thief.Authorize(gate.Ask("prompt", "none")).Is(302); a.Refusal() != "login_required" {
			t.Errorf("an old value led to %s", a.Header.Get("Location"))
		}
	}
	x.done(f, f.Get())
}
