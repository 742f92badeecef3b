package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"doorward/runtime/flow"
)

// asks is the status in which an ask node waits.
const asks = "ANSWER_REQUIRED"

// ask is a kind that asks for an answer, and proves what its node is configured
// to prove when the answer is right.
type ask struct {
	evaluated atomic.Int32
	takes     time.Duration // of one evaluation
	hold      chan struct{} // an evaluation waits for it; nil: does not
	effects   []string
}

// proving is the configuration of an ask node.
type proving struct {
	Factors flow.Factor
	Method  string
	Address string
}

type given struct {
	User   string `json:"user"`
	Answer string `json:"answer" required:"true" type:"password" max:"64"`
}

func (a *ask) Meta() flow.Meta {
	return flow.Meta{
		Name: "ASK", Results: []string{"DONE"},
		Actions: []flow.Action{
			flow.On("answer", a.answer).Labelled("answer", "Answer"),
			flow.On("answer.poll", a.poll).Every(),
			flow.On("answer.more", a.poll).In("MORE_REQUIRED"),
		},
	}
}

func (*ask) Check(json.RawMessage) (any, error) { return nil, nil }

func (a *ask) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	return flow.Wait(asks), nil
}

func (a *ask) poll(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	a.evaluated.Add(1)
	return flow.Wait(t.Status), nil
}

func (a *ask) answer(_ context.Context, t *flow.Turn, in given) (flow.Outcome, error) {
	a.evaluated.Add(1)
	a.effects = append(a.effects, t.Effect())
	time.Sleep(a.takes)
	if a.hold != nil {
		<-a.hold
	}
	cfg, _ := t.Config.(proving)
	user := t.User
	if user.ID == "" || in.User != "" {
		user = flow.Subject{ID: in.User, Username: in.User}
	}
	proof := flow.Proof{Subject: user.ID, Factors: cfg.Factors, Method: cfg.Method, AMR: cfg.Method, Authenticator: cfg.Method, Address: cfg.Address}
	switch in.Answer {
	case "right":
		return flow.Result("DONE").WithUser(user).WithProof(proof).WithEvent(flow.PasswordAccepted), nil
	case "wrong":
		n, err := flow.State[int](t)
		if err != nil {
			return flow.Outcome{}, err
		}
		fault := flow.Invalid(flow.Detail{Code: flow.InvalidCredentials, Target: "answer", Inner: map[string]any{"tries": n + 1}})
		return flow.Reject(asks, fault).WithEvent(flow.PasswordRefused), t.Keep(n + 1)
	case "more":
		return flow.Wait("MORE_REQUIRED"), nil
	case "half":
		return flow.Wait(asks).WithUser(user).WithProof(proof), nil
	case "fail":
		return flow.Fail("ACCOUNT_DISABLED", "The account is disabled."), nil
	case "other":
		proof.Subject = "somebody-else"
		return flow.Result("DONE").WithUser(user).WithProof(proof), nil
	case "unknown":
		return flow.Result("DONE").WithProof(flow.Proof{Factors: cfg.Factors}), nil
	case "none":
		return flow.Outcome{}, nil
	case "nowhere":
		return flow.Result("NOWHERE"), nil
	case "broken":
		return flow.Outcome{}, errors.New("directory: disk I/O error")
	case "busy":
		return flow.Outcome{}, flow.Busy(errors.New("hash pool full"))
	}
	return flow.Wait(in.Answer), nil
}

// pass is a kind that asks nothing and leaves by DONE.
type pass struct{}

func (pass) Meta() flow.Meta                    { return flow.Meta{Name: "PASS", Results: []string{"DONE"}} }
func (pass) Check(json.RawMessage) (any, error) { return nil, nil }
func (pass) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Result("DONE"), nil
}

// odd is a kind that does on arrival what its configuration says.
type odd struct{}

func (odd) Meta() flow.Meta                    { return flow.Meta{Name: "ODD", Results: []string{"DONE"}} }
func (odd) Check(json.RawMessage) (any, error) { return nil, nil }
func (odd) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	return t.Config.(func(*flow.Turn) flow.Outcome)(t), nil
}

// knows and has are nodes that ask and prove one class each.
func knows(key string) *flow.Node {
	return &flow.Node{Key: key, Kind: "ASK", Factors: flow.Knowledge, Config: proving{Factors: flow.Knowledge, Method: "pwd"}}
}

func has(key string) *flow.Node {
	return &flow.Node{Key: key, Kind: "ASK", Factors: flow.Possession, Config: proving{Factors: flow.Possession, Method: "otp"}}
}

func passes(key string) *flow.Node { return &flow.Node{Key: key, Kind: "PASS"} }

func does(key string, fn func(*flow.Turn) flow.Outcome) *flow.Node {
	return &flow.Node{Key: key, Kind: "ODD", Config: fn}
}

func guarded(n *flow.Node, g flow.Guard) *flow.Node { n.Guard = g; return n }

// older holds when the named time is unknown or older than that.
type older struct {
	fact string
	than time.Duration
}

func (g older) Holds(now time.Time, fact func(string) any) bool {
	at, ok := fact(g.fact).(time.Time)
	return !ok || now.Sub(at) > g.than
}

// signedOnLongerAgo is the guard of an ordinary sign-on policy.
func signedOnLongerAgo(d time.Duration) flow.Guard {
	return older{"session.lastSignOn.withAuthenticator.pwd.at", d}
}

// guard is one by a function.
type guard func(now time.Time, fact func(string) any) bool

func (g guard) Holds(now time.Time, fact func(string) any) bool { return g(now, fact) }
