package engine_test

import (
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func TestResetForgetsEverybody(t *testing.T) {
	tests := map[string]func(h *house, b *browser) flow.View{
		"half way":             func(_ *house, b *browser) flow.View { return b.answer(b.start(), "ada", "right") },
		"known by the session": func(_ *house, b *browser) flow.View { b.signOn("ada"); return b.start() },
		"at the first step":    func(_ *house, b *browser) flow.View { return b.start() },
		"with a token":         func(_ *house, b *browser) flow.View { return b.answer(b.start(pi), "ada", "right") },
	}
	for name, begin := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"), has("b"))
			b := h.browser()
			v := begin(h, b)
			was, before := *b, h.record(v)
			h.pass(time.Minute)
			v = b.reset(v)

			x := h.record(v)
			if v.Status != asks || x.Node != "a" || v.User.ID != "" || v.SessionID != "" || len(x.Proofs) != 0 || len(x.Steps) != 0 || x.Accepted {
				t.Fatalf("view %+v, record %+v", v, x)
			}
			if !x.EndsAt.Equal(before.EndsAt) || !x.CreatedAt.Equal(before.CreatedAt) || x.Version != before.Version+1 {
				t.Error("its time started again")
			}
			if b.cookie == was.cookie && b.token == was.token || x.Binding == before.Binding {
				t.Error("the caller kept its credential")
			}
			_, err := was.see(v)
			wants(t, err, flow.NotFound)
			if len(h.store.sessions) != 0 && was.token == "" {
				t.Errorf("%d sessions", len(h.store.sessions))
			}
			v = b.answer(b.answer(v, "bob", "right"), "", "right")
			_, done, err := b.resume(v)
			if err != nil || done.User.ID != "bob" || done.SessionID == before.SessionID {
				t.Errorf("completion %+v, error %v", done, err)
			}
		})
	}
}

// The attack that gave the test its name: the factor of one user must not
// complete the sign-on of another.
func TestSec_SEQ_RESET_MIX(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.reset(b.answer(b.start(), "ada", "right"))
	v = b.answer(v, "mallory", "right")
	if x := h.record(v); len(x.Proofs) != 1 || x.Proofs[0].Subject != "mallory" {
		t.Errorf("proofs %+v", x.Proofs)
	}
	v = b.answer(v, "", "right")
	_, done, err := b.resume(v)
	if err != nil || done.User.ID != "mallory" {
		t.Errorf("completion %+v, error %v", done, err)
	}
}

func TestAResetIsRecordedWithTheSessionItEnds(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	b.signOn("ada")
	v := b.start()
	h.heard()
	b.reset(v)
	same(t, []flow.EventType{flow.FlowReset, flow.SessionEnded}, h.heard())
}

func TestAResetThatForgetsNobodyIsNotRecorded(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.start()
	h.heard()
	v = b.reset(v)
	same(t, nil, h.heard())
	v = b.answer(v, "ada", "right")
	h.heard()
	b.reset(v)
	same(t, []flow.EventType{flow.FlowReset, flow.SessionEnded}, h.heard())
}

func TestTheSessionBecomesThatOfWhoeverSignsOn(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	tab := b.start()
	first := b.signOn("ada")
	again := b.signOn("ada")
	if again.SessionID != first.SessionID {
		t.Errorf("the session's id changed from %s to %s", first.SessionID, again.SessionID)
	}
	v := b.answer(tab, "bob", "right")
	s := h.store.session(env, flow.Sum(b.cookie))
	if v.SessionID == first.SessionID || s == nil || s.User.ID != "bob" || len(s.Proofs) != 1 || s.ID != v.SessionID {
		t.Errorf("session %+v", s)
	}
	if len(h.store.sessions) != 1 {
		t.Errorf("%d sessions", len(h.store.sessions))
	}
}

func TestASessionKeepsWhatItNeeds(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	b.signOn("ada")
	h.pass(time.Hour)
	b.signOn("ada")
	s := h.store.session(env, flow.Sum(b.cookie))
	if len(s.Proofs) != 2 || !s.Proofs[0].At.Equal(h.now()) || !s.CreatedAt.Equal(monday()) || s.UserAgent != "test" || s.RemoteIP != "192.0.2.1" {
		t.Errorf("session %+v", s)
	}
	if !s.ExpiresAt.Equal(h.now().Add(engine.SessionIdle)) || len(s.Replaced) != 2 {
		t.Errorf("expires %s, replaced %d", s.ExpiresAt, len(s.Replaced))
	}
	b.answer(b.reset(b.start()), "ada", "half")
	if s = h.store.session(env, flow.Sum(b.cookie)); s == nil || s.User.ID != "" || len(s.Proofs) != 0 {
		t.Errorf("half a sign-on left %+v", s)
	}
}
