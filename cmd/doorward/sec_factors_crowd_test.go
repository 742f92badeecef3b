package main_test

import (
	"fmt"
	"slices"
	"testing"

	visit "doorward/internal/journey"
	"doorward/internal/nodetest"
)

// How many do something at the same instant: submits of one answer, and flows of
// somebody who tries to guess.
const (
	bunch  = 32
	throng = 100
)

// TestSec_OTP_WA_crowd attacks second factors with many at once, on two nodes, and has
// the nodes replaced under way; on each of the databases, which judge who comes first.
func TestSec_OTP_WA_crowd(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]bool{"SQLite": false, "PostgreSQL": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := apartOn(t, server)
			rounds := 20
			if server || nodetest.Race { // the session store says no to most, whatever the database is; and the detector takes its time
				rounds = 2
			}
			x.part("OTP-NEW-FLOW", x.guessedInManyFlows)
			x.part("OTP-PARALLEL-COUNT", func() { x.guessedAtOnce(rounds) })
			x.part("OTP-PARALLEL-WIN", x.givenAtOnce)
			x.part("WA-REPLAY, WA-COUNTER", x.signedAtOnce)
			x.part("WA-REPLAY after a restart", x.signedBefore)
		})
	}
}

// knocks are flows in which somebody has given a name, and nothing else, and which ask
// for a code. Each browser says that it is somewhere else.
func (r *lodger) knocks(n int) []*visit.Flow {
	r.x.Helper()
	flows := make([]*visit.Flow, n)
	for i := range flows {
		if i > 0 && i%4 == 0 { // codes are sent to a name five times in a row
			r.x.exec(`DELETE FROM mail_counts WHERE env = $1`, guardedEnv)
		}
		flows[i] = r.begin("Factor_First").Via(i % 2)
		flows[i].Act("user.lookup", map[string]string{"username": r.name}, elsewhere(i)...).Is(200)
	}
	return flows
}

func elsewhere(i int) []string {
	return []string{"X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i+1)}
}

// guessedInManyFlows: a flow is no new guess. AuthQuake; NIST 800-63B-4 3.2.2.
func (x *trial) guessedInManyFlows() {
	r := x.lodger()
	a := r.authenticator()
	wrong := a.wrong()
	flows := r.knocks(throng)
	limited := 0
	for _, got := range atOnce(throng, func(i int) *visit.Answer { return flows[i].Act("otp.check", otp(wrong), elsewhere(i)...) }) {
		if got.Status == 429 {
			limited++
			continue
		}
		got.Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	}
	device, account := x.counted("device/"+a.id), x.counted("mfa/"+r.id)
	most := device == 7 || device < 7 && x.trail.Busy() > 0 // an answer that came too late may have been one of ten
	if !most || account > 10 || limited < throng-10 {       // by the policy the seventh locks
		x.Errorf("%d wrong codes are counted against the device, %d against the account; %d were limited", device, account, limited)
	}
	last := r.knocks(1)[0]
	if got := last.Act("otp.check", otp(a.next(x))); got.Status == 200 {
		x.Error("the right code is good after all those guesses")
	}
	x.kept(last, coding)
	if !x.await(func() bool { return len(r.told()) >= 2 }) || len(r.told()) != 2 { // the first says that there is a device
		x.Errorf("the owner was told %q", r.told())
	}
	x.forgive()
}

// guessedAtOnce: of the codes that come to one flow at once five are compared. Kratos
// 8d4b3c3ae, Keycloak GHSA-85v8-vx4w-q684.
func (x *trial) guessedAtOnce(rounds int) {
	r := x.lodger()
	box := r.postbox()
	f := r.knocks(1)[0]
	code, cookie := r.code(), "ST="+f.ST(guardedEnv)
	for round := range rounds {
		for _, a := range atOnce(2*throng, func(i int) *visit.Answer {
			return f.Via(i%2).Act("otp.check", otp(fmt.Sprintf("%02d%08d", round, i)), "Cookie", cookie)
		}) {
			if !slices.Contains([]int{400, 409, 429}, a.Status) {
				x.Errorf("a wrong code is told %d %s", a.Status, a.Body)
			}
		}
	}
	for i := range 6 { // whatever lost the race before
		f.Act("otp.check", otp(fmt.Sprintf("44%08d", i)))
	}
	if n := x.counted("device/" + box); n != 5 {
		x.Errorf("%d comparisons are counted, want 5", n)
	}
	x.forgive()
	f.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	x.kept(f, coding)
}

// givenAtOnce: of the same right code one is evaluated, whether one browser sends it or
// many do. Ory Kratos, HackerOne 3692149.
func (x *trial) givenAtOnce() {
	s := x.lodger()
	s.postbox()
	f := s.asked("", coding)
	code, cookie := s.code(), "ST="+f.ST(guardedEnv)
	answers := atOnce(bunch, func(i int) *visit.Answer { return f.Via(i%2).Act("otp.check", otp(code), "Cookie", cookie) })
	if amr := fmt.Sprint(x.done(f, answers[0])["amr"]); amr != "[pwd otp mfa]" {
		x.Errorf("amr is %s", amr)
	}
	x.same(answers)
	x.happened(f, "MFA.CHECK_SUCCEEDED", 1)

	r := x.lodger()
	a := r.authenticator()
	flows, right := r.knocks(bunch), a.next(x)
	x.one(flows, func(i int) *visit.Answer { return flows[i].Act("otp.check", otp(right)) })
	x.forgive()
}

// one holds that one flow of many is completed.
func (x *trial) one(flows []*visit.Flow, submit func(i int) *visit.Answer) {
	x.Helper()
	won := 0
	for i, a := range atOnce(len(flows), submit) {
		if a.Status != 200 {
			continue
		}
		won++
		x.done(flows[i], a)
	}
	if won != 1 {
		x.Errorf("%d of %d flows are completed", won, len(flows))
	}
}

// signedAtOnce: an assertion is evaluated once, and of a key and its copies, which have
// signed for as many flows, one is let in. Source: WebAuthn level 3, 6.1.1, 7.2, 13.4.3.
func (x *trial) signedAtOnce() {
	r := x.lodger()
	k := r.key()
	f := r.asked("", asserting)
	k.counter++
	body, cookie := k.assertion(options(f)), "ST="+f.ST(guardedEnv)
	answers := atOnce(bunch, func(i int) *visit.Answer { return f.Via(i%2).Act("assertion.check", body, "Cookie", cookie) })
	x.done(f, answers[0])
	x.same(answers)
	x.happened(f, "MFA.CHECK_SUCCEEDED", 1)

	flows, signed := make([]*visit.Flow, bunch), make([]map[string]any, bunch)
	k.counter++
	for i := range flows {
		flows[i] = r.begin("Passwordless").Via(i % 2)
		signed[i] = k.assertion(options(flows[i]))
	}
	x.one(flows, func(i int) *visit.Answer { return flows[i].Act("assertion.check", signed[i]) })
	if n := k.signCount(); n != int64(k.counter) {
		x.Errorf("the counter is at %d, want %d", n, k.counter)
	}
	x.forgive()
}

// signedBefore: what was signed before the nodes and their store were started again is
// worth what it was worth.
func (x *trial) signedBefore() {
	r := x.lodger()
	k := r.key()
	done, waiting := r.asked("", asserting), r.asked("", asserting)
	k.counter = 1
	body, cookie := k.assertion(options(done)), "ST="+done.ST(guardedEnv)
	first := done.Act("assertion.check", body, "Cookie", cookie)
	x.done(done, first)
	k.counter = 2
	ready := k.assertion(options(waiting))
	x.restart()

	x.same([]*visit.Answer{first, done.Act("assertion.check", body, "Cookie", cookie)})
	x.happened(done, "MFA.CHECK_SUCCEEDED", 1)
	another := r.asked("", asserting)
	for _, f := range []*visit.Flow{another, waiting} {
		before := options(f).Challenge
		f.Act("assertion.check", body).Refused(400, "INVALID_DATA", wrongKey)
		x.kept(f, asserting)
		if options(f).Challenge == before {
			x.Error("a challenge outlives a wrong answer")
		}
	}
	x.forgive()
	waiting.Act("assertion.check", ready).Refused(400, "INVALID_DATA", wrongKey) // its challenge is void
	x.forgive()
	k.counter = 3
	k.signs(waiting).Refused(400, "INVALID_DATA", wrongKey) // the store may have forgotten that there was an answer
	x.kept(waiting, asserting)
	k.counter = 4
	x.done(waiting, k.signs(waiting))
	if n := k.signCount(); n != int64(k.counter) {
		x.Errorf("the counter is at %d, want %d", n, k.counter)
	}
}

// restart ends the store as a crash does, and one node so and the other in order, and
// has others take their places.
func (x *trial) restart() {
	x.Helper()
	if err := x.nodes[0].Term(); err != nil {
		x.Fatal(err)
	}
	x.nodes[1].Kill()
	x.redis.Kill()
	x.redis.Restart()
	o := x.options
	for i := range x.nodes {
		x.earlier += x.nodes[i].Log()[x.from[i]:]
		o.Data = x.nodes[i].Data
		o.Args = slices.Clone(x.options.Args)
		if at := slices.Index(o.Args, "--metrics-listen"); at >= 0 {
			x.metrics[i] = nodetest.FreeAddr(&x.tb)
			o.Args[at+1] = x.metrics[i]
		}
		x.nodes[i], x.from[i] = nodetest.Start(&x.tb, o), 0
		x.site.Replace(i, x.nodes[i])
	}
}

// Nobody who asks for less is let in where a passkey is wanted: not by a code that is
// right, not by naming another device, and not by adding one. Keycloak CVE-2026-97176.
func TestSec_SEQ_DOWNGRADE_passkey(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	k := r.key()
	a := r.authenticator()
	box := r.postbox()
	f := r.asked("Passkey_Only", asserting)
	for _, d := range f.Get().Flow().Devices {
		if d.ID != k.device {
			t.Errorf("a device of another type is offered: %+v", d)
		}
	}
	f.Act("otp.check", otp(a.next(x))).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	for _, other := range []string{a.id, box} {
		f.Act("device.select", map[string]any{"device": map[string]string{"id": other}}).Refused(400, "INVALID_DATA", "INVALID_VALUE@device.id")
	}
	for action, body := range meddling {
		f.Act(action, body).Refused(400, "INVALID_REQUEST", "ACTION_NOT_OFFERED")
	}
	x.kept(f, asserting)
	if claims := x.done(f, k.signs(f)); claims["acr"] != "Passkey_Only" {
		t.Errorf("acr is %v", claims["acr"])
	}

	s := x.lodger()
	b := s.authenticator()
	g := s.asked("Multi_Factor", coding)
	x.done(g, g.Act("otp.check", otp(b.next(x))))
	if a := g.Authorize(lodge.Ask("prompt", "none", "acr_values", "Passkey_Only")).Is(302); a.Code() != "" || a.Refusal() != "login_required" {
		t.Errorf("a code that was given elsewhere led to %s", a.Header.Get("Location"))
	}
	h := s.begin("Passkey_Only")
	if got := h.Password(s.name, s.pwd).Flow(); got.Status != failed || got.Error.Code != "NO_USABLE_DEVICES" {
		t.Errorf("somebody with another device alone is in %s, %s", got.Status, got.Error.Code)
	}
	h.Act("otp.check", otp(b.next(x))).Is(400)
	if a := h.Resume(); a.Code() != "" {
		t.Error("a code without a passkey")
	}
}
