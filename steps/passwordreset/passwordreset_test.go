package passwordreset_test

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
	"doorward/steps/passwordreset"
)

var (
	_   flow.Stepper = (*passwordreset.Kind)(nil)
	ada              = flow.Subject{ID: "u1", Username: "ada"}
	now              = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict passwordreset.Verdict
	err     error
	asked   []passwordreset.Attempt
}

func (f *fake) Reset(_ context.Context, a passwordreset.Attempt) (passwordreset.Verdict, error) {
	f.asked = append(f.asked, a)
	return f.verdict, f.err
}

func turn(id string, user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "reset", nil, now, nil, 3, flow.Sum("submit"))
	t.User, t.Person = user, person
	t.Input = map[string]any{"user": map[string]any{"id": id}, "currentPassword": flow.Secret(" c "), "newPassword": flow.Secret(" n ")}
	return t
}

// lent is who has just given a password that must be changed.
func lent() flow.Candidate {
	return flow.Candidate{Username: "Ada", UserID: "u1", Proofs: flow.Ledger{{Subject: "u1"}}}
}

func TestWhatComesOfAChange(t *testing.T) {
	refuse := func(e flow.EventType, d flow.Detail) flow.Outcome {
		return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(e)
	}
	state := flow.PasswordState{User: "u1", Policy: "pp1", Status: "OK", ChangedAt: now}
	for name, tt := range map[string]struct {
		verdict passwordreset.Verdict
		want    flow.Outcome
	}{
		"changed": {
			passwordreset.Verdict{Result: passwordreset.Changed, Subject: ada, State: state},
			flow.Result("SUCCEEDED").WithOutputs(map[string]any{"passwordState": map[string]any{
				"user": map[string]any{"id": "u1"}, "passwordPolicy": map[string]any{"id": "pp1"}, "status": "OK", "lastChangedAt": "2026-10-20T12:00:00Z",
			}}).WithUser(ada).WithProof(flow.Proof{Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now}).WithEvent(flow.PasswordChanged),
		},
		"changed, the address not verified": {
			passwordreset.Verdict{Result: passwordreset.Changed, Subject: ada, State: state, Unverified: true},
			flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on.").WithEvent(flow.PasswordChanged),
		},
		"not the current password":       {passwordreset.Verdict{Result: passwordreset.WrongPassword}, refuse(flow.ChangeRefused, flow.Detail{Code: flow.InvalidValue, Target: "user.currentPassword", Message: "This is not the current password. Please try again."})},
		"locked out":                     {passwordreset.Verdict{Result: passwordreset.LockedOut, UnlockIn: time.Minute}, refuse(flow.PasswordLocked, flow.Locked("user.currentPassword", time.Minute))},
		"a password that breaks rules":   {passwordreset.Verdict{Result: passwordreset.Unsatisfying, Unsatisfied: []string{"history"}}, refuse(flow.ChangeRefused, flow.Unsatisfied("user.newPassword", []string{"history"}))},
		"changed a moment ago":           {passwordreset.Verdict{Result: passwordreset.TooYoung}, refuse(flow.ChangeRefused, flow.Detail{Code: flow.ConstraintViolation, Target: "user.newPassword", Message: "The password was changed a short time ago and cannot be changed again yet. Wait, or ask your administrator."})},
		"of a user who may not any more": {passwordreset.Verdict{Result: passwordreset.NotAllowed}, flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled)},
	} {
		for who, at := range map[string]*flow.Turn{"the user": turn("u1", ada, flow.Candidate{}), "the candidate": turn("u1", flow.Subject{}, lent())} {
			t.Run(name+", "+who, func(t *testing.T) {
				f := &fake{verdict: tt.verdict}
				got, err := passwordreset.New(f).Enter(t.Context(), at)
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Error(err, diff)
				}
				want := []passwordreset.Attempt{{Env: "e1", Account: flow.Account{UserID: "u1"}, Current: " c ", Password: " n ", Effect: at.Effect(), At: now}}
				if diff := cmp.Diff(want, f.asked); diff != "" {
					t.Error(diff)
				}
				if s := fmt.Sprintf("%#v", got); strings.Contains(s, " c ") || strings.Contains(s, " n ") {
					t.Error("a password is in the outcome")
				}
			})
		}
	}
}

func TestNobodysPasswordIsAnotherAsAnybodys(t *testing.T) {
	f := &fake{verdict: passwordreset.Verdict{Result: passwordreset.WrongPassword}}
	some, err1 := passwordreset.New(f).Enter(t.Context(), turn("u1", flow.Subject{}, flow.Candidate{Username: "Ada", UserID: "u1"}))
	none, err2 := passwordreset.New(f).Enter(t.Context(), turn("d1", flow.Subject{}, flow.Candidate{Username: "no"}))
	if diff := cmp.Diff(some, none); err1 != nil || err2 != nil || diff != "" {
		t.Error(err1, err2, diff)
	}
	if diff := cmp.Diff(flow.Account{Username: "no"}, f.asked[1].Account); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotGivenIsNoAttempt(t *testing.T) {
	with := func(name string, v any) *flow.Turn {
		at := turn("u1", ada, flow.Candidate{})
		at.Input[name] = v
		return at
	}
	long := flow.Secret(strings.Repeat("ä", 256))
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want string
	}{
		"no current password":  {with("currentPassword", nil), "REQUIRED_VALUE@user.currentPassword"},
		"no new one":           {with("newPassword", flow.Secret("")), "REQUIRED_VALUE@user.newPassword"},
		"one of 256 letters":   {with("newPassword", long), "SIZE_LIMIT_EXCEEDED@user.newPassword"},
		"another user":         {turn("u2", ada, flow.Candidate{}), "USER_MISMATCH"},
		"another candidate":    {turn("u2", flow.Subject{}, lent()), "USER_MISMATCH"},
		"nobody was found yet": {turn("u1", flow.Subject{}, flow.Candidate{}), "USER_MISMATCH"},
	} {
		f := &fake{}
		got, err := passwordreset.New(f).Enter(t.Context(), tt.at)
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
	for name, tt := range map[string]struct {
		fake fake
		at   *flow.Turn
		want flow.Code
	}{
		"the pool is busy":                    {fake{err: errors.New("busy")}, turn("u1", ada, flow.Candidate{}), flow.Unavailable},
		"too many tries":                      {fake{err: &flow.Fault{Code: flow.Limited}}, turn("u1", ada, flow.Candidate{}), flow.Limited},
		"a verdict that is none":              {fake{}, turn("u1", ada, flow.Candidate{}), flow.Unexpected},
		"changed for another":                 {fake{verdict: passwordreset.Verdict{Result: passwordreset.Changed, Subject: flow.Subject{ID: "u2"}}}, turn("u1", ada, flow.Candidate{}), flow.Unexpected},
		"changed for a name that is nobody's": {fake{verdict: passwordreset.Verdict{Result: passwordreset.Changed, Subject: ada}}, turn("u1", flow.Subject{}, flow.Candidate{Username: "no"}), flow.Unexpected},
	} {
		out, err := passwordreset.New(&tt.fake).Enter(t.Context(), tt.at)
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false} {
		if _, err := passwordreset.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
