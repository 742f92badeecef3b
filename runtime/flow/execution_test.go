package flow_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorward/runtime/flow"
)

func TestHasReplaced(t *testing.T) {
	was := flow.Sum("was")
	s := &flow.Session{Replaced: []flow.Replaced{{Hash: flow.Sum("other"), At: noon()}, {Hash: was, At: noon()}, {At: noon()}}}
	tests := []struct {
		name    string
		session *flow.Session
		digest  flow.Digest
		after   time.Duration
		want    bool
	}{
		{"just now", s, was, 0, true},
		{"until a quarter of an hour", s, was, flow.ReplacedFor - 1, true},
		{"not longer", s, was, flow.ReplacedFor, false},
		{"another value", s, flow.Sum("never"), 0, false},
		{"no value", s, flow.Digest{}, 0, false},
		{"no session", nil, was, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.session.HasReplaced(tt.digest, noon().Add(tt.after)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEveryDeadlineLeavesRoomForTheOneInside(t *testing.T) {
	for name, holds := range map[string]bool{
		"a request outlasts its turn":              flow.RequestTimeout > flow.TurnTimeout,
		"a turn outlasts one call":                 flow.TurnTimeout > flow.CallTimeout,
		"a lease outlasts its request":             flow.LeaseTime > flow.RequestTimeout,
		"a repeat is known longer than a lease":    flow.RepeatFor > flow.LeaseTime,
		"an execution rests less than it lives":    flow.Idle < flow.Life,
		"another tab is adopted while it may rest": flow.ReplacedFor >= flow.Idle,
	} {
		if !holds {
			t.Errorf("does not hold: %s", name)
		}
	}
}

func TestNoSecretHasTheZeroDigest(t *testing.T) {
	if !flow.Sum("").IsZero() || flow.Sum("a").IsZero() || flow.Sum("a") == flow.Sum("b") {
		t.Error("digests are mixed up")
	}
}

func TestEffectIsOnePerStepAttemptAndSubmit(t *testing.T) {
	key := func(node string, attempt uint32, submit string) string {
		return flow.NewTurn(flow.Ref{Env: "e", ID: "x"}, node, nil, noon(), nil, attempt, flow.Sum(submit)).Effect()
	}
	if first, again := key("a", 0, "s"), key("a", 0, "s"); first != again {
		t.Error("a repeat has another effect")
	}
	seen := map[string]bool{}
	for _, k := range []string{key("a", 0, "s"), key("b", 0, "s"), key("a", 1, "s"), key("a", 0, "t")} {
		if seen[k] {
			t.Errorf("effect %q twice", k)
		}
		seen[k] = true
	}
}

func TestAStepKeepsItsOwnState(t *testing.T) {
	type tries struct{ Left int }
	turn := flow.NewTurn(flow.Ref{}, "a", nil, noon(), nil, 0, flow.Digest{})
	if got, err := flow.State[tries](turn); err != nil || got.Left != 0 {
		t.Errorf("before: %+v, %v", got, err)
	}
	if err := turn.Keep(tries{Left: 3}); err != nil {
		t.Fatal(err)
	}
	if got, err := flow.State[tries](turn); err != nil || got.Left != 3 {
		t.Errorf("after: %+v, %v", got, err)
	}
	if _, err := flow.State[string](turn); err == nil {
		t.Error("read as another type")
	}
	if err := turn.Keep(func() {}); err == nil {
		t.Error("kept what cannot be kept")
	}
}

func TestAFaultIsForTheClientAndAnErrorIsNot(t *testing.T) {
	inner := errors.New("dial tcp 10.0.0.1")
	f := flow.AsFault(fmt.Errorf("load: %w", inner))
	if f.Code != flow.Unexpected || !errors.Is(f, inner) {
		t.Errorf("fault %+v", f)
	}
	busy := flow.Busy(inner)
	if got := flow.AsFault(fmt.Errorf("act: %w", busy)); got != busy {
		t.Errorf("got %+v", got)
	}
	if busy.RetryAfter <= 0 || !flow.Gone().Restart {
		t.Error("a fault does not say what to do next")
	}
}
