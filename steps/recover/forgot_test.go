package recover_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/recover"
)

func TestWhoeverForgotWaitsForACode(t *testing.T) {
	sent := flow.Wait(required).WithEvent(flow.RecoverySent)
	bea := func() *flow.Turn { return turn(bound, flow.Subject{}, flow.Candidate{Username: " bea"}) }
	tests := map[string]struct {
		at    *flow.Turn
		typed string
		found string
		asked recover.Request
		want  flow.Outcome
	}{
		"a typed name": {
			turn(anybody, flow.Subject{}, flow.Candidate{}), " Ada ", "u1",
			recover.Request{Username: " Ada "},
			sent.WithCandidate(flow.Candidate{Username: " Ada ", UserID: "u1"}),
		},
		"a name that is nobody's": {
			turn(unnamed, flow.Subject{}, flow.Candidate{}), "nobody", "",
			recover.Request{Username: "nobody"},
			flow.Wait(required).WithEvent(flow.RecoverRefused).WithCandidate(flow.Candidate{Username: "nobody"}),
		},
		"the user of the flow":              {turn(bound, ada, flow.Candidate{}), "", "u1", recover.Request{UserID: "u1"}, sent},
		"the user of the flow, named again": {turn(bound, ada, flow.Candidate{}), " ADA ", "u1", recover.Request{UserID: "u1"}, sent},
		"the name typed before":             {bea(), "", "u2", recover.Request{Username: " bea"}, sent.WithCandidate(flow.Candidate{Username: " bea", UserID: "u2"})},
		"the name typed before, again":      {bea(), "Bea", "u2", recover.Request{Username: " bea"}, sent.WithCandidate(flow.Candidate{Username: " bea", UserID: "u2"})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, in := &fake{found: tt.found}, flow.Values{}
			if tt.typed != "" {
				in["username"] = tt.typed
			}
			got, err := submit(t, f, tt.at, "password.forgot", in)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			tt.asked.Env, tt.asked.Flow, tt.asked.Effect, tt.asked.Locales = "e1", "f1", tt.at.Effect(), "de, en;q=0.5"
			if diff := cmp.Diff([]recover.Request{tt.asked}, f.started); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnotherNameSendsNothing(t *testing.T) {
	for name, at := range map[string]*flow.Turn{
		"than the user of the flow": turn(bound, ada, flow.Candidate{}),
		"than was typed before":     turn(bound, flow.Subject{}, flow.Candidate{Username: "ada"}),
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := submit(t, f, at, "password.forgot", flow.Values{"username": "bea"})
			if err != nil || got.Verdict != flow.Rejects || got.Status != bound || got.Person != nil || len(f.started) != 0 {
				t.Fatalf("outcome %v, error %v, sent %d", got, err, len(f.started))
			}
			if d := got.Fault.Details; len(d) != 1 || d[0].Code != flow.InvalidValue || d[0].Target != "username" {
				t.Errorf("details %v", d)
			}
			if diff := cmp.Diff([]flow.EventType{flow.UsernameMismatch}, got.Events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestANewCodeGoesToWhomTheFirstOneWent(t *testing.T) {
	for name, tt := range map[string]struct {
		at     *flow.Turn
		asked  recover.Request
		person *flow.Candidate
	}{
		"the user of the flow": {turn(required, ada, flow.Candidate{}), recover.Request{UserID: "u1"}, nil},
		"whose name was typed": {
			turn(required, flow.Subject{}, flow.Candidate{Username: "Ada", UserID: "u1"}),
			recover.Request{UserID: "u1", Username: "Ada"},
			&flow.Candidate{Username: "Ada", UserID: "u1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{found: "u1"}
			got, err := submit(t, f, tt.at, "password.sendRecoveryCode", flow.Values{})
			if err != nil || got.Verdict != flow.Waits || got.Status != required {
				t.Fatalf("outcome %v, error %v", got, err)
			}
			if diff := cmp.Diff(tt.person, got.Person); diff != "" {
				t.Error(diff)
			}
			tt.asked.Env, tt.asked.Flow, tt.asked.Effect, tt.asked.Locales = "e1", "f1", tt.at.Effect(), "de, en;q=0.5"
			if diff := cmp.Diff([]recover.Request{tt.asked}, f.started); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, a := range recover.New(nil).Meta().Actions {
		if want := a.Name == "password.sendRecoveryCode"; (a.Repeat == flow.Each) != want {
			t.Errorf("every call of %s counts: %v, want %v", a.Name, !want, want)
		}
	}
}

func TestArrivingSendsTheCode(t *testing.T) {
	f := &fake{found: "u1"}
	got, err := recover.New(f).Enter(t.Context(), turn("", ada, flow.Candidate{}))
	if diff := cmp.Diff(flow.Wait(required).WithEvent(flow.RecoverySent), got); err != nil || diff != "" || len(f.started) != 1 {
		t.Error(err, diff, len(f.started))
	}
	if out, err := recover.New(f).Enter(t.Context(), turn("", flow.Subject{}, flow.Candidate{})); err == nil || out.Verdict != 0 {
		t.Errorf("entered for nobody: %v", out)
	}
}
