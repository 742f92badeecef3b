package engine_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

func fresh(s *flow.Start)  { s.Request.Fresh = true }
func silent(s *flow.Start) { s.Silent = true }
func pi(s *flow.Start)     { s.Request.PiFlow, s.FlowToken = true, true }

func maxAge(seconds int64) func(*flow.Start) {
	return func(s *flow.Start) { s.Request.MaxAge = seconds }
}

func TestStartAsksTheFirstQuestion(t *testing.T) {
	h := newHouse(t, passes("first"), knows("a"))
	b := h.browser()
	v := b.start(func(s *flow.Start) { s.Request.LoginHint = "ada" })

	want := flow.View{
		Ref: v.Ref, Status: asks, Version: 1, Token: v.Token, Offers: v.Offers, Application: app, LoginHint: "ada",
		ReturnTo: "https://app.example/back", Payload: []byte("payload"),
		CreatedAt: monday(), ExpiresAt: monday().Add(flow.Idle), Cookie: v.Cookie,
	}
	same(t, want, v)
	if v.Ref.Env != env || len(v.Ref.ID) != 36 || len(v.Token) != 43 || len(v.Cookie) != 64 || len(v.Offers) == 0 {
		t.Errorf("ref %v, token %q, cookie %q", v.Ref, v.Token, v.Cookie)
	}
	x := h.record(v)
	if x.Format != flow.Format || x.Plan != h.plan.Hash || x.Node != "a" || x.Binding != flow.Sum(v.Cookie) || !x.EndsAt.Equal(monday().Add(flow.Life)) {
		t.Errorf("record %+v", x)
	}
	same(t, []flow.EventType{flow.FlowStarted}, h.heard())
}

func TestASessionThatMeetsThePlanCompletesWithoutStoring(t *testing.T) {
	h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(8*time.Hour)))
	b := h.browser()
	first := b.signOn("ada")
	h.pass(time.Hour)
	stored := len(h.store.executions)
	h.heard()

	v, done, err := b.begin()
	if err != nil || done == nil {
		t.Fatalf("completion %v, error %v", done, err)
	}
	if v.Status != flow.Completed || v.Cookie != "" || len(h.store.executions) != stored {
		t.Errorf("status %s, cookie %q, %d stored", v.Status, v.Cookie, len(h.store.executions)-stored)
	}
	want := &flow.Completion{
		Ref: v.Ref, User: flow.Subject{ID: "ada", Username: "ada"}, SessionID: first.SessionID, AMR: []string{"pwd"},
		ACR: "Single_Factor", AuthTime: monday(), Request: done.Request, Code: done.Code,
	}
	same(t, want, done)
	if len(done.Code) != 43 || done.Request.Application != app {
		t.Errorf("code %q for %q", done.Code, done.Request.Application)
	}
	same(t, []flow.EventType{flow.FlowCompleted}, h.heard())
}

func TestWhatASessionIsWorth(t *testing.T) {
	tests := []struct {
		name   string
		age    time.Duration
		edit   func(*flow.Start)
		status string
		err    error
	}{
		{"young", time.Hour, func(*flow.Start) {}, flow.Completed, nil},
		{"young, asked for in silence", time.Hour, silent, flow.Completed, nil},
		{"too old for the policy", 9 * time.Hour, func(*flow.Start) {}, asks, nil},
		{"too old for the policy, asked for in silence", 9 * time.Hour, silent, "", flow.ErrInteractionRequired},
		{"young, but prompt=login", time.Second, fresh, asks, nil},
		{"younger than max_age", time.Minute, maxAge(60), flow.Completed, nil},
		{"older than max_age", time.Minute + time.Millisecond, maxAge(60), asks, nil},
		{"young, but max_age=0", time.Millisecond, maxAge(0), asks, nil},
		{"a max_age beyond all times", time.Hour, maxAge(1 << 62), flow.Completed, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(8*time.Hour)))
			b := h.browser()
			b.signOn("ada")
			h.pass(tt.age)
			stored := len(h.store.executions)
			v, done, err := b.begin(tt.edit)
			if v.Status != tt.status || !errors.Is(err, tt.err) || (done != nil) != (tt.status == flow.Completed) {
				t.Fatalf("status %q, completion %v, error %v", v.Status, done, err)
			}
			if (len(h.store.executions) > stored) != (tt.status == asks) {
				t.Errorf("%d stored", len(h.store.executions)-stored)
			}
			if tt.status != asks {
				return
			}
			if v.User.ID != "ada" || h.record(v).Binding != flow.Sum(b.cookie) {
				t.Errorf("user %q, bound to another cookie than the session's", v.User.ID)
			}
			v = b.answer(v, "", "right")
			_, done, err = b.resume(v)
			if err != nil || done == nil || done.User.ID != "ada" || !done.AuthTime.Equal(h.now()) {
				t.Errorf("completion %+v, error %v", done, err)
			}
		})
	}
}

// The proof of the session must not serve for a node that has to run now.
func TestAProofFromTheSessionDoesNotStandInForARun(t *testing.T) {
	h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(8*time.Hour)))
	b := h.browser()
	b.signOn("ada")
	h.pass(9 * time.Hour)
	v := b.start()
	x := h.record(v)
	if x.Proofs.Satisfies(x.Demand, "ada", h.now()) {
		t.Error("an old proof satisfies the demand of a node that runs")
	}
}

func TestASessionWithoutASignOnNamesNobody(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	b := h.browser()
	v := b.answer(b.start(), "ada", "right")
	if v.Status != asks || v.SessionID == "" {
		t.Fatalf("status %s, session %q", v.Status, v.SessionID)
	}
	other := b.start()
	if other.User.ID != "" || other.Status != asks || h.record(other).Node != "a" {
		t.Errorf("another tab knows %q and stands at %q", other.User.ID, h.record(other).Node)
	}
}

func TestStartsAreLimitedByAddress(t *testing.T) {
	h := newHouse(t, knows("a"))
	h.rates = engine.Rates{Starts: 2}
	h.build()
	same6 := []string{"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3::", "2001:db8:1:3::1"}
	same4 := []string{"192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"}
	for _, ips := range [][]string{same4, same6} {
		for i, ip := range ips {
			b := h.browser()
			b.ip = netip.MustParseAddr(ip)
			if i == 0 {
				b.cookie = "planted" // then the session is looked up with the limits
			}
			h.heard()
			_, _, err := b.begin()
			if i != 2 {
				if err != nil {
					t.Errorf("start %d from %s: %v", i, ip, err)
				}
				continue
			}
			if f := wants(t, err, flow.Limited); f.RetryAfter != 30*time.Second {
				t.Errorf("retry after %s", f.RetryAfter)
			}
			same(t, []flow.EventType{flow.RequestLimited}, h.heard())
		}
	}
	b := h.browser()
	b.ip = netip.Addr{}
	for range 3 {
		_, _, err := b.begin()
		b.cookie = ""
		if err != nil {
			wants(t, err, flow.Limited)
			return
		}
	}
	t.Error("requests of unknown address are not limited")
}

func TestStartNeedsItsPlan(t *testing.T) {
	h := newHouse(t, knows("a"))
	_, _, err := h.browser().begin(func(s *flow.Start) { s.Plans = []flow.Digest{flow.Sum("another")} })
	wants(t, err, flow.Unavailable)
}
