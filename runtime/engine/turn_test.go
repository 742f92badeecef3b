package engine_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func TestASubmitThatIsNotTaken(t *testing.T) {
	tests := []struct {
		name   string
		submit flow.Submit
		code   flow.Code
		detail string
		event  flow.EventType
	}{
		{"an action of another status", flow.Submit{Action: "answer.more"}, flow.InvalidRequest, flow.ActionNotOffered, flow.FlowNotOffered},
		{"an unknown action", flow.Submit{Action: "user.register"}, flow.InvalidRequest, flow.ActionNotOffered, flow.FlowNotOffered},
		{"no action", flow.Submit{}, flow.InvalidRequest, flow.ActionNotOffered, flow.FlowNotOffered},
		{"an empty body", flow.Submit{Action: "answer"}, flow.InvalidData, flow.RequiredValue, ""},
		{"a value of another type", flow.Submit{Action: "answer", Values: flow.Values{"answer": []any{}}}, flow.InvalidData, flow.InvalidValue, ""},
		{"a value nobody asked for", flow.Submit{Action: "answer", Values: flow.Values{"answer": "right", "status": "COMPLETED"}}, flow.InvalidData, flow.InvalidValue, ""},
		{"a reset with values", flow.Submit{Action: engine.ResetAction, Values: flow.Values{"user": "ada"}}, flow.InvalidData, flow.InvalidValue, ""},
		{"a kind that is too busy", say("ada", "busy"), flow.Unavailable, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start()
			h.heard()
			got, err := b.send(v.Ref, tt.submit)
			f := wants(t, err, tt.code)
			v.Cookie = ""
			same(t, v, got)
			same(t, &v, f.View)
			if tt.detail != "" && f.Details[0].Code != tt.detail {
				t.Errorf("details %+v", f.Details)
			}
			if heard := h.heard(); len(heard) > 1 || len(heard) == 1 && heard[0] != tt.event || len(heard) == 0 && tt.event != "" {
				t.Errorf("events %v", heard)
			}
			if x := h.record(v); x.Version != 1 || x.Attempt != 0 {
				t.Errorf("version %d, attempt %d", x.Version, x.Attempt)
			}
		})
	}
	t.Run("values that are no JSON", func(t *testing.T) {
		h := newHouse(t, knows("a"))
		b := h.browser()
		_, err := b.send(b.start().Ref, flow.Submit{Action: "answer", Values: flow.Values{"answer": func() {}}})
		wants(t, err, flow.InvalidRequest)
	})
}

func TestAnActionNotOfferedNamesThoseThatAre(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	_, err := b.send(b.start().Ref, flow.Submit{Action: "answer.more"})
	f := wants(t, err, flow.InvalidRequest)
	same(t, any([]string{"answer", "answer.poll", engine.ResetAction}), f.Details[0].Inner["allowedValues"])
}

func TestARefusalIsCountedAndEventsFollowTheSave(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.heard()
	h.fail("save", false)
	_, err := b.send(v.Ref, say("ada", "wrong"))
	wants(t, err, flow.Unavailable)
	if heard := h.heard(); len(heard) != 0 {
		t.Errorf("events %v of a turn that was not saved", heard)
	}
	for i, answer := range []string{"wrong", "right"} {
		s := say("ada", answer)
		if _, err = b.send(v.Ref, s); answer == "wrong" {
			f := wants(t, err, flow.InvalidData)
			if f.Details[0].Inner["tries"] != 1 || f.View.Version != 2 || h.record(v).Attempt != uint32(i+1) {
				t.Errorf("fault %+v", f)
			}
			same(t, []flow.EventType{flow.PasswordRefused}, h.heard())
		}
	}
	same(t, []flow.EventType{flow.PasswordAccepted, flow.SessionCreated, flow.FlowCompleted}, h.heard())
}

// An effect is performed once per key, so no two submits that are both taken may
// share one, however often the plan starts again.
func TestNoTwoTakenSubmitsShareAnEffect(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.start()
	for range 3 {
		for _, s := range []flow.Submit{say("ada", "right"), say("ada", "more"), {Action: engine.ResetAction}} {
			var err error
			if v, err = b.send(v.Ref, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := map[string]bool{}
	for _, e := range h.ask.effects {
		if seen[e] {
			t.Errorf("effect %q twice", e)
		}
		seen[e] = true
	}
}

// A node that died between the effect and the save is followed by one that
// performs the same effect, which is then known.
func TestAnEffectIsTheSameWhenItsTurnIsEvaluatedAgain(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.fail("save", false)
	for range 2 {
		_, _ = b.send(v.Ref, say("ada", "right"))
	}
	if e := h.ask.effects; len(e) != 2 || e[0] != e[1] {
		t.Errorf("effects %q", e)
	}
}

func TestWhatAKindMayNotDoFailsTheTurn(t *testing.T) {
	tests := map[string]string{
		"none":         "gave no answer",
		"nowhere":      "no outlet",
		"other":        "proved somebody",
		"unknown":      "proved somebody",
		"broken":       "disk I/O error",
		flow.Completed: "cannot wait in",
		flow.Failed:    "cannot wait in",
	}
	for answer, message := range tests {
		t.Run(answer, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.start()
			_, err := b.send(v.Ref, say("", answer))
			if err == nil || !strings.Contains(err.Error(), message) || flow.AsFault(err).Code != flow.Unexpected {
				t.Errorf("error %v", err)
			}
			if x := h.record(v); x.Version != 1 || len(x.Proofs) > 0 {
				t.Errorf("record %+v", x)
			}
		})
	}
	t.Run("another user", func(t *testing.T) {
		h := newHouse(t, knows("a"), has("b"))
		b := h.browser()
		v := b.answer(b.start(), "ada", "right")
		_, err := b.send(v.Ref, say("bob", "right"))
		if err == nil || !strings.Contains(err.Error(), "changed the user") {
			t.Errorf("error %v", err)
		}
		if x := h.record(v); x.User.ID != "ada" || x.Version != 2 {
			t.Errorf("record %+v", x)
		}
	})
}

func TestAPlanThatIsWrongFailsTheStart(t *testing.T) {
	loop := passes("a")
	loop.Outlets = map[string]string{"DONE": "a"}
	skips := guarded(passes("a"), guard(func(time.Time, func(string) any) bool { return false }))
	skips.Outlets, skips.Skip = map[string]string{}, "a"
	lost := passes("a")
	lost.Outlets = map[string]string{"DONE": "b"}
	tests := map[string]struct {
		node    *flow.Node
		message string
	}{
		"a loop":            {loop, "did not settle after 64 nodes"},
		"a loop of skips":   {skips, "did not settle after 64 nodes"},
		"a missing node":    {lost, `no node "b"`},
		"an unknown kind":   {&flow.Node{Key: "a", Kind: "SMS"}, `unknown kind "SMS"`},
		"no answer":         {does("a", func(*flow.Turn) flow.Outcome { return flow.Outcome{} }), "gave no answer"},
		"a wait in nothing": {does("a", func(*flow.Turn) flow.Outcome { return flow.Wait("") }), "cannot wait in"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, tt.node)
			_, _, err := h.browser().begin()
			if err == nil || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("error %v", err)
			}
			if len(h.store.executions) != 0 {
				t.Error("stored")
			}
		})
	}
}

func TestALongPlanIsWalkedToItsEnd(t *testing.T) {
	var nodes []*flow.Node
	for i := range 63 {
		nodes = append(nodes, passes(string(rune('A'+i))))
	}
	h := newHouse(t, append(nodes, knows("last"))...)
	h.browser().start()
}

func TestAGuardThatCannotBeAskedIsANo(t *testing.T) {
	h := newHouse(t, knows("a"), guarded(has("b"), guard(func(_ time.Time, fact func(string) any) bool {
		return fact("user.mfaEnabled") == true && fact("user.enabled") == true
	})))
	asked := 0
	h.facts = func(user string) (map[string]any, error) {
		if asked++; asked == 1 {
			return nil, errors.New("directory: disk I/O error")
		}
		return map[string]any{"mfaEnabled": true, "enabled": user == "ada"}, nil
	}
	b := h.browser()
	v := b.start()
	_, err := b.send(v.Ref, say("ada", "right"))
	wants(t, err, flow.Unavailable)
	if v = b.answer(v, "ada", "right"); v.Status != asks || asked != 2 {
		t.Errorf("status %s, asked %d times", v.Status, asked)
	}
}

func TestGuardsAreToldFacts(t *testing.T) {
	got := map[string]any{}
	names := []string{"flow.request.http.remoteIp", "session.lastSignOn.at", "session.lastSignOn.withAuthenticator.pwd.at", "session.lastSignOn.withAuthenticator.mfa.at", "user.population.id", "unknown"}
	h := newHouse(t, guarded(knows("a"), guard(func(_ time.Time, fact func(string) any) bool {
		for _, n := range names {
			got[n] = fact(n)
		}
		return true
	})))
	h.facts = func(string) (map[string]any, error) { return map[string]any{"population.id": "p1"}, nil }
	b := h.browser()
	b.ip = netip.MustParseAddr("::ffff:192.0.2.9")
	b.start()
	if got[names[1]] != nil || got[names[4]] != nil {
		t.Errorf("facts of nobody %v", got)
	}
	b.signOn("ada")
	b.start()
	want := []any{netip.MustParseAddr("192.0.2.9"), monday(), monday(), nil, "p1", nil}
	for i, n := range names {
		if got[n] != want[i] {
			t.Errorf("%s is %v, want %v", n, got[n], want[i])
		}
	}
	b.ip = netip.Addr{}
	b.start(fresh)
	if got[names[0]] != nil {
		t.Errorf("facts %v", got)
	}
}
