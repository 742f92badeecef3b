package passwordrecover_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/passwordrecover"
)

var (
	_   flow.Stepper = (*passwordrecover.Kind)(nil)
	ada              = flow.Subject{ID: "u1", Username: "ada"}
	now              = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict passwordrecover.Verdict
	err     error
	asked   []passwordrecover.Attempt
}

func (f *fake) Recover(_ context.Context, a passwordrecover.Attempt) (passwordrecover.Verdict, error) {
	f.asked = append(f.asked, a)
	return f.verdict, f.err
}

func turn(id string, user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "recover", nil, now, nil, 3, flow.Sum("submit"))
	t.User, t.Person = user, person
	t.Input = map[string]any{"user": map[string]any{"id": id}, "recoveryCode": "abcd-2345", "newPassword": flow.Secret(" n ")}
	return t
}

func found() flow.Candidate { return flow.Candidate{Username: "Ada", UserID: "u1"} }

func recovered() passwordrecover.Verdict {
	return passwordrecover.Verdict{
		Result: passwordrecover.Recovered, Subject: ada, Address: "ada@example.com",
		State: flow.PasswordState{User: "u1", Policy: "pp1", Status: "OK", ChangedAt: now},
	}
}

func TestWhatComesOfACode(t *testing.T) {
	refuse := func(d flow.Detail) flow.Outcome {
		return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(flow.RecoverRefused)
	}
	for name, tt := range map[string]struct {
		verdict passwordrecover.Verdict
		want    flow.Outcome
	}{
		"recovered": {recovered(), flow.Result("SUCCEEDED").WithOutputs(map[string]any{"passwordState": map[string]any{
			"user": map[string]any{"id": "u1"}, "passwordPolicy": map[string]any{"id": "pp1"}, "status": "OK", "lastChangedAt": "2026-10-20T12:00:00Z",
		}}).WithUser(ada).WithProof(flow.Proof{
			Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", Address: "ada@example.com", At: now,
		}).WithEvent(flow.PasswordRecovered)},
		"a wrong code":                 {passwordrecover.Verdict{Result: passwordrecover.WrongCode}, refuse(flow.Detail{Code: flow.InvalidValue, Target: "recoveryCode", Message: "The code is wrong or no longer valid. Check it, or ask for a new one."})},
		"a password that breaks rules": {passwordrecover.Verdict{Result: passwordrecover.Unsatisfying, Unsatisfied: []string{"length"}}, refuse(flow.Unsatisfied("user.newPassword", []string{"length"}))},
		"changed a moment ago":         {passwordrecover.Verdict{Result: passwordrecover.TooYoung}, refuse(flow.Detail{Code: flow.ConstraintViolation, Target: "user.newPassword", Message: "The password was changed a short time ago and cannot be changed again yet. Sign on with it, or wait."})},
	} {
		for who, at := range map[string]*flow.Turn{"the user": turn("u1", ada, flow.Candidate{}), "the candidate": turn("u1", flow.Subject{}, found())} {
			t.Run(name+", "+who, func(t *testing.T) {
				f := &fake{verdict: tt.verdict}
				got, err := passwordrecover.New(f).Enter(t.Context(), at)
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Error(err, diff)
				}
				want := []passwordrecover.Attempt{{Env: "e1", Account: flow.Account{UserID: "u1"}, Code: "abcd-2345", Password: " n ", Effect: at.Effect(), At: now}}
				if diff := cmp.Diff(want, f.asked); diff != "" {
					t.Error(diff)
				}
				if s := fmt.Sprintf("%#v", got); strings.Contains(s, " n ") || strings.Contains(s, "2345") {
					t.Error("a secret is in the outcome")
				}
			})
		}
	}
}

func TestNobodysCodeIsWrongAsAnyOther(t *testing.T) {
	f := &fake{verdict: passwordrecover.Verdict{Result: passwordrecover.WrongCode}}
	some, err1 := passwordrecover.New(f).Enter(t.Context(), turn("u1", flow.Subject{}, found()))
	none, err2 := passwordrecover.New(f).Enter(t.Context(), turn("d1", flow.Subject{}, flow.Candidate{Username: "no"}))
	if diff := cmp.Diff(some, none); err1 != nil || err2 != nil || diff != "" {
		t.Error(err1, err2, diff)
	}
	if diff := cmp.Diff(flow.Account{Username: "no"}, f.asked[1].Account); diff != "" {
		t.Error(diff)
	}
}

// TestTheMailboxIsNoSecondFactor: a code that goes to the same mailbox afterwards
// is the same source.
func TestTheMailboxIsNoSecondFactor(t *testing.T) {
	out, err := passwordrecover.New(&fake{verdict: recovered()}).Enter(t.Context(), turn("u1", flow.Subject{}, found()))
	if err != nil {
		t.Fatal(err)
	}
	mailed := flow.Proof{Subject: "u1", Factors: flow.Possession, Method: "email", Authenticator: "device", Address: "ada@example.com", At: now}
	both := flow.Demand{Needs: []flow.Need{{Factors: flow.Knowledge}, {Factors: flow.Possession}}}
	if append(flow.Ledger{mailed}, out.Proofs...).Satisfies(both, "u1", now) {
		t.Error("one mailbox is two factors")
	}
	if r := passwordrecover.New(nil).Step("", nil).Results[0]; r.Takes[0].Rests != "email" || !r.Confirms {
		t.Error(r)
	}
}

func TestWhatIsNotGivenIsNoAttempt(t *testing.T) {
	with := func(name string, v any) *flow.Turn {
		at := turn("u1", ada, flow.Candidate{})
		at.Input[name] = v
		return at
	}
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want string
	}{
		"no code":              {with("recoveryCode", nil), "REQUIRED_VALUE@recoveryCode"},
		"a list of codes":      {with("recoveryCode", []any{"a"}), "INVALID_VALUE@recoveryCode"},
		"one of 33 letters":    {with("recoveryCode", strings.Repeat("A", 33)), "SIZE_LIMIT_EXCEEDED@recoveryCode"},
		"no password":          {with("newPassword", nil), "REQUIRED_VALUE@user.newPassword"},
		"another user":         {turn("u2", ada, flow.Candidate{}), "USER_MISMATCH"},
		"another candidate":    {turn("u2", flow.Subject{}, found()), "USER_MISMATCH"},
		"nobody was found yet": {turn("u1", flow.Subject{}, flow.Candidate{}), "USER_MISMATCH"},
	} {
		f := &fake{}
		got, err := passwordrecover.New(f).Enter(t.Context(), tt.at)
		if err != nil || got.Verdict != flow.Fails || len(f.asked) != 0 {
			t.Fatal(name, got, err)
		}
		code := got.Failure.Code
		if d := got.Failure.Details; len(d) == 1 {
			code = d[0].Code + "@" + d[0].Target
		}
		if code != tt.want {
			t.Errorf("%s: %s, want %s", name, code, tt.want)
		}
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	another := recovered()
	another.Subject.ID = "u2"
	for name, tt := range map[string]struct {
		fake   fake
		person flow.Candidate
		want   flow.Code
	}{
		"the pool is busy":                      {fake{err: errors.New("busy")}, found(), flow.Unavailable},
		"too many tries":                        {fake{err: &flow.Fault{Code: flow.Limited}}, found(), flow.Limited},
		"a verdict that is none":                {fake{}, found(), flow.Unexpected},
		"recovered for another":                 {fake{verdict: another}, found(), flow.Unexpected},
		"recovered for a name that is nobody's": {fake{verdict: recovered()}, flow.Candidate{Username: "no"}, flow.Unexpected},
	} {
		out, err := passwordrecover.New(&tt.fake).Enter(t.Context(), turn("u1", flow.Subject{}, tt.person))
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false} {
		if _, err := passwordrecover.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
