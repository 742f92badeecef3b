package engine_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func TestARepeatGetsTheFirstAnswer(t *testing.T) {
	tests := map[string]flow.Submit{
		"of what was taken":    say("ada", "right"),
		"of what was refused":  say("ada", "wrong"),
		"of a reset":           {Action: engine.ResetAction},
		"with a key":           {Action: "answer", Values: flow.Values{"answer": "more"}, Key: "k1"},
		"of a failed sign-on":  say("", "fail"),
		"that was half enough": say("ada", "half"),
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"), has("b"))
			b := h.browser()
			v := b.start(func(s *flow.Start) { s.Request.PiFlow, s.FlowToken = true, true })
			b.cookie, b.token = v.Cookie, "" // a browser, although it might hold the token
			s.Token = v.Token
			was := *b
			first, firstErr := b.send(v.Ref, s)
			for _, who := range []*browser{&was, b} {
				h.pass(flow.RepeatFor/2 - 1)
				n, version := h.ask.evaluated.Load(), h.record(v).Version
				h.heard()
				again, err := who.send(v.Ref, s)
				if who == b {
					again.Cookie = first.Cookie // it holds the new one already
				}
				same(t, first, again)
				if (err == nil) != (firstErr == nil) || err != nil && flow.AsFault(err).Error() != flow.AsFault(firstErr).Error() {
					t.Errorf("error %v, was %v", err, firstErr)
				}
				if h.ask.evaluated.Load() != n || h.record(v).Version != version || len(h.heard()) != 0 {
					t.Error("the repeat was evaluated")
				}
				was.cookie = v.Cookie
			}
		})
	}
}

// TestARepeatBeyondTheSessionHandsOutNothing: a caller whose session has replaced that of
// the execution gets the answer, and neither the cookie nor the token that came with it.
func TestARepeatBeyondTheSessionHandsOutNothing(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start(func(s *flow.Start) { s.Request.PiFlow, s.FlowToken = true, true })
	b.cookie, b.token = v.Cookie, ""
	reset := flow.Submit{Action: engine.ResetAction}
	first, err := b.send(v.Ref, reset)
	if err != nil || first.FlowToken == "" || first.Cookie == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	b.cookie, b.token = first.Cookie, ""
	b.signOn("ada") // in another tab
	st, version := b.cookie, h.record(v).Version
	again, err := b.send(v.Ref, reset)
	if err != nil || again.Version != first.Version || again.FlowToken != "" || again.Cookie != "" {
		t.Errorf("%+v, %v", again, err)
	}
	if h.record(v).Version != version || h.store.session(env, flow.Sum(st)) == nil {
		t.Error("the repeat changed something")
	}
}

func TestARepeatAsksForTheSameDetails(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	_, err := b.send(v.Ref, say("ada", "wrong"))
	first := wants(t, err, flow.InvalidData)
	_, err = b.send(v.Ref, say("ada", "wrong"))
	again := wants(t, err, flow.InvalidData)
	same(t, first.Details, again.Details)
	if again.View == nil || again.View.Version != 2 || again.Details[0].Inner["tries"] != 1 {
		t.Errorf("fault %+v", again)
	}
}

func TestWhatIsNoRepeat(t *testing.T) {
	tests := map[string]struct {
		then  func(h *house, b *browser, v flow.View)
		code  flow.Code // of the second submit; empty: evaluated anew
		stale bool
	}{
		"after a minute":                {then: func(h *house, _ *browser, _ flow.View) { h.pass(flow.RepeatFor) }, code: flow.InvalidData},
		"after another submit":          {then: func(_ *house, b *browser, v flow.View) { b.answer(v, "", "more") }, code: flow.InvalidData},
		"after one that is not marked":  {then: func(_ *house, b *browser, v flow.View) { poll(b, v) }, code: flow.InvalidData},
		"after a minute, with a token":  {then: func(h *house, _ *browser, _ flow.View) { h.pass(flow.RepeatFor) }, code: flow.Conflict, stale: true},
		"after another, with its token": {then: func(_ *house, b *browser, v flow.View) { b.answer(v, "", "more") }, code: flow.Conflict, stale: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start()
			s := say("ada", "wrong")
			if tt.stale {
				s.Token = v.Token
			}
			v, _ = b.send(v.Ref, s)
			tt.then(h, b, v)
			_, err := b.send(v.Ref, s)
			f := wants(t, err, tt.code)
			if !tt.stale && f.Details[0].Inner["tries"] != 2 {
				t.Errorf("not evaluated anew: %+v", f.Details)
			}
		})
	}
}

func poll(b *browser, v flow.View) flow.View {
	v, _ = b.send(v.Ref, flow.Submit{Action: "answer.poll"})
	return v
}

func TestAnActionThatRepeatsIsEvaluatedEachTime(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	for i := range 3 {
		v = poll(b, v)
		if int(h.ask.evaluated.Load()) != i+1 || v.Version != uint64(i+2) {
			t.Fatalf("poll %d: evaluated %d, version %d", i, h.ask.evaluated.Load(), v.Version)
		}
	}
}

func TestAStepTokenOfAnotherStateIsAConflict(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	first := b.start()
	other := b.start()
	second := b.answer(first, "ada", "more")
	for name, token := range map[string]string{
		"of the state before":   first.Token,
		"of another execution":  other.Token,
		"garbage":               "x",
		"with a letter changed": "A" + second.Token[1:],
		"with a letter more":    second.Token + "A",
		"much too long":         string(make([]byte, 5000)),
	} {
		h.heard()
		s := say("ada", "right")
		s.Token = token
		_, err := b.send(first.Ref, s)
		f := wants(t, err, flow.Conflict)
		if f.View == nil || f.View.Version != 2 || f.View.Token != second.Token || f.View.Status != "MORE_REQUIRED" {
			t.Errorf("%s: view %+v", name, f.View)
		}
		same(t, []flow.EventType{flow.FlowStaleToken}, h.heard())
	}
	h.keys.rotate()
	b.answer(second, "ada", "right") // a token outlives one rotation
}

func TestAnIdempotencyKeyIsForOneSubmit(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	s := say("ada", "more")
	s.Key = "k1"
	if _, err := b.send(v.Ref, s); err != nil {
		t.Fatal(err)
	}
	h.heard()
	s.Values = flow.Values{"answer": "right", "user": "ada"}
	_, err := b.send(v.Ref, s)
	if f := wants(t, err, flow.Conflict); f.View == nil || f.View.Version != 2 {
		t.Errorf("view %+v", f.View)
	}
	same(t, []flow.EventType{flow.FlowConflict}, h.heard())
	s.Key = "k2"
	if v, err = b.send(v.Ref, s); err != nil || v.Status != flow.Completed {
		t.Errorf("status %s, error %v", v.Status, err)
	}
}

func TestADifferentSubmitConflictsAtOnceWhileOneRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, knows("a"))
		h.ask.takes = 3 * time.Second
		b := h.browser()
		v := b.start()
		winner := make(chan error)
		go func() {
			_, err := h.Act(t.Context(), v.Ref, b.caller(), say("ada", "more"))
			winner <- err
		}()
		synctest.Wait()
		began := time.Now()
		_, err := b.send(v.Ref, say("ada", "right"))
		if f := wants(t, err, flow.Conflict); f.View == nil || f.View.Version != 1 {
			t.Errorf("view %+v", f.View)
		}
		_, err = h.browser().send(v.Ref, say("ada", "right"))
		wants(t, err, flow.NotFound)
		if _, err := b.see(v); err != nil {
			t.Errorf("a read waits for the lease: %v", err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("answered after %s", d)
		}
		if err := <-winner; err != nil {
			t.Errorf("winner: %v", err)
		}
		if h.ask.evaluated.Load() != 1 || h.record(v).Status != "MORE_REQUIRED" {
			t.Errorf("%d evaluated", h.ask.evaluated.Load())
		}
	})
}

func TestEqualSubmitsAtOnceAreEvaluatedOnce(t *testing.T) {
	for name, answer := range map[string]string{"taken": "right", "refused": "wrong"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, knows("a"), has("b"))
				h.ask.takes = 40 * time.Millisecond
				b := h.browser()
				v := b.start()
				views, errs := make([]flow.View, 24), make([]error, 24)
				var all sync.WaitGroup
				for i := range views {
					all.Go(func() { views[i], errs[i] = h.Act(t.Context(), v.Ref, b.caller(), say("ada", answer)) })
				}
				all.Wait()
				if h.ask.evaluated.Load() != 1 || h.record(v).Version != 2 {
					t.Fatalf("%d evaluated, version %d", h.ask.evaluated.Load(), h.record(v).Version)
				}
				for i := range views {
					same(t, views[0], views[i])
					if answer == "right" && (errs[i] != nil || len(views[i].Cookie) != 43) {
						t.Errorf("answer %d: cookie %q, error %v", i, views[i].Cookie, errs[i])
					}
					if answer == "wrong" {
						wants(t, errs[i], flow.InvalidData)
					}
				}
			})
		})
	}
}

func TestWaitingForAnEqualSubmitEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, knows("a"))
		b := h.browser()
		v := b.start()
		h.ask.hold = make(chan struct{})
		go func() { _, _ = h.Act(t.Context(), v.Ref, b.caller(), say("ada", "right")) }()
		synctest.Wait()
		ctx, cancel := contextFor(t, flow.RequestTimeout)
		defer cancel()
		_, err := h.Act(ctx, v.Ref, b.caller(), say("ada", "right"))
		wants(t, err, flow.Unavailable)
		close(h.ask.hold)
	})
}
