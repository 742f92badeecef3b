package main_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// Nobody signs on with a credential of somebody else, of another list or of another
// environment; all are told the same, and what was tried stands against the user.
// Source: WebAuthn level 3, 7.2 steps 5 to 7; FIDO conformance, Resp-1.
func TestSec_WA_OTHER_CRED(t *testing.T) {
	x := newTrial(t)
	u, m := x.lodger(), x.lodger()
	mine, theirs := u.key(), m.key()
	f := u.asked("", asserting)
	late, gone := u.key(), u.key()
	u.admin.do(http.MethodDelete, u.devices()+"/"+gone.device, nil).Is(204)
	v := x.lodgerOf(twinLodge, twinAdmin)
	twin := v.key()
	copied := *mine // the same id and key, registered in the other environment
	copied.rp, copied.page = twinRP, twinPage
	v.register(&copied)
	as := func(s *signing) { s.rp, s.client["origin"], s.origin = guardedRP, guardedPage, guardedPage }
	want := ""
	for _, tt := range []struct {
		name string
		key  *stick
		with change
	}{
		{"another user's", theirs, nil},
		{"the user's id with another's signature", mine, func(s *signing) { s.private = theirs.private }},
		{"another user's id with the user's signature", mine, func(s *signing) { s.id = theirs.id }},
		{"another user's handle", mine, func(s *signing) { s.handle = theirs.handle }},
		{"one that was not in the list", late, nil},
		{"one that was removed", gone, nil},
		{"one of nobody", x.newStick(), nil},
		{"another environment's", twin, nil},
		{"another environment's, for this party", twin, as},
		{"the user's own, for another environment", &copied, nil},
	} {
		x.part(tt.name, func() {
			before := x.counted("mfa/" + u.id)
			tt.key.counter = 20
			a := f.Act("assertion.check", tt.key.assertion(options(f), func(s *signing) {
				if tt.with != nil {
					tt.with(s)
				}
			}))
			a.Refused(400, "INVALID_DATA", wrongKey)
			if shape := a.Shape(); want == "" {
				want = shape
			} else if shape != want {
				t.Errorf("it is told\n%s\nand another user's\n%s", shape, want)
			}
			if n := x.counted("mfa/"+u.id) - before; n != 1 {
				t.Errorf("%d wrong answers are counted", n)
			}
			x.forgive()
		})
	}
	if n := x.counted("mfa/" + m.id); n != 0 {
		t.Errorf("%d wrong answers are counted against somebody else", n)
	}
	x.kept(f, asserting)
	mine.counter = 0
	x.done(f, mine.signs(f))
	x.part("the same in both environments", func() {
		g := v.asked("Multi_Factor", asserting)
		x.done(g, copied.signs(g))
	})
}

// Where nobody has said who they are the credential says it, and no more than that:
// a flow that is somebody's takes nobody else's.
func TestSec_WA_OTHER_CRED_discoverable(t *testing.T) {
	x := newTrial(t)
	u, m := x.lodger(), x.lodger()
	mine, theirs := u.key(), m.key()
	twin := x.lodgerOf(twinLodge, twinAdmin).key()
	as := func(s *signing) { s.rp, s.client["origin"], s.origin = guardedRP, guardedPage, guardedPage }
	x.part("a flow of nobody", func() {
		g := u.begin("Passwordless")
		theirs.signs(g, func(s *signing) {
			s.message = func(_, response map[string]any) { delete(response, "userHandle") }
		}).Refused(400, "INVALID_DATA", wrongKey)
		theirs.signs(g, func(s *signing) { s.handle = mine.handle }).Refused(400, "INVALID_DATA", wrongKey)
		twin.signs(g, as).Refused(400, "INVALID_DATA", wrongKey)
		if n := x.counted("mfa/"+m.id) + x.counted("mfa/"+u.id); n != 0 {
			t.Errorf("%d answers of nobody are counted against those they name", n)
		}
		claims := x.done(g, theirs.signs(g))
		if claims["sub"] != m.id {
			t.Errorf("signed on as %v, want %s", claims["sub"], m.id)
		}
	})
	x.part("a flow of somebody", func() {
		g := u.begin("Passwordless")
		g.Act("user.lookup", map[string]string{"username": u.name}).Is(200)
		theirs.signs(g).Refused(400, "INVALID_DATA", wrongKey)
		x.kept(g, bound)
		h := u.asked("Single_Factor", completed)
		h.Resume()
		again := h.Start(lodge.Ask("acr_values", "Passwordless", "prompt", "login"))
		theirs.signs(again).Refused(400, "INVALID_DATA", wrongKey)
		x.kept(again, bound)
		x.forgive()
	})
}

// malformed are assertions that are not of the form that they must be of. Source: FIDO
// conformance, ServerAuthenticatorAssertionResponse-Resp-1, F-1 and following.
func malformed() map[string]change {
	in := func(change func(m, response map[string]any)) change {
		return func(s *signing) { s.message = change }
	}
	set := func(name string, v any) change {
		return in(func(m, response map[string]any) {
			if _, inside := response[name]; inside {
				m = response
			}
			m[name] = v
		})
	}
	text := func(change func([]byte) []byte) change {
		return func(s *signing) { s.clientText = change(s.x.json(s.client)) }
	}
	signature := func(change func([]byte) []byte) change {
		return func(s *signing) { s.signature = change }
	}
	table := map[string]change{
		"id is no text":                  set("id", 7),
		"id is no base64url":             set("id", "*!"),
		"id is padded":                   in(func(m, _ map[string]any) { m["id"] = fmt.Sprint(m["id"], "=") }),
		"type is another":                set("type", "password"),
		"rawId is another":               set("rawId", plain(make([]byte, 32))),
		"response is a list":             set("response", []int{1}),
		"userHandle is a number":         set("userHandle", 5),
		"authenticatorData is a number":  set("authenticatorData", 1),
		"a number out of range":          set("authenticatorData", []int{300, -200}),
		"signature is cut":               signature(func(b []byte) []byte { return b[:len(b)-5] }),
		"signature is no DER":            signature(func(b []byte) []byte { return make([]byte, len(b)) }),
		"signature is empty":             signature(func([]byte) []byte { return nil }),
		"client data is no JSON":         text(func(b []byte) []byte { return b[1:] }),
		"client data is no UTF-8":        text(func(b []byte) []byte { return bytes.Replace(b, []byte("{"), []byte("{\"\xff\":1,"), 1) }),
		"client data begins with a mark": text(func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }),
		"client data goes on":            text(func(b []byte) []byte { return append(b, '{', '}') }),
	}
	for _, name := range []string{"id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature"} {
		table["without "+name] = in(func(m, response map[string]any) { delete(m, name); delete(response, name) })
	}
	return table
}

// What is malformed is refused, as one answer, and what is only unusual is not.
func TestSec_WA_STRUCT(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	f := r.asked("", asserting)
	for name, c := range malformed() {
		x.part(name, func() {
			k.signs(f, c).Refused(400, "INVALID_DATA", wrongKey)
			x.forgive()
		})
	}
	for name, body := range map[string]any{
		"a text":   "{}",
		"no JSON":  "{",
		"a list":   []int{1},
		"nothing":  map[string]any{},
		"too much": strings.Repeat("a", 17_000),
		"too deep": strings.Repeat("[", 40) + strings.Repeat("]", 40),
	} {
		x.part(name, func() {
			p := f.Act("assertion.check", map[string]any{"origin": guardedPage, "assertion": body}).Is(400).Problem()
			if p.Code != "INVALID_DATA" || p.Details[0].Target != "assertion" {
				t.Errorf("%+v", p)
			}
			x.forgive()
		})
	}
	x.kept(f, asserting)
	x.done(f, k.signs(f, func(s *signing) {
		s.client["extraData"] = "clientDataJSON may be extended with additional fields in the future"
		s.message = func(_, response map[string]any) { // as the vendor's examples have them
			for _, name := range []string{"clientDataJSON", "authenticatorData", "signature", "userHandle"} {
				text, _ := response[name].(string)
				response[name] = base64.StdEncoding.EncodeToString(k.bytes(text))
			}
		}
	}))
}

// An answer to a challenge of one environment is worth nothing in the other one on
// the same host, with the same names and ids in both, and neither hears of it.
func TestSec_BIND_CROSS_ENV_devices(t *testing.T) {
	x := newTrial(t)
	u, v := x.lodger(), x.lodgerOf(twinLodge, twinAdmin)
	a := u.authenticator()
	key := u.key()
	f, g := u.asked("", coding), v.begin("Multi_Factor")
	rows := x.rows()
	moved := *f
	moved.Ask.App.Env = twinEnv
	unknown := &visit.Flow{ID: noFlow, Ask: moved.Ask, Client: f.Client}
	for _, c := range []*visit.Client{f.Client, g.Client, x.browser()} {
		for name, body := range map[string]any{"otp.check": otp(a.code(a.used + 1)), "assertion.check": key.assertion(options(f))} {
			if got, want := moved.As(c).Act(name, body).Is(404).Shape(), unknown.As(c).Act(name, body).Is(404).Shape(); got != want {
				t.Errorf("%s is told\n%s\nand of an unknown flow\n%s", name, got, want)
			}
		}
	}
	for _, path := range []string{u.devices(), u.devices() + "/" + a.id, v.devices() + "/" + a.id, u.devices() + "/" + a.id + "/logs"} {
		v.admin.do(http.MethodGet, path, nil).Is(404)
	}
	v.admin.do(http.MethodDelete, v.devices()+"/"+a.id, nil).Is(404)
	if now := x.rows(); now != rows {
		t.Errorf("the database changed from\n%s\nto\n%s", rows, now)
	}
	if got := f.Get().Flow().Devices; len(got) != 2 || !slices.ContainsFunc(got, func(d visit.Device) bool { return d.ID == a.id }) {
		t.Errorf("the devices are %+v", got)
	}
	x.done(f, f.Act("otp.check", otp(a.next(x))))
}
