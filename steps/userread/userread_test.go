package userread_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/userread"
)

var _ flow.Stepper = (*userread.Kind)(nil)

// fake reads one user and keeps who was asked for.
type fake struct {
	err   error
	asked []string
}

func (f *fake) Read(_ context.Context, env, id string) (map[string]any, error) {
	f.asked = append(f.asked, env+"/"+id)
	return map[string]any{"id": id, "nickname": "Countess"}, f.err
}

func turn(id string, user flow.Subject, person flow.Candidate, signedOn bool) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "read", nil, time.Time{}, nil, 3, flow.Sum("submit"))
	t.Input, t.User, t.Person = map[string]any{"user": map[string]any{"id": id}}, user, person
	t.Fact = func(name string) any {
		if signedOn && name == "session.lastSignOn.at" {
			return time.Time{}.Add(1)
		}
		return nil
	}
	return t
}

func TestOnlyWhoHasSignedOnIsRead(t *testing.T) {
	ada := flow.Subject{ID: "u1"}
	read := flow.Result("SUCCEEDED").WithOutputs(map[string]any{"user": map[string]any{"id": "u1", "nickname": "Countess"}})
	unproven, mismatch := flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), flow.Fail("USER_MISMATCH", flow.MismatchMessage)
	made := flow.Candidate{Username: "jane", Address: "j•••@example.com", UserID: "u1", Proofs: flow.Ledger{{Subject: "u1"}}}
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want flow.Outcome
	}{
		"the user of the execution": {turn("u1", ada, flow.Candidate{}, true), read},
		"another":                   {turn("u2", ada, flow.Candidate{}, true), mismatch},
		"a user of whose session nothing is left": {turn("u1", ada, flow.Candidate{}, false), unproven},
		"somebody whose name was typed":           {turn("u1", flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}, true), unproven},
		"a name that is nobody's":                 {turn("d1", flow.Subject{}, flow.Candidate{Username: "no"}, true), unproven},
		"an account that is yet to be verified":   {turn("u1", flow.Subject{}, made, true), unproven},
		"what stands for one that was not made":   {turn("d1", flow.Subject{}, flow.Candidate{Username: "jane", Address: "j•••@example.com"}, true), unproven},
		"another than was typed":                  {turn("u2", flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}, true), mismatch},
		"somebody where nobody is known":          {turn("u1", flow.Subject{}, flow.Candidate{}, true), mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := userread.New(f).Enter(t.Context(), tt.at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if asked := len(f.asked); (asked == 1) != (tt.want.Verdict == flow.Results) {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestWhoIsGoneCannotBeRead(t *testing.T) {
	at := turn("u1", flow.Subject{ID: "u1"}, flow.Candidate{}, true)
	if got, err := userread.New(&fake{err: flow.ErrUnknown}).Enter(t.Context(), at); err != nil || got.Verdict != flow.Fails || got.Failure.Code != "ACCOUNT_DISABLED" {
		t.Error(got, err)
	}
	if got, err := userread.New(&fake{err: errors.New("away")}).Enter(t.Context(), at); got.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(got, err)
	}
	at.Input = nil
	if got, err := userread.New(&fake{}).Enter(t.Context(), at); err != nil || got.Verdict != flow.Fails || got.Failure.Code != string(flow.InvalidData) {
		t.Error(got, err)
	}
}

func TestItIsConfiguredByNothing(t *testing.T) {
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false, "[]": false} {
		if _, err := userread.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
