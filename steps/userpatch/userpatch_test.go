package userpatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/userpatch"
)

var (
	_   flow.Stepper = (*userpatch.Kind)(nil)
	ada              = flow.Subject{ID: "u1"}
)

// fake gives one answer and keeps what it was asked.
type fake struct {
	answer userpatch.Patched
	err    error
	asked  []userpatch.Patch
}

func (f *fake) Patch(_ context.Context, p userpatch.Patch) (userpatch.Patched, error) {
	f.asked = append(f.asked, p)
	return f.answer, f.err
}

// turn is one of a user who has signed on, in this execution or only before.
func turn(user map[string]any, proven bool) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "patch", nil, time.Time{}, nil, 3, flow.Sum("submit"))
	t.Input, t.User, t.Proven = map[string]any{"user": user}, ada, proven
	t.Fact = func(string) any { return time.Time{}.Add(1) }
	return t
}

func TestWhatComesOfAChange(t *testing.T) {
	refuse := func(code, target, message string) flow.Outcome {
		return flow.FailWith(flow.Failure{Code: code, Message: message, Details: []flow.Detail{{Code: code, Target: target, Message: message}}})
	}
	kept := map[string]any{"id": "u1", "nickname": "Countess"}
	for name, tt := range map[string]struct {
		answer userpatch.Patched
		want   flow.Outcome
	}{
		"changed":               {userpatch.Patched{User: kept}, flow.Result("SUCCEEDED").WithOutputs(map[string]any{"user": kept}).WithEvent(flow.UserChanged)},
		"a name that is taken":  {userpatch.Patched{Taken: "username"}, refuse(flow.UniquenessViolation, "user.username", "This username is taken. Choose another one.")},
		"what is no address":    {userpatch.Patched{Invalid: "email"}, refuse(flow.InvalidValue, "user.email", "The attribute cannot have this value.")},
		"of a user who is gone": {userpatch.Patched{}, flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.")},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{answer: tt.answer}
			got, err := userpatch.New(f).Enter(t.Context(), turn(map[string]any{"id": "u1", "nickname": "Countess", "name": map[string]any{"middle": nil}}, false))
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []userpatch.Patch{{Env: "e1", UserID: "u1", Attributes: flow.Attributes{"nickname": "Countess", "name.middle": ""}}}
			if diff := cmp.Diff(want, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatOpensAnAccountNeedsAFreshProof: a session that was left open is not
// enough to take an account over.
func TestWhatOpensAnAccountNeedsAFreshProof(t *testing.T) {
	for name, value := range map[string]any{"email": "m@example.com", "username": "mallory"} {
		for _, proven := range []bool{false, true} {
			f := &fake{answer: userpatch.Patched{User: map[string]any{"id": "u1"}}}
			got, err := userpatch.New(f).Enter(t.Context(), turn(map[string]any{"id": "u1", name: value}, proven))
			if err != nil || (got.Verdict == flow.Results) != proven || (len(f.asked) == 1) != proven {
				t.Errorf("%s, proven %v: %v, %v", name, proven, got, err)
			}
			if !proven && got.Failure.Code != "SIGN_ON_AGAIN" {
				t.Errorf("%s: %v", name, got.Failure)
			}
		}
	}
}

func TestNobodyElseIsChanged(t *testing.T) {
	patch := map[string]any{"id": "u1", "nickname": "x"}
	as := func(user flow.Subject, person flow.Candidate, signedOn bool) *flow.Turn {
		at := turn(patch, false)
		if at.User, at.Person = user, person; !signedOn {
			at.Fact = nil
		}
		return at
	}
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want string
	}{
		"than has signed on":            {as(flow.Subject{ID: "u2"}, flow.Candidate{}, true), "USER_MISMATCH"},
		"than is known":                 {as(flow.Subject{}, flow.Candidate{}, true), "USER_MISMATCH"},
		"whose session is over":         {as(ada, flow.Candidate{}, false), "USER_NOT_PROVEN"},
		"whose name was typed":          {as(flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}, true), "USER_NOT_PROVEN"},
		"of a name that is nobody's":    {as(flow.Subject{}, flow.Candidate{Username: "no"}, true), "USER_NOT_PROVEN"},
		"whose address is not verified": {as(flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1", Proofs: flow.Ledger{{Subject: "u1"}}}, true), "USER_NOT_PROVEN"},
	} {
		f := &fake{}
		got, err := userpatch.New(f).Enter(t.Context(), tt.at)
		if err != nil || got.Verdict != flow.Fails || got.Failure.Code != tt.want || len(f.asked) != 0 {
			t.Errorf("%s: %v, %v, want %s", name, got, err, tt.want)
		}
	}
}

func TestNobodySetsWhatIsNotTheirs(t *testing.T) {
	f := &fake{answer: userpatch.Patched{User: map[string]any{"id": "u1"}}}
	got, err := userpatch.New(f).Enter(t.Context(), turn(map[string]any{
		"id": "u1", "title": "Dr", "enabled": true, "mfaEnabled": false, "lifecycle": map[string]any{}, "account": map[string]any{},
		"population": map[string]any{"id": "p9"}, "identityProvider": map[string]any{}, "emailVerified": true, "password": flow.Secret("p"),
	}, true))
	if err != nil || got.Verdict != flow.Results {
		t.Fatal(got, err)
	}
	want := []userpatch.Patch{{Env: "e1", UserID: "u1", Attributes: flow.Attributes{"title": "Dr"}}}
	if diff := cmp.Diff(want, f.asked) + cmp.Diff([]flow.EventType{flow.UserChanged, flow.InputIgnored}, got.Events); diff != "" {
		t.Error(diff)
	}
	got, err = userpatch.New(f).Enter(t.Context(), turn(map[string]any{"id": "u1", "role": "admin"}, true))
	if err != nil || got.Verdict != flow.Fails || len(got.Failure.Details) != 1 || got.Failure.Details[0].Target != "user.role" || len(f.asked) != 1 {
		t.Error(got, err)
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	out, err := userpatch.New(&fake{err: errors.New("away")}).Enter(t.Context(), turn(map[string]any{"id": "u1"}, true))
	if out.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(out, err)
	}
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false} {
		if _, err := userpatch.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
