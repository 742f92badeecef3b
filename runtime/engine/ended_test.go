package engine_test

import (
	"context"
	"testing"

	"doorward/runtime/flow"
)

// A session is ended under every cookie value that it lies under, whether it is named or
// is the browser's own: a turn may have died between the new one and the old.
func TestASessionEndsUnderEveryCookieValue(t *testing.T) {
	for name, own := range map[string]bool{"by its id": false, "by the cookie that the browser has": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			last := &lastPut{store: h.store, key: map[string]flow.Digest{}}
			h.sessions, h.index = last, last
			h.build()
			b := h.browser()
			done := b.signOn("ada")
			v := b.start(func(s *flow.Start) { s.Request.Fresh = true })
			h.fail("save", false)
			if _, err := b.send(v.Ref, say("ada", "right")); err == nil {
				t.Fatal("the turn was saved")
			}
			h.store.gate = nil
			by, session := h.browser().caller(), done.SessionID
			if own {
				by, session = b.caller(), ""
			}
			if _, err := h.SignOff(t.Context(), env, by, session); err != nil {
				t.Fatal(err)
			}
			if p, err := h.Present(t.Context(), env, b.caller()); err != nil || p != nil {
				t.Errorf("still signed on: %+v, %v", p, err)
			}
			for at, s := range h.store.sessions {
				if s.User.ID != "" {
					t.Errorf("a session of %s is there yet, at %v", s.User.ID, at)
				}
			}
		})
	}
}

// lastPut finds a session as the stores do: under the value that it was put last.
type lastPut struct {
	*store
	key map[string]flow.Digest
}

func (l *lastPut) PutSession(ctx context.Context, env string, st flow.Digest, s *flow.Session) error {
	err := l.store.PutSession(ctx, env, st, s)
	if err == nil {
		l.key[s.ID] = st
	}
	return err
}

func (l *lastPut) SessionKey(_ context.Context, _, session string) (flow.Digest, error) {
	return l.key[session], nil
}

// What a client without cookies has completed is not handed back once its session was
// ended.
func TestATokenOutlivesNoSignOff(t *testing.T) {
	for name, ends := range map[string]bool{"the session lives": false, "it was ended": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start(func(s *flow.Start) { s.Request.PiFlow = true; s.FlowToken = true })
			b.cookie = ""
			done := b.answer(v, "ada", "right")
			if ends {
				if _, err := h.SignOff(t.Context(), env, h.browser().caller(), done.SessionID); err != nil {
					t.Fatal(err)
				}
			}
			if _, c, err := b.resume(done); (c != nil) == ends || (err != nil) != ends {
				t.Errorf("handed back: %v, %v", c, err)
			}
		})
	}
}

// A read of what is due, beside another submit that holds the lease, is answered at once
// with what is there.
func TestAReadBesideASubmitDoesNotInsist(t *testing.T) {
	h, w := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS", Factors: flow.Possession})
	b := h.browser()
	v := b.start()
	if _, _, err := h.store.Acquire(t.Context(), v.Ref, flow.Claim{Holder: "dead", Submit: flow.Sum("other")}, nil); err != nil {
		t.Fatal(err)
	}
	w.due.Store(true)
	h.store.batches = nil
	got, err := h.View(t.Context(), v.Ref, b.caller())
	if err != nil || got.Status != v.Status || len(h.store.batches) > 3 {
		t.Errorf("%s, %v, after %q", got.Status, err, h.store.batches)
	}
}
