package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// A code is good once, whoever has seen it: a computed one, a sent one, one of a
// list, and the one that activated a device. Hanko #2723.
func TestSec_OTP_REPLAY(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	x.part("the code of the activation", func() {
		f := r.asked("", coding)
		f.Act("otp.check", otp(a.code(a.used))).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		x.happened(f, "MFA.REPLAYED", 1)
		x.kept(f, coding)
	})
	x.part("a computed code", func() {
		earlier := a.code(a.used)
		code := a.next(x)
		mine, theirs := r.asked("", coding), r.asked("", coding)
		x.done(mine, mine.Act("otp.check", otp(code)))
		theirs.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		x.happened(theirs, "MFA.REPLAYED", 1)
		theirs.Act("otp.check", otp(earlier)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp") // of the step before
		x.kept(theirs, coding)
		if n := x.counted("device/" + a.id); n != 2 {
			t.Errorf("%d wrong answers are counted", n)
		}
	})
	x.part("a sent code", func() {
		s := x.lodger()
		s.postbox()
		mine, theirs := s.asked("", coding), (*visit.Flow)(nil)
		code := s.code()
		theirs = s.asked("", coding)
		other := s.code()
		theirs.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp") // of another flow
		x.done(mine, mine.Act("otp.check", otp(code)))
		theirs.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		x.done(theirs, theirs.Act("otp.check", otp(other)))
	})
	x.part("a recovery code", func() {
		s := x.lodger()
		id, codes := s.recoveryCodes()
		if len(codes) != 10 {
			t.Fatalf("%d recovery codes", len(codes))
		}
		f, g := s.asked("", coding), s.asked("", coding)
		x.done(f, f.Act("otp.check", otp(codes[3])))
		g.Act("otp.check", otp(codes[3])).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		x.done(g, g.Act("otp.check", otp(strings.ToLower(codes[4]))))
		if left := s.admin.get(s.devices() + "/" + id)["codesLeft"]; left != 8.0 {
			t.Errorf("%v codes are left", left)
		}
	})
}

// Of the same right code at the same instant one is evaluated: identical submits of
// one browser get its answer, those of others are refused. Ory Kratos, HackerOne
// 3692149.
func TestSec_OTP_PARALLEL_WIN(t *testing.T) {
	x := newTrial(t)
	s := x.lodger()
	s.postbox()
	f := s.asked("", coding)
	code, cookie := s.code(), f.ST(guardedEnv)
	answers := atOnce(16, func(i int) *visit.Answer {
		return f.Via(i%2).Act("otp.check", otp(code), "Cookie", "ST="+cookie)
	})
	if got := answers[0].Flow(); got.Status != completed {
		t.Errorf("with the right code the flow is in %s", got.Status)
	}
	x.same(answers)
	x.happened(f, "MFA.CHECK_SUCCEEDED", 1)
	if amr := fmt.Sprint(x.claims(f)["amr"]); amr != "[pwd otp mfa]" {
		t.Errorf("amr is %s", amr)
	}

	r := x.lodger()
	a := r.authenticator()
	for round := range 2 {
		code := a.next(x)
		flows := make([]*visit.Flow, 6)
		for i := range flows {
			flows[i] = r.asked("", coding)
		}
		won := 0
		for _, answer := range atOnce(len(flows), func(i int) *visit.Answer { return flows[i].Via(i%2).Act("otp.check", otp(code)) }) {
			if answer.Status == 200 {
				won++
				continue
			}
			answer.Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		}
		if won != 1 {
			t.Errorf("round %d: %d of %d browsers won with one code", round, won, len(flows))
		}
		x.forgive()
	}
}

// A code that was sent dies with the fifth wrong one; the next code is another.
func TestSec_OTP_ATTEMPT_CAP(t *testing.T) {
	x := newTrial(t)
	s := x.lodger()
	box := s.postbox()
	f := s.asked("", coding)
	code := s.code()
	for i := range 5 {
		p := f.Act("otp.check", otp(fmt.Sprintf("12345678%02d", i))).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		if left, _ := p.Details[0].InnerError["attemptsRemaining"].(float64); int(left) != 4-i {
			t.Errorf("after %d wrong codes %v are left", i+1, p.Details[0].InnerError)
		}
	}
	x.happened(f, "MFA.CHECK_FAILED", 5)
	f.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	if n := x.counted("device/" + box); n != 5 {
		t.Errorf("%d comparisons are counted", n)
	}
	x.kept(f, coding)
	f.Act("otp.resend", nil).Is(200)
	x.done(f, f.Act("otp.check", otp(s.code())))
	if n := x.counted("device/" + box); n != 0 {
		t.Errorf("%d wrong codes are counted after the right one", n)
	}
}

// However many come at once, five are compared with a code that was sent, and the
// counter says exactly how many were. Kratos 8d4b3c3ae, Keycloak GHSA-85v8-vx4w-q684.
func TestSec_OTP_PARALLEL_COUNT_devices(t *testing.T) {
	x := newTrial(t)
	s := x.lodger()
	box := s.postbox()
	f := s.asked("", coding)
	code := s.code()
	cookie := "ST=" + f.ST(guardedEnv)
	for range 2 {
		for _, a := range atOnce(24, func(i int) *visit.Answer {
			return f.Via(i%2).Act("otp.check", otp(fmt.Sprintf("33%08d", i)), "Cookie", cookie)
		}) {
			if !slices.Contains([]int{400, 409, 429}, a.Status) {
				t.Errorf("a wrong code is told %d", a.Status)
			}
		}
	}
	for i := range 6 { // whatever lost the race before
		if a := f.Act("otp.check", otp(fmt.Sprintf("44%08d", i))); a.Status != 400 && a.Status != 429 {
			t.Errorf("a wrong code is told %d", a.Status)
		}
	}
	if n := x.counted("device/" + box); n != 5 {
		t.Errorf("%d comparisons are counted, want 5", n)
	}
	x.forgive()
	f.Act("otp.check", otp(code)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
	x.kept(f, coding)

	r := x.lodger()
	a := r.authenticator()
	wrong := a.wrong()
	flows := make([]*visit.Flow, 12)
	for i := range flows {
		flows[i] = r.asked("", coding)
	}
	compared := 0
	for _, answer := range atOnce(len(flows), func(i int) *visit.Answer { return flows[i].Via(i%2).Act("otp.check", otp(wrong)) }) {
		if answer.Status == 400 && answer.Problem().Details[0].Code == "INVALID_OTP" {
			compared++
		}
	}
	if n := x.counted("device/" + a.id); n != 7 || compared > 7 { // by the policy the seventh locks
		t.Errorf("%d wrong codes are counted and %d were told so, want 7 at most", n, compared)
	}
	if got := r.begin("").Password(r.name, r.pwd).Flow(); got.Status != failed || got.Error.Code != "DEVICE_LOCKED" {
		t.Errorf("somebody whose only device is locked is in %s, %s", got.Status, got.Error.Code)
	}
}
