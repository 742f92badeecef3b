package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

// awaits is a kind that waits for something elsewhere, and trusts the browser once
// it has happened.
type awaits struct {
	due    atomic.Bool
	broken atomic.Bool
	polled atomic.Int32
	seen   atomic.Pointer[flow.Turn]
}

func (w *awaits) Meta() flow.Meta {
	return flow.Meta{Name: "AWAITS", Results: []string{"DONE"}, Actions: []flow.Action{
		flow.On("cancel", func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) {
			return flow.Reject(asks, flow.Invalid()), nil
		}),
		flow.On(flow.PollAction, w.poll).In(asks).Every(),
	}}
}

func (*awaits) Check(json.RawMessage) (any, error) { return nil, nil }

func (w *awaits) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	w.seen.Store(t)
	return flow.Wait(asks), nil
}

func (w *awaits) Due(context.Context, *flow.Turn) (bool, error) {
	if w.broken.Load() {
		return false, flow.Busy(errors.New("directory: gone"))
	}
	return w.due.Load(), nil
}

func (w *awaits) poll(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	w.polled.Add(1)
	ada := flow.Subject{ID: "ada", Username: "ada"}
	proof := flow.Proof{Subject: "ada", Factors: flow.Possession, Method: "mobile", AMR: "swk", Authenticator: "phone"}
	return flow.Result("DONE").WithUser(ada).WithProof(proof).WithTrust(flow.Trust{Value: "trusted"}), nil
}

func (w *awaits) Show(t *flow.Turn) flow.Show {
	return flow.Show{Members: []flow.Member{{Name: "challenge", JSON: t.Challenge()}}}
}

func pollHouse(t *testing.T, nodes ...*flow.Node) (*house, *awaits) {
	t.Helper()
	w := &awaits{}
	h := newHouse(t, nodes...)
	h.more = []flow.Kind{w}
	h.build()
	return h, w
}

func TestAReadMovesWhatIsDue(t *testing.T) {
	h, w := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS", Factors: flow.Possession})
	b := h.browser()
	v := b.start()
	if _, offered := v.Find(flow.PollAction); offered {
		t.Error("clients are offered to poll")
	}
	read, err := h.View(t.Context(), v.Ref, b.caller())
	if err != nil || read.Status != asks || read.Version != v.Version {
		t.Fatalf("before: %s version %d, error %v", read.Status, read.Version, err)
	}
	w.broken.Store(true)
	if _, err := h.View(t.Context(), v.Ref, b.caller()); flow.AsFault(err).Code != flow.Unavailable {
		t.Errorf("unreadable: %v", err)
	}
	w.broken.Store(false)
	if _, err := h.View(t.Context(), v.Ref, h.browser().caller()); flow.AsFault(err).Code != flow.NotFound {
		t.Errorf("a stranger reads: %v", err)
	}
	w.due.Store(true)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if v, err := h.View(t.Context(), v.Ref, b.caller()); err != nil && flow.AsFault(err).Code != flow.NotFound {
				t.Errorf("%s: %v", v.Status, err)
			}
		})
	}
	all.Wait()
	if x := h.record(v); x.Status != flow.Completed || w.polled.Load() != 1 {
		t.Errorf("%s after %d polls", x.Status, w.polled.Load())
	}
}

func TestAReadHandsOutWhatThePollMade(t *testing.T) {
	h, w := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS", Factors: flow.Possession})
	b := h.browser()
	v := b.start()
	w.due.Store(true)
	read, err := h.View(t.Context(), v.Ref, b.caller())
	if err != nil || read.Status != flow.Completed || read.Cookie == "" || read.Trust == nil || read.Trust.Value != "trusted" {
		t.Errorf("%s, cookie %q, trust %v, error %v", read.Status, read.Cookie, read.Trust, err)
	}
}

// TestAReadWhoseAnswerWasLostIsAnsweredAgain: a read that signs in changes the cookie, and
// whoever did not get the new one reads with the old one again.
func TestAReadWhoseAnswerWasLostIsAnsweredAgain(t *testing.T) {
	tests := map[string]struct {
		more    []*flow.Node
		piFlow  bool
		pause   time.Duration
		another bool // another submit has been taken since
		want    string
		code    flow.Code
	}{
		"at the end":                           {want: flow.Completed},
		"in the middle":                        {more: []*flow.Node{has("b")}, want: asks},
		"to a client whose token is as it was": {piFlow: true, want: flow.Completed},
		"just within the time":                 {pause: flow.RepeatFor - 1, want: flow.Completed},
		"not after it":                         {pause: flow.RepeatFor, code: flow.NotFound},
		"not once the person has gone on":      {more: []*flow.Node{has("b"), has("c")}, another: true, code: flow.NotFound},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			first := &flow.Node{Key: "w", Kind: "AWAITS", Factors: flow.Possession}
			h, w := pollHouse(t, append([]*flow.Node{first}, tc.more...)...)
			b := h.browser()
			v := b.start(func(s *flow.Start) { s.Request.PiFlow, s.FlowToken = tc.piFlow, tc.piFlow })
			if b.cookie = v.Cookie; tc.piFlow {
				b.cookie, b.token = "", v.FlowToken
			}
			was := *b
			w.due.Store(true)
			read, err := h.View(t.Context(), v.Ref, b.caller())
			if err != nil || read.Version != v.Version+1 {
				t.Fatalf("version %d, error %v", read.Version, err)
			}
			if tc.another {
				b.cookie = read.Cookie
				b.answer(read, "ada", "right")
			}
			h.pass(tc.pause)
			if _, err := h.View(t.Context(), v.Ref, h.browser().caller()); flow.AsFault(err).Code != flow.NotFound {
				t.Errorf("a stranger reads: %v", err)
			}
			again, err := h.View(t.Context(), v.Ref, was.caller())
			if tc.code != "" {
				wants(t, err, tc.code)
				return
			}
			if err != nil || again.Status != tc.want || !tc.piFlow && again.Cookie != read.Cookie || w.polled.Load() != 1 {
				t.Errorf("%s after %d polls, cookie alike %t, error %v", again.Status, w.polled.Load(), again.Cookie == read.Cookie, err)
			}
		})
	}
}

func TestNobodySendsAPoll(t *testing.T) {
	h, w := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS", Factors: flow.Possession})
	b := h.browser()
	v := b.start()
	w.due.Store(true)
	_, err := b.send(v.Ref, flow.Submit{Action: flow.PollAction})
	if f := flow.AsFault(err); f.Code != flow.InvalidRequest || w.polled.Load() != 0 {
		t.Errorf("%v after %d polls", err, w.polled.Load())
	}
}

func TestAChallengeEndsWithItsFirstVerdict(t *testing.T) {
	h, _ := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS", Beside: []string{"d"}}, &flow.Node{Key: "d", Kind: "AWAITS"})
	b := h.browser()
	v := b.start()
	first := challenges(t, v)
	if len(first) != 2 || first[0] == first[1] {
		t.Fatalf("a node and its door show %d challenges, alike: %t", len(first), len(first) == 2 && first[0] == first[1])
	}
	again, err := h.View(t.Context(), v.Ref, b.caller())
	if diff := cmp.Diff(first, challenges(t, again)); err != nil || diff != "" {
		t.Errorf("another one at a second look: %v %s", err, diff)
	}
	if _, err := b.send(v.Ref, flow.Submit{Action: "cancel"}); flow.AsFault(err).Code != flow.InvalidData {
		t.Fatal(err)
	}
	after, err := h.View(t.Context(), v.Ref, b.caller())
	if err != nil || challenges(t, after)[0] == first[0] {
		t.Errorf("the same one after a verdict, error %v", err)
	}
}

func challenges(t *testing.T, v flow.View) (out []string) {
	t.Helper()
	for _, m := range v.Members {
		if len(m.JSON) != 32 {
			t.Fatalf("%s of %d bytes", m.Name, len(m.JSON))
		}
		out = append(out, string(m.JSON))
	}
	return out
}

func TestAKindKnowsThatNobodyIsAsked(t *testing.T) {
	h, w := pollHouse(t, &flow.Node{Key: "w", Kind: "AWAITS"})
	b := h.browser()
	_, _, err := b.begin(func(s *flow.Start) { s.Silent = true })
	if !errors.Is(err, flow.ErrInteractionRequired) || !w.seen.Load().Silent {
		t.Errorf("%v", err)
	}
	if b.start(); w.seen.Load().Silent {
		t.Error("silent where somebody may be asked")
	}
}
