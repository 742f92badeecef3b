package mfa_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/device"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// model is what somebody does who has a telephone and two apps, and what an attacker does
// beside them in other executions.
type model struct {
	*rig
	phone, app device.Device
	mobile     device.Device            // shows codes of the same seed
	open       map[string]mfa.Challenge // by execution and type
	codes      map[string]string        // the last one sent, likewise
	old        []string                 // codes that were void or used once
	used       map[string]bool          // what has proven something
	right      int
	limit      int // comparisons that one code may have
	window     time.Time
	before     int // wrong comparisons before the window began
}

func executions() *rapid.Generator[string] { return rapid.SampledFrom([]string{"f1", "f2", "f3"}) }

func (m *model) ask(t *rapid.T) {
	execution := executions().Draw(t, "execution")
	d := rapid.SampledFrom([]device.Device{m.phone, m.app, m.mobile}).Draw(t, "device")
	sent := len(m.messages.all)
	c, err := m.Challenge(m.t.Context(), mfa.Start{Who: m.who(execution), Device: d})
	if err != nil {
		return // locked, or too many messages
	}
	key := execution + string(d.Type)
	if m.open[key] = c; d.Type.IsSent() && len(m.messages.all) > sent {
		if was := m.codes[key]; was != "" {
			m.old = append(m.old, key+"="+was)
		}
		m.codes[key] = m.messages.last(m.t)
	}
}

// try tries a code in an execution, and holds that nothing proves twice.
func (m *model) try(t *rapid.T, execution string, d device.Device, typed, name string) {
	key := execution + string(d.Type)
	c, asked := m.open[key]
	if !asked {
		return
	}
	v := m.otp(execution, c, typed)
	if v.OK {
		m.right++
		if m.used[name] {
			t.Fatalf("%s has proven twice", name)
		}
		m.used[name] = true
	}
	compared := m.secrets.compared + m.store.compared - m.right
	for _, n := range m.tries.of {
		if !n.ends.Equal(m.window) {
			m.window, m.before = n.ends, compared
			if !v.OK {
				m.before--
			}
		}
	}
	if wrong := compared - m.before; wrong > 10 {
		t.Fatalf("%d wrong ones were compared in a window", wrong)
	}
}

func (m *model) rightSent(t *rapid.T) {
	execution := executions().Draw(t, "execution")
	key := execution + string(device.SMS)
	if c := m.codes[key]; c != "" {
		m.try(t, execution, m.phone, c, fmt.Sprintf("%s, sent for %s as %v", c, execution, m.open[key].Until))
	}
}

func (m *model) rightApp(t *rapid.T) {
	off := time.Duration(rapid.IntRange(-5, 5).Draw(t, "steps")) * 30 * time.Second
	at := m.clock.Add(off)
	d := rapid.SampledFrom([]device.Device{m.app, m.mobile}).Draw(t, "device")
	m.try(t, executions().Draw(t, "execution"), d, code(m.t, at), fmt.Sprintf("step %d of %s", at.Unix()/30, d.ID))
}

func (m *model) wrongOne(t *rapid.T) {
	execution := executions().Draw(t, "execution")
	if rapid.Bool().Draw(t, "app") {
		m.try(t, execution, m.app, "no code", "nothing")
		return
	}
	m.try(t, execution, m.phone, "no code", "nothing")
}

// oldOne tries a code that another one has voided, or that is another execution's.
func (m *model) oldOne(t *rapid.T) {
	if len(m.old) == 0 {
		return
	}
	old := rapid.SampledFrom(m.old).Draw(t, "old")
	key, typed := old[:len(old)-7], old[len(old)-6:]
	execution := executions().Draw(t, "execution")
	if m.codes[execution+string(device.SMS)] == typed {
		return // one in a million
	}
	was := m.right
	m.try(t, execution, m.phone, typed, "an old code of "+key)
	if m.right != was {
		t.Fatalf("%s is good in %s", old, execution)
	}
}

func (m *model) wait(t *rapid.T) {
	m.clock = m.clock.Add(time.Duration(rapid.IntRange(1, 1200).Draw(t, "seconds")) * time.Second)
}

func TestNothingProvesTwiceAndNoCapIsPassed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{rig: newRig(t), open: map[string]mfa.Challenge{}, codes: map[string]string{}, used: map[string]bool{}}
		m.limit = rapid.IntRange(1, 7).Draw(rt, "tries")
		failure := mfapolicy.Failure{Count: m.limit, CoolDown: rapid.SampledFrom([]time.Duration{0, time.Minute, 10 * time.Minute}).Draw(rt, "cool-down")}
		m.policy.SMS.Failure, m.policy.TOTP.Failure, m.policy.Mobile.Failure = failure, failure, failure
		m.settings.Lockout = mfapolicy.Failure{}
		m.phone, m.app, m.mobile = m.rig.phone(), m.rig.app(), m.showing()
		rt.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "right sent": m.rightSent, "right app": m.rightApp, "wrong": m.wrongOne, "old": m.oldOne, "wait": m.wait,
			"": func(rt *rapid.T) {
				for name, x := range m.secrets.of {
					if x.left < 0 || x.left > min(m.limit, 5) {
						rt.Fatalf("%s has %d tries left", name, x.left)
					}
				}
				for key, n := range m.tries.of {
					if n.n < 0 {
						rt.Fatalf("%s is at %d", key, n.n)
					}
				}
			},
		})
	})
}

// TestOfTheSameCodeAtOnceOneProves: sent codes, codes of apps and recovery codes.
func TestOfTheSameCodeAtOnceOneProves(t *testing.T) {
	for name, ask := range map[string]func(r *rig) (mfa.Challenge, string){
		"sent": func(r *rig) (mfa.Challenge, string) { return r.challenge("f1", r.phone()), r.messages.last(t) },
		"app":  func(r *rig) (mfa.Challenge, string) { return r.challenge("f1", r.app()), code(t, r.clock) },
		"recovery": func(r *rig) (mfa.Challenge, string) {
			made, err := r.Regenerate(t.Context(), mfa.Enrolment{Who: r.who("f1")})
			if err != nil {
				t.Fatal(err)
			}
			return r.challenge("f1", made.Device), made.Codes[0]
		},
	} {
		for range 20 {
			r := newRig(t)
			c, right := ask(r)
			var proven atomic.Int32
			r.atOnce(8, func(i int) {
				v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: r.other("f1", i), Challenge: c, Code: right})
				if err != nil {
					t.Error(err)
				}
				if v.OK {
					proven.Add(1)
				}
			})
			if n := proven.Load(); n != 1 {
				t.Fatalf("%s: %d have proven", name, n)
			}
		}
	}
}

// TestGuessesAtOnceAreCounted: two hundred over four executions.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	r := newRig(t)
	r.policy.SMS.Failure = mfapolicy.Failure{Count: 5}
	d := r.phone()
	var asked []mfa.Challenge
	var right string
	for i := range 4 {
		asked = append(asked, r.challenge(fmt.Sprintf("f%d", i), d))
		right = r.messages.last(t)
	}
	r.atOnce(200, func(i int) {
		v, err := r.CheckOTP(t.Context(), mfa.OTP{Who: r.other(fmt.Sprintf("f%d", i%4), i), Challenge: asked[i%4], Code: "no code"})
		if err != nil || v.OK {
			t.Errorf("%+v, %v", v, err)
		}
	})
	if r.secrets.compared != 10 || r.store.tally("device/"+d.ID).count != 10 {
		t.Errorf("%d compared, %d counted", r.secrets.compared, r.store.tally("device/"+d.ID).count)
	}
	if v := r.otp("f3", asked[3], right); v.OK {
		t.Error("the right one is taken afterwards")
	}
	if n := len(r.messages.mail()); n != 1 {
		t.Errorf("%d alerts", n)
	}
}

// other is who with an effect of its own.
func (r *rig) other(execution string, i int) mfa.Who {
	return mfa.Who{Env: env, UserID: user, Username: "ada", Flow: execution, Effect: fmt.Sprintf("%s/other/%d", execution, i)}
}

func (r *rig) atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}
