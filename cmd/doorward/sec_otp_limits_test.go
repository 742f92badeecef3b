package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	visit "doorward/internal/journey"
	"doorward/internal/nodetest"
)

// New flows are no new guesses: ten wrong answers of an account in a quarter of an
// hour, over all its flows and devices, and the owner hears of it once. AuthQuake;
// NIST 800-63B-4 3.2.2.
func TestSec_OTP_NEW_FLOW(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	wrong, flows := a.wrong(), make([]*visit.Flow, 14)
	for i := range flows {
		flows[i] = r.asked("", coding, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i+1))
	}
	limited := 0
	for i, f := range flows {
		if i == 6 { // before the device is locked, so that the account's budget is what stops them
			x.exec(`DELETE FROM failures WHERE env = $1 AND key = $2`, guardedEnv, "device/"+a.id)
		}
		got := f.Act("otp.check", otp(wrong), "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i+1))
		if got.Status == 429 {
			limited++
			got.Refused(429, "REQUEST_LIMITED")
		} else {
			got.Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		}
		if (got.Status == 429) != (i >= 10) {
			t.Errorf("wrong code %d is told %d", i+1, got.Status)
		}
	}
	if n := x.counted("mfa/" + r.id); limited != 4 || n != 10 {
		t.Errorf("%d were limited, %d compared", limited, n)
	}
	last := r.asked("", coding)
	last.Act("otp.check", otp(a.next(x))).Refused(429, "REQUEST_LIMITED") // the right one
	x.kept(last, coding)
	x.await(func() bool { return len(r.told()) >= 2 })
	alerts := slices.DeleteFunc(r.told(), func(s string) bool { return strings.Contains(s, "added") })
	if len(alerts) != 1 {
		t.Errorf("the owner was told %q", r.told())
	}
	other := x.lodger()
	b := other.authenticator()
	f := other.asked("", coding)
	x.done(f, f.Act("otp.check", otp(b.next(x))))
}

// A new code neither brings back guesses nor leaves the one before alive, and no
// mailbox is flooded. NIST 800-63B-4 3.1.3.2.
func TestSec_OTP_RESEND(t *testing.T) {
	x := newTrial(t)
	x.part("guesses", func() {
		s := x.lodger()
		box := s.postbox()
		f := s.asked("", coding)
		first := s.code()
		for i := range 3 {
			f.Act("otp.check", otp(fmt.Sprintf("55%08d", i))).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		}
		f.Act("device.select", map[string]any{"device": map[string]string{"id": box}}).Is(200)
		f.Act("otp.check", otp(first)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		if n := x.counted("device/" + box); n != 4 {
			t.Errorf("%d wrong codes are counted", n)
		}
		second := s.code()
		f.Act("otp.resend", nil).Is(200)
		f.Act("otp.check", otp(second)).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		f.Act("otp.check", otp("6600000000")).Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		if got := f.Act("otp.check", otp("6600000001")).Flow(); got.Status != failed || got.Error.Code != "DEVICE_LOCKED" { // the seventh in a row
			t.Errorf("with its only device locked the flow is in %s, %s", got.Status, got.Error.Code)
		}
		x.happened(f, "MFA.DEVICE_LOCKED", 1)
	})
	x.part("messages", func() {
		s := x.lodger()
		s.postbox()
		limited := 0
		for range 4 {
			f := s.begin("")
			a := f.Password(s.name, s.pwd)
			for range 3 {
				if a.Status == 429 {
					limited++
					a.Refused(429, "REQUEST_LIMITED")
				}
				a = f.Act("otp.resend", nil)
				if a.Status == 400 {
					break // not even the first one was sent
				}
			}
		}
		if limited == 0 {
			t.Error("nobody was limited")
		}
		sent := func() (n int) {
			for _, m := range x.mail.All() {
				if strings.EqualFold(m.To, s.mail) && m.Code() != "" {
					x.trail.Secret("mailed code", m.Code())
					n++
				}
			}
			return n
		}
		x.await(func() bool { return sent() >= 5 })
		time.Sleep(100 * time.Millisecond) // for one too many
		if n := sent(); n != 5 {
			t.Errorf("%d codes were sent", n)
		}
	})
}

// A code ends when it does by the servers' clock, whatever the client says the time
// is, on all of them. WSO2 CVE-2024-8122.
func TestSec_OTP_EXPIRED(t *testing.T) {
	x := newTrial(t)
	for age, good := range map[time.Duration]bool{4*time.Minute + 30*time.Second: true, 5*time.Minute + time.Second: false} {
		s := x.lodger()
		s.postbox()
		f := s.asked("", coding)
		code := s.code()
		x.redis.Age(age)
		a := f.Act("otp.check", otp(code), "Date", time.Now().Add(-age).UTC().Format(time.RFC1123))
		if !good {
			a.Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
			x.kept(f, coding)
			continue
		}
		x.done(f, a)
	}
}

// No field of a request gives new tries: limits trip where they trip without it, and
// the log names the peer. Hanko #2739.
func TestSec_OTP_IP_SPOOF(t *testing.T) {
	x := newTrial(t)
	r := x.lodger()
	a := r.authenticator()
	wrong, f := a.wrong(), r.asked("", coding)
	names := []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP"}
	for i := range 7 {
		name, claim := names[i%len(names)], fmt.Sprintf("198.51.100.%d", i+1)
		if name == "Forwarded" {
			claim = "for=" + claim
		}
		a := f.Act("otp.check", otp(wrong), name, claim, "Idempotency-Key", fmt.Sprint(i))
		if i < 6 {
			a.Refused(400, "INVALID_DATA", "INVALID_OTP@otp")
		} else if got := a.Flow(); got.Status != failed || got.Error.Code != "DEVICE_LOCKED" {
			t.Errorf("after seven wrong codes the flow is in %s, %s\n%s", got.Status, got.Error.Code, a.Body)
		}
	}
	for _, line := range x.lines() {
		if line["flow"] == f.ID && line["msg"] == "audit" && line["remoteIp"] != "127.0.0.1" {
			t.Errorf("a field was believed: %v", line)
		}
	}
}

// Where proxies are trusted an address is the one that the last of them has seen, and
// whatever stands before it in the list is its sender's word; where none is, the list
// is nobody's. So it is for limits and in the log.
func TestSec_OTP_IP_SPOOF_proxies(t *testing.T) {
	t.Parallel()
	const rate = 20
	web := visit.App{Env: nodetest.Env, ID: nodetest.Web, Secret: nodetest.WebSecret}
	for name, tt := range map[string]struct {
		args      []string
		forwarded func(i int) string
		logged    string
	}{
		"no proxy":               {nil, func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }, "127.0.0.1"},
		"a forged first address": {[]string{"--trusted-proxies", "127.0.0.1"}, func(i int) string { return fmt.Sprintf("198.51.100.%d, 203.0.113.7", i) }, "203.0.113.7"},
		"a forged proxy":         {[]string{"--trusted-proxies", "127.0.0.1,10.0.0.0/8"}, func(i int) string { return fmt.Sprintf("198.51.100.%d,10.0.0.1, 203.0.113.7,10.9.9.9", i) }, "203.0.113.7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{Args: append([]string{"--rate-address", fmt.Sprint(rate), "--log-format", "json"}, tt.args...)})
			web := web
			web.RedirectURI = n.Base + "/demo/callback"
			site, trail := visit.At(n), visit.Trail{}
			f := site.Browser(t, &trail).Start(web.Ask())
			guess := func(i int, forwarded string) int {
				return f.Act("session.reset", nil, "X-Forwarded-For", forwarded, "X-Real-IP", forwarded, "Forwarded", "for="+forwarded, "Idempotency-Key", fmt.Sprint(forwarded, i)).Status
			}
			limited := 0
			for i := range 3 * rate { // a minute may end meanwhile
				if status := guess(i, tt.forwarded(i)); status == 429 {
					limited++
				} else if limited == 0 && status != 200 {
					t.Fatalf("submit %d is told %d", i, status)
				}
			}
			if limited < rate/2 {
				t.Errorf("%d of %d submits were limited, at %d a minute", limited, 3*rate, rate)
			}
			if status := guess(0, "198.51.100.1, 203.0.113.8"); (status == 429) != (tt.args == nil) {
				t.Errorf("somebody else is told %d", status)
			}
			for _, line := range strings.Split(n.Log(), "\n") {
				if strings.Contains(line, "198.51.100.") || strings.Contains(line, "REQUEST.LIMITED") && !strings.Contains(line, tt.logged) {
					t.Errorf("a field was believed: %s", line)
				}
			}
		})
	}
}
