package main_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/width"

	visit "doorward/internal/journey"
)

// neighbours are names of all kinds, of one length: the answers repeat them.
func (x *trial) neighbours() map[string]*lodger {
	x.Helper()
	out := map[string]*lodger{"nobody": {x: x, app: lodge}}
	for _, kind := range []string{"an app", "a postbox", "a key", "no device", "all of them", "disabled"} {
		out[kind] = x.lodger()
	}
	out["an app"].authenticator()
	out["a postbox"].postbox()
	out["a key"].key()
	for _, kind := range []string{"all of them", "disabled"} {
		r := out[kind]
		r.postbox()
		r.authenticator()
		r.key()
	}
	d := out["disabled"]
	d.admin.put("/users/"+d.id+"/enabled", map[string]bool{"enabled": false})
	some := out["an app"].name
	out["nobody"].name = "ghost" + some[len("guest"):]
	return out
}

var tries = regexp.MustCompile(`guest-\d+-\d+|ghost-\d+-\d+`)

// A policy that begins with a second factor tells nobody apart: not who there is, nor
// who has which device, by what is said and by what is kept. The code goes where it
// should. authentik, "Pretend user exists"; ZITADEL CVE-2026-23511.
func TestSec_ENUM_FACTOR_FIRST(t *testing.T) {
	x := newTrial(t)
	everybody := x.neighbours()
	x.mail.Forget()
	x.forgive() // what setting them up has counted
	series := map[string][]string{}
	for _, kind := range slices.Sorted(maps.Keys(everybody)) {
		r := everybody[kind]
		f := r.begin("Factor_First")
		keys := x.redisKeys()
		say := func(a *visit.Answer) {
			more := ""
			for _, k := range x.redisKeys() {
				if !slices.Contains(keys, k) {
					more += k[:2]
				}
			}
			series[kind] = append(series[kind], fmt.Sprintf("%d %s\nmore keys: %s", a.Status, tries.ReplaceAllString(a.Shape(), "(name)"), more))
		}
		say(f.Act("user.lookup", map[string]string{"username": r.name}).Is(200))
		at := f.Get()
		say(at)
		if got := at.Flow(); got.Status != coding || len(got.Devices) > 0 || got.SelectedDevice.ID != "" || got.Embedded.User.ID != "" || len(got.DeviceAuthentication) > 0 {
			t.Errorf("%s: the flow is %+v", kind, got)
		}
		say(f.Act("device.select", map[string]any{"device": map[string]string{"id": noFlow}}).Is(400))
		for i := range 3 {
			say(f.Act("otp.check", otp(fmt.Sprintf("77%08d", i))).Is(400))
		}
		say(f.Act("otp.resend", nil).Is(200))
		for i := range 8 { // until the code is void, then until the account has had enough
			say(f.Act("otp.check", otp(fmt.Sprintf("78%08d", i))))
		}
		say(f.Act("assertion.check", map[string]any{"origin": guardedPage, "assertion": map[string]any{}}).Is(400))
		x.kept(f, coding)
	}
	want := series["nobody"]
	for kind, told := range series {
		for i := range told {
			if told[i] != want[i] {
				t.Errorf("answer %d for %s:\n%s\nfor nobody:\n%s", i+1, kind, told[i], want[i])
			}
		}
	}
	sent := func() (n int) {
		for _, m := range x.mail.All() {
			if m.Code() != "" && (strings.EqualFold(m.To, everybody["a postbox"].mail) || strings.EqualFold(m.To, everybody["all of them"].mail)) {
				x.trail.Secret("mailed code", m.Code())
				n++
			}
		}
		return n
	}
	if !x.await(func() bool { return sent() == 4 }) {
		t.Errorf("%d codes were sent, want two to each of two", sent())
	}
	for _, m := range x.mail.All() {
		for _, kind := range []string{"an app", "a key", "no device"} {
			if strings.EqualFold(m.To, everybody[kind].mail) && m.Code() != "" {
				t.Errorf("a code for somebody with %s", kind)
			}
		}
	}
	x.forgive()
}

// Nor does another spelling of the name: what is counted of one is counted of all, also
// of nobody's.
func TestSec_ENUM_FACTOR_FIRST_spelling(t *testing.T) {
	x := newTrial(t)
	someone := x.lodger()
	for kind, name := range map[string]string{"somebody": someone.name, "nobody": "ghost" + someone.name[len("guest"):]} {
		x.forgive()
		spellings := []string{strings.ToUpper(name), " " + name, width.Widen.String(name)}
		for i := range 5 {
			someone.begin("Factor_First").Act("user.lookup", map[string]string{"username": spellings[i%len(spellings)]}).Is(200)
		}
		if got := someone.begin("Factor_First").Act("user.lookup", map[string]string{"username": name}); got.Status != 429 {
			t.Errorf("%s: the sixth code is answered %d, want 429", kind, got.Status)
		}
	}
	x.forgive()
}

// Whoever has the device signs on by it, although nothing was told of it.
func TestSec_ENUM_FACTOR_FIRST_right(t *testing.T) {
	x := newTrial(t)
	r, s := x.lodger(), x.lodger()
	a := r.authenticator()
	s.postbox()
	f, g := r.begin("Factor_First"), s.begin("Factor_First")
	f.Act("user.lookup", map[string]string{"username": r.name}).Is(200)
	g.Act("user.lookup", map[string]string{"username": s.name}).Is(200)
	g.Act("otp.check", otp(a.next(x))).Refused(400, "INVALID_DATA", "INVALID_OTP@otp") // somebody else's
	if claims := x.done(f, f.Act("otp.check", otp(a.code(a.used)))); claims["sub"] != r.id || strings.Contains(fmt.Sprint(claims["amr"]), "pwd") {
		t.Errorf("%v", claims)
	}
	if claims := x.done(g, g.Act("otp.check", otp(s.code()))); claims["sub"] != s.id {
		t.Errorf("%v", claims)
	}
}

// Nor does the time tell them apart: of a name that is given, and of a wrong code.
func TestSec_ENUM_FACTOR_FIRST_time(t *testing.T) {
	x := newTrial(t)
	everybody := x.neighbours()
	delete(everybody, "disabled")
	rounds := func(what string) func() map[string][]time.Duration {
		return func() map[string][]time.Duration {
			took := map[string][]time.Duration{}
			for i := range 6 {
				x.forgive()
				for kind := range everybody { // in no order: the mail for one is sent while the next is judged
					f := everybody[kind].begin("Factor_First").Via(i % 2)
					begun := time.Now()
					f.Act("user.lookup", map[string]string{"username": everybody[kind].name}).Is(200)
					if what == "a code" {
						begun = time.Now()
						f.Act("otp.check", otp("7900000000")).Is(400)
					}
					took[kind] = append(took[kind], time.Since(begun))
				}
			}
			return took
		}
	}
	for _, what := range []string{"a name", "a code"} {
		x.alike(what, rounds(what))
	}
	x.forgive()
}
