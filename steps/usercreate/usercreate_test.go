package usercreate_test

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
	"doorward/steps/usercreate"
)

var (
	_   flow.Stepper = (*usercreate.Kind)(nil)
	now              = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// The configurations.
const (
	deferred = `{"population":{"id":"p1"},"lifecycle":{"status":"VERIFICATION_REQUIRED"}}`
	usable   = `{"population":{"id":"p1"},"lifecycle":{"status":"ACCOUNT_OK"}}`
)

// fake gives one answer and keeps what it was asked.
type fake struct {
	answer usercreate.Created
	err    error
	asked  []usercreate.Account
}

func (f *fake) Create(_ context.Context, a usercreate.Account) (usercreate.Created, error) {
	f.asked = append(f.asked, a)
	return f.answer, f.err
}

func turn(t *testing.T, config string, user map[string]any) *flow.Turn {
	t.Helper()
	c, err := usercreate.New(nil).Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "create", c, now, nil, 3, flow.Sum("submit"))
	ft.Locales, ft.Input = "de, en;q=0.5", map[string]any{"user": user}
	return ft
}

// jane is who asks for an account, and what is added to it.
func jane(more ...any) map[string]any {
	u := map[string]any{"username": "Jane", "email": "jane@example.com", "password": flow.Secret(" p "), "name": map[string]any{"given": "Jane"}}
	for i := 0; i < len(more); i += 2 {
		u[more[i].(string)] = more[i+1]
	}
	return u
}

// asked is what is put out of jane.
func asked(id, status string) map[string]any {
	return map[string]any{"user": map[string]any{
		"id": id, "username": "Jane", "email": "jane@example.com", "name": map[string]any{"given": "Jane"},
		"population": map[string]any{"id": "p1"}, "lifecycle": map[string]any{"status": status},
	}}
}

func TestWhatComesOfAnAccount(t *testing.T) {
	refuse := func(d flow.Detail) flow.Outcome {
		return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(flow.RegisterRefused)
	}
	proofs := flow.Ledger{{Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now}}
	subject := flow.Subject{ID: "u1", Username: "Jane"}
	taken := func(name string) flow.Detail {
		return flow.Detail{Code: flow.UniquenessViolation, Target: "user." + name, Message: "This " + name + " is taken. Choose another one."}
	}
	for name, tt := range map[string]struct {
		config string
		answer usercreate.Created
		want   flow.Outcome
	}{
		"a new account": {
			deferred,
			usercreate.Created{Subject: subject, Decoy: "d1"},
			flow.Result("SUCCEEDED").WithCandidate(flow.Candidate{Username: "Jane", Address: "j•••@example.com", UserID: "u1", Proofs: proofs}).
				WithEvent(flow.UserRegistered).WithOutputs(asked("u1", "VERIFICATION_REQUIRED")),
		},
		"a name or address that is somebody's": {
			deferred,
			usercreate.Created{Decoy: "d1"},
			flow.Result("SUCCEEDED").WithCandidate(flow.Candidate{Username: "Jane", Address: "j•••@example.com"}).
				WithEvent(flow.RegisterRefused).WithOutputs(asked("d1", "VERIFICATION_REQUIRED")),
		},
		"a new account that is usable": {
			usable,
			usercreate.Created{Subject: subject, Decoy: "d1"},
			flow.Result("SUCCEEDED").WithCandidate(flow.Candidate{Username: "Jane", Address: "j•••@example.com", UserID: "u1", Proofs: proofs}).
				WithEvent(flow.UserRegistered).WithOutputs(asked("u1", "ACCOUNT_OK")).WithUser(subject),
		},
		"a name that is somebody's, where it is told": {usable, usercreate.Created{Taken: []string{"username"}, Decoy: "d1"}, refuse(taken("username"))},
		"both are somebody's": {
			deferred,
			usercreate.Created{Taken: []string{"username", "email"}, Decoy: "d1"},
			flow.FailWith(flow.Failure{Code: flow.UniquenessViolation, Message: taken("username").Message, Details: []flow.Detail{taken("username"), taken("email")}}).WithEvent(flow.RegisterRefused),
		},
		"what cannot be an address":  {deferred, usercreate.Created{Invalid: "email", Decoy: "d1"}, refuse(flow.Detail{Code: flow.InvalidValue, Target: "user.email", Message: "This is not a mail address. Check it."})},
		"what cannot be a username":  {deferred, usercreate.Created{Invalid: "username"}, refuse(flow.Detail{Code: flow.InvalidValue, Target: "user.username", Message: "This cannot be a username. Use letters, digits, punctuation and single spaces."})},
		"what cannot be a last name": {deferred, usercreate.Created{Invalid: "name.family"}, refuse(flow.Detail{Code: flow.InvalidValue, Target: "user.name.family", Message: "The attribute cannot have this value."})},
		"a password that breaks rules": {
			deferred, usercreate.Created{Unsatisfied: []string{"length"}, Decoy: "d1"}, refuse(flow.Unsatisfied("user.password", []string{"length"})),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{answer: tt.answer}, turn(t, tt.config, jane())
			got, err := usercreate.New(f).Enter(t.Context(), at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []usercreate.Account{{
				Env: "e1", Population: "p1", Password: " p ", Usable: tt.config == usable, Locales: "de, en;q=0.5", Flow: "f1", Effect: at.Effect(),
				Attributes: flow.Attributes{"username": "Jane", "email": "jane@example.com", "name.given": "Jane"},
			}}
			if diff := cmp.Diff(want, f.asked); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(fmt.Sprintf("%#v", got.Outputs), " p ") {
				t.Error("the password is put out")
			}
		})
	}
}

// TestAFreeNameAndATakenOneLookAlike compares all that a definition can see.
func TestAFreeNameAndATakenOneLookAlike(t *testing.T) {
	see := func(c usercreate.Created) string {
		got, err := usercreate.New(&fake{answer: c}).Enter(t.Context(), turn(t, deferred, jane()))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal([]any{got.Verdict, got.Name, got.Outputs, got.Person.Username, got.Person.Address, got.Users, got.Failure})
		return string(b)
	}
	free, taken := see(usercreate.Created{Subject: flow.Subject{ID: "x1"}, Decoy: "d1"}), see(usercreate.Created{Decoy: "x1"})
	if diff := cmp.Diff(free, taken); diff != "" {
		t.Error(diff)
	}
}

func TestNobodySetsWhatIsNotTheirs(t *testing.T) {
	f := &fake{answer: usercreate.Created{Subject: flow.Subject{ID: "u1"}}}
	got, err := usercreate.New(f).Enter(t.Context(), turn(t, deferred, jane("enabled", true, "lifecycle", map[string]any{"status": "ACCOUNT_OK"}, "population", map[string]any{"id": "p9"}, "emailVerified", true)))
	if err != nil || got.Verdict != flow.Results {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff([]flow.EventType{flow.UserRegistered, flow.InputIgnored}, got.Events) + cmp.Diff(asked("u1", "VERIFICATION_REQUIRED"), got.Outputs); diff != "" {
		t.Error(diff)
	}
	if a := f.asked[0]; a.Population != "p1" || a.Usable || len(a.Attributes) != 3 {
		t.Errorf("asked for %v", a)
	}
}

func TestAnInvalidUserMakesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		user   map[string]any
		want   []string
	}{
		"nothing":                 {deferred, nil, []string{"REQUIRED_VALUE@user.username", "REQUIRED_VALUE@user.email", "REQUIRED_VALUE@user.password"}},
		"nothing, usable":         {usable, map[string]any{}, []string{"REQUIRED_VALUE@user.username", "REQUIRED_VALUE@user.password"}},
		"a password in the clear": {deferred, jane("password", "p"), []string{"REQUIRED_VALUE@user.password"}},
		"one of 256 letters":      {deferred, jane("password", flow.Secret(strings.Repeat("ä", 256))), []string{"SIZE_LIMIT_EXCEEDED@user.password"}},
		"what no user has":        {deferred, jane("role", "admin"), []string{"INVALID_VALUE@user.role"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := usercreate.New(f).Enter(t.Context(), turn(t, tt.config, tt.user))
			if err != nil || got.Verdict != flow.Fails || len(f.asked) != 0 {
				t.Fatal(got, err, f.asked)
			}
			var bad []string
			for _, d := range got.Failure.Details {
				bad = append(bad, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, bad); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whoever has signed on makes no other account, nor does whom the application names.
func TestWhoIsKnownMakesNoOtherAccount(t *testing.T) {
	for name, row := range map[string]struct {
		proven, named bool
		made          int
	}{"signed on": {true, false, 0}, "named": {false, true, 0}, "of a session alone": {false, false, 1}} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{answer: usercreate.Created{Subject: flow.Subject{ID: "u2"}}}, turn(t, usable, jane())
			at.User, at.Proven, at.Named = flow.Subject{ID: "u1"}, row.proven, row.named
			got, err := usercreate.New(f).Enter(t.Context(), at)
			if err != nil || len(f.asked) != row.made {
				t.Fatal(got, err, f.asked)
			}
			if refused := got.Verdict == flow.Fails && got.Failure.Code == "USER_MISMATCH"; refused != (row.made == 0) {
				t.Error(got)
			}
		})
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		fake fake
		want flow.Code
	}{
		"the pool is busy":             {fake{err: errors.New("busy")}, flow.Unavailable},
		"too many registrations":       {fake{err: &flow.Fault{Code: flow.Limited}}, flow.Limited},
		"a usable account of nobody's": {fake{answer: usercreate.Created{Decoy: "d1"}}, flow.Unexpected},
	} {
		out, err := usercreate.New(&tt.fake).Enter(t.Context(), turn(t, usable, jane()))
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}

func TestItIsConfiguredByAPopulation(t *testing.T) {
	for in, ok := range map[string]bool{
		deferred: true, usable: true, `{"population":{"id":"p1"}}`: true,
		"": false, "{}": false, "[]": false, `{"population":"p1"}`: false, `{"population":{"id":"p1"},"lifecycle":{"status":"LOCKED"}}`: false, `{"population":{"id":"p1"},"enabled":true}`: false,
	} {
		if _, err := usercreate.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}

func TestOnlyAUsableAccountConfirms(t *testing.T) {
	k := usercreate.New(nil)
	for config, want := range map[string]bool{deferred: false, usable: true, `{"population":{"id":"p1"}}`: false} {
		r := k.Step("", turn(t, config, nil).Config).Results[0]
		if r.Confirms != want || !r.Names || len(r.Takes) != 1 {
			t.Errorf("%s: %v", config, r)
		}
	}
	if k.Step("", nil).Results[0].Confirms {
		t.Error("in general it confirms")
	}
}
