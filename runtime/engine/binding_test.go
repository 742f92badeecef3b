package engine_test

import (
	"strings"
	"testing"
	"time"

	"doorward/runtime/flow"
)

func TestAnExecutionIsBoundToACookieWeIssued(t *testing.T) {
	h := newHouse(t, knows("a"))
	anonymous := h.browser()
	anonymous.start()
	signedOn := h.browser()
	signedOn.signOn("ada")

	tests := []struct {
		name, cookie string
		kept         bool
	}{
		{"none", "", false},
		{"an anonymous one of ours", anonymous.cookie, true},
		{"that of a session", signedOn.cookie, true},
		{"a planted one", "aaaaaaaa", false},
		{"a planted one of the right length", strings.Repeat("a", 64), false},
		{"one of ours with another seed", "A" + anonymous.cookie[1:], false},
		{"one of ours with a letter more", anonymous.cookie + "A", false},
		{"a very long one", strings.Repeat("a", 5000), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := h.browser()
			b.cookie = tt.cookie
			v := b.start()
			if (v.Cookie == "") != tt.kept {
				t.Errorf("answered with cookie %q", v.Cookie)
			}
			if h.record(v).Binding != flow.Sum(b.cookie) {
				t.Error("bound to something else")
			}
			if _, err := b.see(v); err != nil {
				t.Errorf("its owner does not see it: %v", err)
			}
		})
	}
}

func TestAForeignCallerGetsTheAnswerOfAnUnknownId(t *testing.T) {
	h := newHouse(t, knows("a"))
	owner := h.browser()
	v := owner.start(pi)
	owner.token = "" // its cookie is at hand as well
	owner.cookie = v.Cookie
	unknown := flow.View{Ref: flow.Ref{Env: env, ID: "00000000-0000-4000-8000-000000000000"}}

	stranger := h.browser()
	stranger.start()
	session := h.browser()
	session.signOn("mallory")
	for name, b := range map[string]*browser{
		"no cookie":                  h.browser(),
		"another anonymous cookie":   stranger,
		"another session":            session,
		"a forged cookie":            {h: h, cookie: "aaaaaaaa"},
		"a wrong token":              {h: h, token: "aaaaaaaa"},
		"the token beside a cookie":  {h: h, cookie: stranger.cookie, token: v.FlowToken},
		"the cookie sent as a token": {h: h, token: v.Cookie},
		"the token sent as a cookie": {h: h, cookie: v.FlowToken},
	} {
		t.Run(name, func(t *testing.T) {
			ask := h.ask.evaluated.Load()
			reach := map[string]func(flow.View) error{
				"read":   func(v flow.View) error { _, err := b.see(v); return err },
				"submit": func(v flow.View) error { _, err := b.send(v.Ref, say("ada", "right")); return err },
				"reset":  func(v flow.View) error { _, err := b.send(v.Ref, flow.Submit{Action: "session.reset"}); return err },
				"odd": func(v flow.View) error {
					_, err := b.send(v.Ref, flow.Submit{Action: "nothing", Token: "x"})
					return err
				},
				"resume": func(v flow.View) error { _, _, err := b.resume(v); return err },
			}
			for what, fn := range reach {
				theirs, nobodys := wants(t, fn(v), flow.NotFound), wants(t, fn(unknown), flow.NotFound)
				theirs.Err, nobodys.Err = nil, nil // for the log
				if theirs.View != nil || theirs.Error() != nobodys.Error() || theirs.Restart != nobodys.Restart {
					t.Errorf("%s: %+v, an unknown id gets %+v", what, theirs, nobodys)
				}
			}
			if h.ask.evaluated.Load() != ask {
				t.Error("the answer was evaluated")
			}
		})
	}
	if x := h.record(v); x.Version != 1 {
		t.Errorf("version %d", x.Version)
	}
	owner.answer(v, "ada", "right")
}

func TestAcceptanceRotatesTheCookie(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.start()
	seen := []string{b.cookie}
	for _, answer := range []string{"wrong", "more", "right", "wrong", "right"} {
		before := b.cookie
		v, _ = b.send(v.Ref, say("ada", answer))
		if rotated := b.cookie != before; rotated != (answer == "right") {
			t.Fatalf("after %q: rotated %v", answer, rotated)
		}
		if answer == "right" {
			seen = append(seen, b.cookie)
		}
	}
	if v.Status != flow.Completed || len(seen) != 3 || len(b.cookie) != 43 {
		t.Fatalf("status %s, cookies %q", v.Status, seen)
	}
	for i, st := range seen {
		_, err := (&browser{h: h, cookie: st}).see(v)
		if last := i == len(seen)-1; (err == nil) != last {
			t.Errorf("cookie %d: %v", i, err)
		}
		if i > 0 && (h.store.session(env, flow.Sum(st)) != nil) != (i == len(seen)-1) {
			t.Errorf("cookie %d: wrong session", i)
		}
	}
}

func TestOtherTabsLiveOnWhenOneSignsOn(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	tab, other := b.start(), b.start()
	first := b.answer(tab, "ada", "right")
	if _, err := b.see(other); err != nil {
		t.Fatalf("the other tab is gone: %v", err)
	}
	if x := h.record(other); x.Version != 1 || x.Binding == flow.Sum(b.cookie) {
		t.Error("a read changed the execution")
	}
	other, err := b.send(other.Ref, say("ada", "wrong"))
	wants(t, err, flow.InvalidData)
	if x := h.record(other); x.Binding != flow.Sum(b.cookie) || x.SessionID != first.SessionID {
		t.Error("the touched execution is not bound to the new cookie")
	}
	v := b.answer(other, "ada", "right")
	if v.Status != flow.Completed || v.SessionID != first.SessionID {
		t.Errorf("status %s, session %s, was %s", v.Status, v.SessionID, first.SessionID)
	}
}

func TestAdoptionEnds(t *testing.T) {
	tests := map[string]func(h *house, b *browser) flow.View{
		"when a credential was accepted in it": func(_ *house, b *browser) flow.View {
			half := b.answer(b.start(), "ada", "right")
			b.answer(b.start(), "ada", "right")
			return half
		},
		"after a quarter of an hour": func(h *house, b *browser) flow.View {
			h.pass(time.Minute)
			b.signOn("ada")
			h.pass(flow.ReplacedFor - time.Minute)
			tab := b.start()
			b.signOn("ada")
			h.pass(flow.ReplacedFor)
			h.store.executions[tab.Ref].expires = h.now().Add(time.Hour)
			h.store.executions[tab.Ref].record.ExpiresAt = h.now().Add(time.Hour)
			return tab
		},
		"after four more values": func(_ *house, b *browser) flow.View {
			tab := b.start()
			for range flow.ReplacedKept + 1 {
				b.signOn("ada")
			}
			return tab
		},
	}
	for name, tab := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"), has("b"))
			b := h.browser()
			v := tab(h, b)
			_, err := b.see(v)
			wants(t, err, flow.NotFound)
			_, err = b.send(v.Ref, say("", "right"))
			wants(t, err, flow.NotFound)
		})
	}
}

func TestSignOffByIDEndsTheSessionWhereverItIs(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.signOn("ada")
	h.heard()
	for name, session := range map[string]string{"unknown": "00000000-0000-4000-8000-000000000000", "empty": ""} {
		if id, err := h.SignOff(t.Context(), env, flow.Caller{}, session); id != "" || err != nil {
			t.Errorf("%s: session %q, error %v", name, id, err)
		}
	}
	same(t, nil, h.heard())
	if id, err := h.SignOff(t.Context(), env, flow.Caller{}, v.SessionID); id != "" || err != nil {
		t.Errorf("session %q, error %v", id, err)
	}
	same(t, []flow.EventType{flow.SessionEnded}, h.heard())
	if v := b.start(); v.User.ID != "" {
		t.Errorf("the next person is %q", v.User.ID)
	}
}

func TestSignOffClosesTheExecutionsOfTheSession(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	done := b.signOn("ada")
	open := b.start()
	half := b.answer(b.start(), "", "right")
	h.heard()
	id, err := h.SignOff(t.Context(), env, b.caller(), "")
	if err != nil || id != half.SessionID || id == "" {
		t.Fatalf("session %q, error %v", id, err)
	}
	same(t, []flow.EventType{flow.SessionEnded}, h.heard())
	for _, v := range []flow.View{done, open, half} {
		_, err := b.see(v)
		wants(t, err, flow.NotFound)
		_, _, err = b.resume(v)
		wants(t, err, flow.NotFound)
	}
	if v := b.start(); v.User.ID != "" || v.Cookie == "" {
		t.Errorf("the next person is %q, with cookie %q", v.User.ID, v.Cookie)
	}
	for name, cookie := range map[string]string{"again": b.cookie, "without a cookie": "", "with a planted one": "aaaa"} {
		if id, err := h.SignOff(t.Context(), env, flow.Caller{Cookie: cookie}, ""); id != "" || err != nil {
			t.Errorf("%s: session %q, error %v", name, id, err)
		}
	}
}

func TestAFlowTokenServesOnlyPiFlow(t *testing.T) {
	tests := map[string]struct {
		edit  func(*flow.Start)
		given bool
	}{
		"pi.flow of an application that allows it": {pi, true},
		"pi.flow of another application":           {func(s *flow.Start) { s.Request.PiFlow = true }, false},
		"not pi.flow":                              {func(s *flow.Start) { s.FlowToken = true }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"), has("b"))
			b := h.browser()
			v := b.start(tt.edit)
			if (v.FlowToken != "") != tt.given || h.record(v).Token != flow.Sum(v.FlowToken) {
				t.Fatalf("token %q", v.FlowToken)
			}
			if !tt.given {
				return
			}
			token := b.token
			v = b.answer(b.answer(v, "ada", "right"), "", "right")
			if b.token != token {
				t.Error("an accepted credential changed the token")
			}
			if _, done, err := b.resume(v); err != nil || done == nil {
				t.Errorf("completion %v, error %v", done, err)
			}
		})
	}
}

func TestAFlowTokenInTheRecordIsNotEnough(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start(pi)
	h.store.executions[v.Ref].record.Request.PiFlow = false
	_, err := b.see(v)
	wants(t, err, flow.NotFound)
}

func TestAnAnonymousCookieOutlivesOneKeyRotation(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.keys.rotate()
	v = b.answer(v, "ada", "wrong-but-waits")
	if again := b.start(); again.Cookie != "" {
		t.Error("the cookie was replaced")
	}
	h.keys.rotate()
	_, err := b.see(v)
	wants(t, err, flow.NotFound)
}
