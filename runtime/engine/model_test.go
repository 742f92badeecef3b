package engine_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/flow"
)

// spec is one node of a drawn plan. A next node is a number above its own; the
// number of nodes is the end.
type spec struct {
	Asks              bool // or else it passes through
	Factors           flow.Factor
	Method            string // also the authenticator
	Guard             opening
	Skip, Left, Right int
	Takes             string // outlet of one that passes through
}

// opening is when a node is entered.
type opening uint8

const (
	always opening = iota
	whenAged
	never
)

// agedAfter is how old a proof must be for whenAged to ask for it again.
const agedAfter = 20 * time.Minute

func (s spec) next(outlet string) int {
	if outlet == "LEFT" {
		return s.Left
	}
	return s.Right
}

func drawPlan(t *rapid.T) []spec {
	n := rapid.IntRange(1, 5).Draw(t, "nodes")
	plan := make([]spec, n)
	for i := range plan {
		later := rapid.IntRange(i+1, n)
		plan[i] = spec{
			Asks:    i == 0 || rapid.SampledFrom([]bool{true, true, false}).Draw(t, "asks"),
			Factors: rapid.SampledFrom([]flow.Factor{flow.Knowledge, flow.Possession, flow.Knowledge | flow.Possession}).Draw(t, "factors"),
			Method:  rapid.SampledFrom([]string{"pwd", "otp", "key"}).Draw(t, "method"),
			Guard:   rapid.SampledFrom([]opening{always, whenAged, never, always}).Draw(t, "guard"),
			Skip:    later.Draw(t, "skip"), Left: later.Draw(t, "left"), Right: later.Draw(t, "right"),
			Takes: rapid.SampledFrom([]string{"LEFT", "RIGHT"}).Draw(t, "takes"),
		}
		if !plan[i].Asks && rapid.SampledFrom([]bool{true, true, false}).Draw(t, "proves nothing") {
			plan[i].Factors = 0
		}
	}
	return plan
}

// compiled is the plan as the engine runs it.
func compiled(specs []spec) *flow.Plan {
	key := func(i int) string {
		if i == len(specs) {
			return ""
		}
		return fmt.Sprintf("n%d", i)
	}
	p := &flow.Plan{Hash: flow.Sum("plan"), Name: "Drawn", Entry: key(0), Nodes: map[string]*flow.Node{}}
	for i, s := range specs {
		n := &flow.Node{Key: key(i), Kind: "QUIZ", Config: s, Factors: s.Factors, Skip: key(s.Skip), Outlets: map[string]string{"LEFT": key(s.Left), "RIGHT": key(s.Right)}}
		switch s.Guard {
		case whenAged:
			n.Guard = older{"session.lastSignOn.withAuthenticator." + s.Method + ".at", agedAfter}
		case never:
			n.Guard = guard(func(time.Time, func(string) any) bool { return false })
		case always:
		}
		p.Nodes[n.Key] = n
	}
	return p
}

// quiz is the kind of all drawn nodes. It tells of every evaluation.
type quiz struct {
	described
	evaluated func(ctx context.Context, t *flow.Turn, right bool, p flow.Proof)
}

type guess struct {
	User   string `json:"user"`
	Answer string `json:"answer" required:"true"`
	Outlet string `json:"outlet"`
}

func newQuiz(evaluated func(context.Context, *flow.Turn, bool, flow.Proof)) *quiz {
	q := &quiz{evaluated: evaluated}
	q.described = described{Name: "QUIZ", Results: []string{"LEFT", "RIGHT"}, Actions: []flow.Action{
		flow.On("answer", q.answer),
		flow.On("poll", func(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
			return flow.Wait(t.Status), nil
		}).Every(),
	}}
	return q
}

func (q *quiz) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	if s := t.Config.(spec); !s.Asks {
		return flow.Result(s.Takes), nil
	}
	return flow.Wait(asks), nil
}

func (q *quiz) answer(ctx context.Context, t *flow.Turn, in guess) (flow.Outcome, error) {
	s := t.Config.(spec)
	user := t.User
	if user.ID == "" {
		user.ID = in.User
	}
	right := in.Answer == "right" && user.ID != "" && (in.User == "" || in.User == user.ID)
	proof := flow.Proof{Subject: user.ID, Factors: s.Factors, Method: s.Method, Authenticator: s.Method}
	q.evaluated(ctx, t, right, proof)
	if !right {
		return flow.Reject(asks, flow.Invalid(flow.Detail{Code: flow.InvalidCredentials, Target: "answer"})), nil
	}
	return flow.Result(in.Outlet).WithUser(user).WithProof(proof), nil
}

// state is an execution as the reference model has it: the graph of specs, said
// once more and without versions, leases, cookies or stores.
type state struct {
	plan               []spec
	node               int
	status             string
	user               string
	proofs             []flow.Proof
	needs              []flow.Need
	notBefore, created time.Time
}

// begin is the state after a start. session may be nil.
func begin(plan []spec, session *flow.Session, fresh bool, now time.Time) *state {
	s := &state{plan: plan, created: now}
	if fresh {
		s.notBefore = now
	}
	if session != nil && len(session.Proofs) > 0 {
		s.user = session.User.ID
		for _, p := range session.Proofs {
			p.Origin = flow.FromSession
			s.proofs = append(s.proofs, p)
		}
	}
	s.walk(0, now)
	return s
}

// answer is the state after an answer that was evaluated at now.
func (s *state) answer(in guess, now time.Time) {
	if s.user == "" && in.Answer == "right" {
		s.user = in.User
	}
	if in.Answer != "right" || s.user == "" || (in.User != "" && in.User != s.user) {
		return
	}
	n := s.plan[s.node]
	s.proofs = append(s.proofs, flow.Proof{Subject: s.user, Factors: n.Factors, Method: n.Method, Authenticator: n.Method, At: now})
	s.walk(n.next(in.Outlet), now)
}

func (s *state) reset(now time.Time) {
	s.user, s.proofs, s.needs = "", nil, nil
	s.walk(0, now)
}

func (s *state) walk(i int, now time.Time) {
	for ; i < len(s.plan); i = s.plan[i].next(s.plan[i].Takes) {
		for i < len(s.plan) && s.spared(s.plan[i], now) {
			i = s.plan[i].Skip
		}
		if i == len(s.plan) {
			break
		}
		if n := s.plan[i]; n.Factors != 0 {
			s.needs = append(s.needs, flow.Need{Factors: n.Factors, NotBefore: s.created})
		}
		if s.plan[i].Asks {
			s.node, s.status = i, asks
			return
		}
	}
	s.node, s.status = len(s.plan), flow.Failed
	if s.proven(nil) {
		s.status = flow.Completed
	}
}

// spared reports whether the node is not entered, and remembers what must have
// been proven instead.
func (s *state) spared(n spec, now time.Time) bool {
	if n.Guard != whenAged {
		return n.Guard == never
	}
	young := slices.ContainsFunc(s.proofs, func(p flow.Proof) bool {
		stands := n.Method == "pwd" && p.Factors == flow.Knowledge|flow.Possession // for a password
		return (p.Method == n.Method || stands) && !p.At.Before(s.notBefore) && now.Sub(p.At) <= agedAfter
	})
	if young && n.Factors != 0 {
		s.needs = append(s.needs, flow.Need{Factors: n.Factors})
	}
	return young
}

// proven tries every set of proofs that holds no authenticator twice.
func (s *state) proven(taken []flow.Proof) bool {
	covers := func(n flow.Need) bool {
		return slices.ContainsFunc(taken, func(p flow.Proof) bool { return p.Factors&n.Factors == n.Factors && !p.At.Before(n.NotBefore) })
	}
	if len(taken) > 0 && !slices.ContainsFunc(s.needs, func(n flow.Need) bool { return !covers(n) }) {
		return true
	}
	for _, p := range s.proofs {
		again := slices.ContainsFunc(taken, func(q flow.Proof) bool { return q.Authenticator == p.Authenticator })
		if !again && !p.At.Before(s.notBefore) && s.proven(append(slices.Clone(taken), p)) {
			return true
		}
	}
	return false
}
