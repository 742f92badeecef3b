package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// A turn that outlived its lease: another one may have been taken meanwhile.
func TestALostLeaseShowsNothingOfTheTurn(t *testing.T) {
	tests := map[string]struct {
		meanwhile func(h *house, b *browser, v flow.View)
		version   uint64
	}{
		"when only the lease ran out": {func(h *house, _ *browser, _ flow.View) { h.pass(flow.LeaseTime) }, 1},
		"when only the version moved on": {func(h *house, _ *browser, v flow.View) {
			h.store.executions[v.Ref].record.Version++
		}, 2},
		"when another submit was taken": {func(h *house, b *browser, v flow.View) {
			h.pass(flow.LeaseTime)
			b.answer(v, "", "more")
		}, 2},
	}
	for name, tt := range tests {
		for before, begin := range map[string]func(h *house, b *browser) flow.View{
			"an anonymous browser": func(_ *house, b *browser) flow.View { return b.start() },
			"a browser with a session": func(_ *house, b *browser) flow.View {
				b.signOn("ada")
				return b.start()
			},
		} {
			t.Run(name+" to "+before, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t, knows("a"))
					b := h.browser()
					v := begin(h, b)
					h.ask.hold = make(chan struct{})
					late := make(chan error)
					go func() {
						got, err := h.Act(t.Context(), v.Ref, b.caller(), say("ada", "right"))
						same(t, flow.View{}, got)
						late <- err
					}()
					synctest.Wait()
					first := h.ask.hold
					h.ask.hold = nil
					tt.meanwhile(h, b, v)
					close(first)
					f := wants(t, <-late, flow.Conflict)
					if f.View == nil || f.View.Version != tt.version || f.View.Cookie != "" || f.View.Status == flow.Completed {
						t.Errorf("view %+v", f.View)
					}
					v, err := b.see(v)
					if err != nil || v.Version != tt.version {
						t.Fatalf("version %d, error %v", v.Version, err)
					}
					h.pass(flow.LeaseTime)
					if done := b.answer(v, "ada", "right"); done.Status != flow.Completed {
						t.Errorf("ended in %s", done.Status)
					}
				})
			})
		}
	}
}

// The session is written before the execution is saved, so a turn that is late
// writes one that nobody may ever be known by.
func TestALostTurnDoesNotTouchTheWinnersSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, knows("a"))
		b := h.browser()
		v := b.start()
		slow := make(chan struct{})
		h.store.gate = func(_ context.Context, batch string, run func() error) error {
			if batch == "put session" {
				<-slow
			}
			return run()
		}
		late := make(chan error)
		go func() {
			_, err := h.Act(t.Context(), v.Ref, b.caller(), say("ada", "right"))
			late <- err
		}()
		synctest.Wait()
		h.store.gate = nil
		h.pass(flow.LeaseTime)
		won := b.answer(v, "bob", "right")
		close(slow)
		wants(t, <-late, flow.NotFound) // the winner has rotated the cookie
		if s := h.store.session(env, flow.Sum(b.cookie)); s == nil || s.User.ID != "bob" || s.ID != won.SessionID {
			t.Errorf("session %+v", s)
		}
		if next, _, _ := b.begin(); next.User.ID != "bob" {
			t.Errorf("the browser is known as %q", next.User.ID)
		}
	})
}

func TestAStoreThatFailsIsANo(t *testing.T) {
	tests := []struct {
		batch string
		do    func(h *house, b *browser, v flow.View) error
	}{
		{"session", func(_ *house, b *browser, _ flow.View) error { _, _, err := b.begin(); return err }},
		{"create", func(_ *house, b *browser, _ flow.View) error { b.cookie = ""; _, _, err := b.begin(); return err }},
		{"load", func(_ *house, b *browser, v flow.View) error { _, err := b.see(v); return err }},
		{"resume", func(_ *house, b *browser, v flow.View) error { _, _, err := b.resume(v); return err }},
		{"acquire", submits("right")},
		{"put session", submits("right")},
		{"save", submits("right")},
		{"end session", submits("right")},
		{"save", submits("wrong")},
		{"end session", func(h *house, b *browser, _ flow.View) error {
			_, err := h.SignOff(h.t.Context(), env, b.caller(), "")
			return err
		}},
		{"end session", func(_ *house, b *browser, v flow.View) error {
			_, err := b.send(v.Ref, flow.Submit{Action: engine.ResetAction})
			return err
		}},
	}
	for _, tt := range tests {
		for _, ran := range []bool{false, true} {
			t.Run(tt.batch, func(t *testing.T) {
				h := newHouse(t, knows("a"))
				b := h.browser()
				b.signOn("ada")
				v := b.start()
				h.fail(tt.batch, ran)
				f := wants(t, tt.do(h, b, v), flow.Unavailable)
				if f.RetryAfter <= 0 || f.View != nil {
					t.Errorf("fault %+v", f)
				}
			})
		}
	}
}

func submits(answer string) func(h *house, b *browser, v flow.View) error {
	return func(_ *house, b *browser, v flow.View) error {
		_, err := b.send(v.Ref, say("", answer))
		return err
	}
}

// Whatever broke, the same submit sent again ends as if nothing had.
func TestSendingAgainAfterAFailureGoesOn(t *testing.T) {
	for _, batch := range []string{"acquire", "put session", "save", "end session", "release"} {
		for _, ran := range []bool{false, true} {
			for action, s := range map[string]flow.Submit{"answer": say("", "right"), "reset": {Action: engine.ResetAction}} {
				t.Run(batch+" "+action, func(t *testing.T) {
					h := newHouse(t, knows("a"), has("b"))
					b := h.browser()
					b.signOn("ada")
					v := b.start()
					old := b.cookie
					h.fail(batch, ran)
					got, err := b.send(v.Ref, s)
					if err != nil {
						wants(t, err, flow.Unavailable)
						if got, err = b.send(v.Ref, s); err != nil {
							t.Fatalf("sent again: %v", err)
						}
					}
					h.store.gate = nil
					if got.Version != 2 || b.cookie == old || h.store.session(env, flow.Sum(old)) != nil {
						t.Errorf("version %d, rotated %v, old session %v", got.Version, b.cookie != old, h.store.session(env, flow.Sum(old)))
					}
					for _, answer := range []string{"right", "right"} {
						if got.Status != flow.Completed {
							got = b.answer(got, "ada", answer)
						}
					}
					if _, done, err := b.resume(got); err != nil || done == nil {
						t.Errorf("completion %v, error %v", done, err)
					}
				})
			}
		}
	}
}

func TestATurnGivesTheLeaseBack(t *testing.T) {
	for name, s := range map[string]flow.Submit{
		"that was saved":          say("ada", "more"),
		"that did not fit":        {Action: "answer", Values: flow.Values{"answer": 1.0}},
		"that we failed in":       say("ada", "broken"),
		"that is not offered":     {Action: "nothing"},
		"with a stale token":      {Action: "answer", Token: "x"},
		"that leads nowhere":      say("ada", "nowhere"),
		"when a pool is too busy": say("ada", "busy"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start()
			_, _ = b.send(v.Ref, s)
			if c := h.store.executions[v.Ref]; h.now().Before(c.until) {
				t.Error("the lease is still held")
			}
			_, _ = h.browser().send(v.Ref, say("ada", "right"))
			if c := h.store.executions[v.Ref]; h.now().Before(c.until) {
				t.Error("a stranger holds the lease")
			}
		})
	}
}

func TestAReadTakesNoLeaseAndSlidesNothing(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.store.batches = nil
	h.pass(time.Minute)
	again, err := b.see(v)
	if err != nil {
		t.Fatal(err)
	}
	v.Cookie = ""
	same(t, v, again)
	same(t, []string{"load"}, h.store.batches)
}

func TestTheHappyPathIsFewBatches(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	v = b.answer(v, "ada", "right")
	if _, _, err := b.resume(v); err != nil {
		t.Fatal(err)
	}
	same(t, []string{"create", "acquire", "put session", "save", "resume"}, h.store.batches)
}

// tardy is what a client of a store returns when its own time is up.
type tardy struct{ error }

func (tardy) Timeout() bool { return true }

func TestAStoreThatGaveNoAnswerIsNotWaitedForAgain(t *testing.T) {
	for _, batch := range []string{"acquire", "save"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start()
			answered, released := make(chan struct{}), false
			h.store.gate = func(_ context.Context, name string, run func() error) error {
				switch name {
				case batch:
					return tardy{errors.New("i/o timeout")}
				case "release":
					<-answered // the caller has its answer by then, or this is a deadlock
					released = true
				}
				return run()
			}
			_, err := b.send(v.Ref, say("ada", "wrong"))
			wants(t, err, flow.Unavailable)
			close(answered)
			synctest.Wait()
			if !released {
				t.Errorf("the lease is not given back after %s stopped answering", batch)
			}
		})
	}
}
