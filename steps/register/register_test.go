package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/register"
)

var (
	_   flow.Kind   = (*register.Kind)(nil)
	_   flow.Shower = (*register.Kind)(nil)
	now             = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// The statuses of the doors.
const (
	anybody = "USERNAME_PASSWORD_REQUIRED"
	unnamed = "SIGN_ON_REQUIRED"
)

// fake gives one answer and keeps what it was asked.
type fake struct {
	answer register.Registered
	err    error
	asked  []register.Registration
}

func (f *fake) Register(_ context.Context, r register.Registration) (register.Registered, error) {
	f.asked = append(f.asked, r)
	return f.answer, f.err
}

func turn(t *testing.T, status, config string) *flow.Turn {
	t.Helper()
	c, err := register.New(nil).Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.register", c, now, nil, 3, flow.Sum("submit"))
	ft.Status, ft.Locales = status, "de, en;q=0.5"
	return ft
}

func submit(t *testing.T, f *fake, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range register.New(f).Meta().Actions {
		if a.Name == "user.register" && a.OfferedBeside(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("user.register is not offered in %s", at.Status)
	return flow.Outcome{}, nil
}

// jane is a submit with everything that is required, and what is added to it.
func jane(more ...any) flow.Values {
	v := flow.Values{"username": "Jane", "email": "jane@example.com", "password": " p "}
	for i := 0; i < len(more); i += 2 {
		v[more[i].(string)] = more[i+1]
	}
	return v
}

func TestItIsADoorWhereNobodyIsNamedYet(t *testing.T) {
	for status, want := range map[string]bool{anybody: true, unnamed: true, "PASSWORD_REQUIRED": false, "RECOVERY_CODE_REQUIRED": false, "VERIFICATION_CODE_REQUIRED": false} {
		for _, a := range register.New(nil).Meta().Actions {
			if a.OfferedBeside(status) != want || a.Offered(status) {
				t.Errorf("%s is offered beside %s: %v, want %v", a.Name, status, !want, want)
			}
		}
	}
	if out, err := register.New(nil).Enter(t.Context(), turn(t, "", "")); err == nil || out.Verdict != 0 {
		t.Errorf("walked in: %v", out)
	}
}

func TestAnAccountIsAskedForAsItWasTyped(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		in     flow.Values
		want   register.Registration
	}{
		"only what is required": {"", jane(), register.Registration{}},
		"with a name":           {"{}", jane("name", map[string]any{"given": "Jane", "family": "Doe"}), register.Registration{Given: "Jane", Family: "Doe"}},
		"with a dotted name":    {"{}", jane("name.given", "Jane"), register.Registration{Given: "Jane"}},
		"in a population":       {`{"population":"p1"}`, jane(), register.Registration{Population: "p1"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{answer: register.Registered{Subject: flow.Subject{ID: "u1"}}}, turn(t, anybody, tt.config)
			if _, err := submit(t, f, at, tt.in); err != nil {
				t.Fatal(err)
			}
			w := tt.want
			w.Env, w.Username, w.Email, w.Password, w.Locales, w.Flow, w.Effect = "e1", "Jane", "jane@example.com", " p ", "de, en;q=0.5", "f1", at.Effect()
			if diff := cmp.Diff([]register.Registration{w}, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatComesOfARegistration(t *testing.T) {
	reject := func(d flow.Detail) flow.Outcome {
		return flow.Reject(unnamed, flow.Invalid(d)).WithEvent(flow.RegisterRefused)
	}
	for name, tt := range map[string]struct {
		answer register.Registered
		want   flow.Outcome
	}{
		"a new account": {
			register.Registered{Subject: flow.Subject{ID: "u1", Username: "Jane"}},
			flow.Result("REGISTERED").WithCandidate(flow.Candidate{
				Username: "Jane", Address: "j•••@example.com", UserID: "u1",
				Proofs: flow.Ledger{{Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now}},
			}).WithEvent(flow.UserRegistered).WithEvent(flow.VerificationSent),
		},
		"a name or address that is somebody's": {
			register.Registered{},
			flow.Result("REGISTERED").WithCandidate(flow.Candidate{Username: "Jane", Address: "j•••@example.com"}).WithEvent(flow.RegisterRefused),
		},
		"what cannot be a username": {
			register.Registered{Invalid: "username"},
			reject(flow.Detail{Code: flow.InvalidValue, Target: "username", Message: "This cannot be a username. Use letters, digits, punctuation and single spaces."}),
		},
		"what cannot be an address": {
			register.Registered{Invalid: "email"},
			reject(flow.Detail{Code: flow.InvalidValue, Target: "email", Message: "This is not a mail address. Check it."}),
		},
		"what cannot be a name": {
			register.Registered{Invalid: "name.family"},
			reject(flow.Detail{Code: flow.InvalidValue, Target: "name.family", Message: "This cannot be a name. Leave out what is not a letter, a digit or a space."}),
		},
		"a password that breaks rules": {
			register.Registered{Unsatisfied: []string{"length", "excludesProfileData"}},
			reject(flow.Detail{
				Code: flow.InvalidValue, Target: "password", Inner: map[string]any{"unsatisfiedRequirements": []string{"length", "excludesProfileData"}},
				Message: "The password does not meet the password policy. Choose one that meets the requirements named in innerError.",
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := submit(t, &fake{answer: tt.answer}, turn(t, unnamed, ""), jane())
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// TestNobodySetsWhatWasNotAskedFor: what a user has and registration does not
// ask for is dropped and recorded, what no user has is refused.
func TestNobodySetsWhatWasNotAskedFor(t *testing.T) {
	known := flow.Values{
		"id": "u9", "population": map[string]any{"id": "p2"}, "enabled": true, "mfaEnabled": false, "emailVerified": true,
		"lifecycle": map[string]any{"status": "ACCOUNT_OK"}, "account": map[string]any{"canAuthenticate": true},
		"identityProvider": map[string]any{"id": "i"}, "verifyStatus": "ENABLED", "createdAt": "x", "updatedAt": "x",
		"memberOfGroupIDs": []any{"admins"}, "memberOfGroupNames": []any{"admins"}, "lastSignOn": map[string]any{},
		"address": map[string]any{"postalCode": "1"}, "externalId": "x", "nickname": "x", "title": "x", "type": "admin", "locale": "de",
		"timezone": "x", "preferredLanguage": "de", "primaryPhone": "1", "mobilePhone": "1", "photo": map[string]any{"href": "x"},
		"name": map[string]any{"given": "Jane", "middle": "x", "formatted": "x", "honorificPrefix": "x", "honorificSuffix": "x"},
	}
	for name, value := range known {
		t.Run(name, func(t *testing.T) {
			f := &fake{answer: register.Registered{Subject: flow.Subject{ID: "u1"}}}
			at := turn(t, anybody, `{"population":"p1"}`)
			out, err := submit(t, f, at, jane(name, value))
			if err != nil || out.Verdict != flow.Results {
				t.Fatalf("outcome %v, error %v", out, err)
			}
			want := []flow.EventType{flow.UserRegistered, flow.VerificationSent, flow.InputIgnored}
			if diff := cmp.Diff(want, out.Events); diff != "" {
				t.Error(diff)
			}
			asked := register.Registration{
				Env: "e1", Population: "p1", Username: "Jane", Email: "jane@example.com", Password: " p ",
				Locales: "de, en;q=0.5", Flow: "f1", Effect: at.Effect(),
			}
			if name == "name" {
				asked.Given = "Jane"
			}
			if diff := cmp.Diff([]register.Registration{asked}, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnInvalidSubmitMakesNothing(t *testing.T) {
	long := strings.Repeat("ä", 300)
	tests := map[string]struct {
		in   flow.Values
		want []string // code@target
	}{
		"nothing sent":        {flow.Values{}, []string{"REQUIRED_VALUE@username", "REQUIRED_VALUE@email", "REQUIRED_VALUE@password"}},
		"an empty password":   {jane("password", ""), []string{"REQUIRED_VALUE@password"}},
		"too much of all":     {jane("username", long, "email", long, "password", long, "name.given", long, "name.family", long), []string{"SIZE_LIMIT_EXCEEDED@username", "SIZE_LIMIT_EXCEEDED@email", "SIZE_LIMIT_EXCEEDED@password", "SIZE_LIMIT_EXCEEDED@name.given", "SIZE_LIMIT_EXCEEDED@name.family"}},
		"a name that is none": {jane("name", "Jane"), []string{"INVALID_VALUE@name"}},
		"what no user has":    {jane("role", "admin"), []string{"INVALID_VALUE@role"}},
		"nor any name":        {jane("name", map[string]any{"nick": "J"}), []string{"INVALID_VALUE@name.nick"}},
		"groups of addresses": {jane("email", []any{"jane@example.com"}), []string{"INVALID_VALUE@email"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			out, err := submit(t, f, turn(t, anybody, ""), tt.in)
			var got []string
			for _, d := range flow.AsFault(err).Details {
				got = append(got, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if out.Verdict != 0 || len(f.asked) != 0 {
				t.Errorf("outcome %v after %d requests, want none", out, len(f.asked))
			}
		})
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want flow.Code
	}{
		"the pool is busy":       {errors.New("busy"), flow.Unavailable},
		"too many registrations": {&flow.Fault{Code: flow.Limited}, flow.Limited},
	} {
		out, err := submit(t, &fake{err: tt.err}, turn(t, anybody, ""), jane())
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: outcome %v, error %v, want %s", name, out, err, tt.want)
		}
	}
}

func TestItIsConfiguredByAPopulation(t *testing.T) {
	for in, want := range map[string]string{"": "", "{}": "", `{"population":"p1"}`: "p1"} {
		if diff := cmp.Diff(flow.Show{Population: want}, register.New(nil).Show(turn(t, anybody, in))); diff != "" {
			t.Errorf("Check(%q): %s", in, diff)
		}
	}
	for _, in := range []string{"[]", `{"population":7}`, `{"populations":[]}`} {
		if _, err := register.New(nil).Check(json.RawMessage(in)); err == nil {
			t.Errorf("Check(%q) is taken", in)
		}
	}
}
