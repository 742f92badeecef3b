package main_test

import (
	"fmt"
	"strings"
	"testing"
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
		mine := s.asked("", coding)
		code := s.code()
		theirs := s.asked("", coding)
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
