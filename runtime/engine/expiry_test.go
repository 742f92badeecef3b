package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func TestASubmitSlidesTheExpiryAndNothingElseDoes(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.pass(10 * time.Minute)
	if v, _ = b.see(v); !v.ExpiresAt.Equal(monday().Add(flow.Idle)) {
		t.Errorf("a read slid it to %s", v.ExpiresAt)
	}
	v, _ = b.send(v.Ref, flow.Submit{Action: "nothing"})
	if !v.ExpiresAt.Equal(monday().Add(flow.Idle)) {
		t.Errorf("a submit that was not taken slid it to %s", v.ExpiresAt)
	}
	v, _ = b.send(v.Ref, say("ada", "wrong"))
	if !v.ExpiresAt.Equal(h.now().Add(flow.Idle)) {
		t.Errorf("expires at %s", v.ExpiresAt)
	}
	h.pass(flow.Idle)
	for _, err := range reaches(b, v) {
		wants(t, err, flow.NotFound)
	}
}

func TestAnExecutionEndsHoweverBusyItIs(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	for range 5 {
		h.pass(10 * time.Minute)
		v = poll(b, v)
	}
	h.pass(9 * time.Minute)
	if v = poll(b, b.reset(v)); !v.ExpiresAt.Equal(monday().Add(flow.Life)) {
		t.Errorf("expires at %s", v.ExpiresAt)
	}
	h.pass(time.Minute)
	for _, err := range reaches(b, v) {
		wants(t, err, flow.NotFound)
	}
}

// The record says itself when it ends, whatever the clock of the store says.
func TestAStoreThatKeepsTooLongChangesNothing(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.store.executions[v.Ref].expires = monday().Add(24 * time.Hour)
	h.pass(flow.Idle + time.Millisecond)
	for _, err := range reaches(b, v) {
		wants(t, err, flow.NotFound)
	}
}

// reaches tries everything a client can do.
func reaches(b *browser, v flow.View) []error {
	_, read := b.see(v)
	_, submit := b.send(v.Ref, say("ada", "right"))
	_, reset := b.send(v.Ref, flow.Submit{Action: engine.ResetAction})
	_, _, resume := b.resume(v)
	return []error{read, submit, reset, resume}
}

func TestWhatAStoreReportsIsAnsweredAs(t *testing.T) {
	for _, tt := range []struct {
		err     error
		code    flow.Code
		restart bool
	}{
		{flow.ErrUnknown, flow.NotFound, true},
		{flow.ErrOlder, flow.NotFound, true},
		{flow.ErrNewer, flow.Unavailable, false},
		{flow.ErrFull, flow.Unavailable, false},
		{flow.ErrTooLarge, flow.TooLarge, false},
		{errors.New("LOADING Redis is loading the dataset in memory"), flow.Unavailable, false},
		{&flow.LimitError{Limit: flow.Limit{Key: "a"}, RetryAfter: 7}, flow.Limited, false},
	} {
		h := newHouse(t, knows("a"))
		b := h.browser()
		v := b.start()
		h.store.gate = func(context.Context, string, func() error) error { return tt.err }
		for _, err := range reaches(b, v) {
			if f := wants(t, err, tt.code); f.Restart != tt.restart || !errors.Is(err, tt.err) || f.View != nil {
				t.Errorf("%v: %+v", tt.err, f)
			}
		}
		if _, _, err := h.browser().begin(); flow.AsFault(err).Code != tt.code {
			t.Errorf("start: %v", err)
		}
	}
}

func TestSubmitsAreLimitedByAddressAndKeepTheLeaseFree(t *testing.T) {
	h := newHouse(t, knows("a"))
	h.rates = engine.Rates{Submits: 2}
	h.build()
	b := h.browser()
	v := b.start()
	v = b.answer(poll(b, v), "ada", "more")
	h.heard()
	_, err := b.send(v.Ref, say("ada", "right"))
	if f := wants(t, err, flow.Limited); f.RetryAfter != 30*time.Second {
		t.Errorf("retry after %s", f.RetryAfter)
	}
	same(t, []flow.EventType{flow.RequestLimited}, h.heard())
	b.ip = b.ip.Next()
	b.answer(v, "ada", "right")
}

func TestAPlanThatIsGoneIsANo(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.start()
	h.plan.Hash = flow.Sum("another")
	for _, err := range reaches(b, v) {
		wants(t, err, flow.Unavailable)
	}
}

func TestEveryEventNamesItsExecution(t *testing.T) {
	h := newHouse(t, knows("a"))
	b := h.browser()
	v := b.signOn("ada")
	for _, e := range h.events {
		if e.Env != env || e.Flow != v.Ref.ID || e.Application != app || e.RemoteIP != "192.0.2.1" || !e.At.Equal(monday()) {
			t.Errorf("event %+v", e)
		}
		if e.Type == flow.FlowCompleted && (e.User != "ada" || e.Session != v.SessionID) {
			t.Errorf("event %+v", e)
		}
	}
}
