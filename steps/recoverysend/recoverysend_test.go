package recoverysend_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/recoverysend"
)

var _ flow.Stepper = (*recoverysend.Kind)(nil)

// fake sends everything, knows one state and keeps what it was asked.
type fake struct {
	err, stateErr error
	sent          []recoverysend.Request
	states        int
}

func (f *fake) Send(_ context.Context, r recoverysend.Request) error {
	f.sent = append(f.sent, r)
	return f.err
}

func (f *fake) State(_ context.Context, _, userID string) (flow.PasswordState, error) {
	f.states++
	return flow.PasswordState{User: userID, Policy: "pp1", Status: "NO_PASSWORD"}, f.stateErr
}

func turn(id string, user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "send", nil, time.Time{}, nil, 3, flow.Sum("submit"))
	t.User, t.Person, t.Locales, t.Proven = user, person, "de, en;q=0.5", user.ID != ""
	t.Input = map[string]any{"user": map[string]any{"id": id}}
	return t
}

func TestACodeIsSentAndNothingTold(t *testing.T) {
	told := func(e flow.EventType, state map[string]any) flow.Outcome {
		return flow.Result("SUCCEEDED").WithOutputs(map[string]any{"passwordState": state}).WithEvent(e)
	}
	id := func(v string) map[string]any { return map[string]any{"id": v} }
	for name, tt := range map[string]struct {
		at      *flow.Turn
		account flow.Account
		want    flow.Outcome
	}{
		"to whom a name was typed of": {
			turn("u1", flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}),
			flow.Account{UserID: "u1"},
			told(flow.RecoverySent, map[string]any{"user": id("u1")}),
		},
		"to nobody": {
			turn("d1", flow.Subject{}, flow.Candidate{Username: "no"}),
			flow.Account{Username: "no"},
			told(flow.RecoverRefused, map[string]any{"user": id("d1")}),
		},
		"to who has signed on": {
			turn("u1", flow.Subject{ID: "u1"}, flow.Candidate{}),
			flow.Account{UserID: "u1"},
			told(flow.RecoverySent, map[string]any{"user": id("u1"), "passwordPolicy": id("pp1"), "status": "NO_PASSWORD"}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := recoverysend.New(f).Enter(t.Context(), tt.at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []recoverysend.Request{{Env: "e1", Account: tt.account, Locales: "de, en;q=0.5", Flow: "f1", Effect: tt.at.Effect()}}
			if diff := cmp.Diff(want, f.sent); diff != "" {
				t.Error(diff)
			}
			if asked := f.states > 0; asked != (tt.at.User.ID != "") {
				t.Errorf("the state of a password is asked for: %v", asked)
			}
		})
	}
}

func TestNothingIsSentToAnother(t *testing.T) {
	for name, at := range map[string]*flow.Turn{
		"than the user":          turn("u2", flow.Subject{ID: "u1"}, flow.Candidate{}),
		"than the candidate":     turn("u2", flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}),
		"where nobody was found": turn("u1", flow.Subject{}, flow.Candidate{}),
		"without an id":          turn("", flow.Subject{ID: "u1"}, flow.Candidate{}),
	} {
		f := &fake{}
		got, err := recoverysend.New(f).Enter(t.Context(), at)
		if err != nil || got.Verdict != flow.Fails || len(f.sent) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		fake fake
		want flow.Code
	}{
		"the database is away": {fake{err: errors.New("away")}, flow.Unavailable},
		"too many codes":       {fake{err: &flow.Fault{Code: flow.Limited}}, flow.Limited},
		"no state":             {fake{stateErr: errors.New("away")}, flow.Unavailable},
	} {
		out, err := recoverysend.New(&tt.fake).Enter(t.Context(), turn("u1", flow.Subject{ID: "u1"}, flow.Candidate{}))
		if out.Verdict != 0 || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false} {
		if _, err := recoverysend.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
