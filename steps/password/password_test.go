package password_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/flow"
	"doorward/steps/password"
)

var (
	_   flow.Kind = (*password.Kind)(nil)
	ada           = flow.Subject{ID: "u1", Username: "ada", Given: "Ada"}
	now           = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict password.Verdict
	err     error
	asked   []password.Attempt
}

func (f *fake) Check(_ context.Context, a password.Attempt) (password.Verdict, error) {
	f.asked = append(f.asked, a)
	return f.verdict, f.err
}

func turn(status string, user flow.Subject) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.password", nil, now, nil, 3, flow.Sum("submit"))
	t.Status, t.User, t.Client.RemoteIP = status, user, netip.MustParseAddr("192.0.2.1")
	return t
}

// typed is a turn of somebody who has named themselves, and proven nothing.
func typed(status, username string) *flow.Turn {
	t := turn(status, flow.Subject{})
	t.Person = flow.Candidate{Username: username}
	return t
}

func submit(t *testing.T, f *fake, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range password.New(f, nil).Meta().Actions {
		if a.Name == "usernamePassword.check" && a.Offered(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("usernamePassword.check is not offered in %s", at.Status)
	return flow.Outcome{}, nil
}

func TestItAsksForTheUsernameOnlyWhenNobodyIsNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want string
	}{
		"nobody is":               {turn("", flow.Subject{}), "USERNAME_PASSWORD_REQUIRED"},
		"somebody is known":       {turn("", ada), "PASSWORD_REQUIRED"},
		"a name was typed before": {typed("", "ada"), "PASSWORD_REQUIRED"},
	} {
		got, err := password.New(nil, nil).Enter(context.Background(), tt.at)
		if diff := cmp.Diff(flow.Wait(tt.want), got); err != nil || diff != "" {
			t.Error(name, err, diff)
		}
	}
}

func TestOneActionIsOfferedInEachStatus(t *testing.T) {
	for _, status := range []string{"USERNAME_PASSWORD_REQUIRED", "PASSWORD_REQUIRED"} {
		var names []string
		for _, a := range password.New(nil, nil).Meta().Actions {
			if a.Offered(status) {
				names = append(names, a.Name)
			}
		}
		if diff := cmp.Diff([]string{"usernamePassword.check"}, names); diff != "" {
			t.Error(status, diff)
		}
	}
}

func TestAnAttemptCarriesWhoAndWhereAndItsEffect(t *testing.T) {
	const bound = "PASSWORD_REQUIRED"
	tests := map[string]struct {
		at   *flow.Turn
		in   flow.Values
		want password.Attempt
	}{
		"a typed username": {
			turn("USERNAME_PASSWORD_REQUIRED", flow.Subject{}),
			flow.Values{"username": " Ada ", "password": " p "},
			password.Attempt{Username: " Ada ", Password: " p "},
		},
		"the user of the flow":              {turn(bound, ada), flow.Values{"password": "p"}, password.Attempt{UserID: "u1", Password: "p"}},
		"the user of the flow, named again": {turn(bound, ada), flow.Values{"username": "  ADA ", "password": "p"}, password.Attempt{UserID: "u1", Password: "p"}},
		"the name typed before":             {typed(bound, " Ada"), flow.Values{"password": "p"}, password.Attempt{Username: " Ada", Password: "p"}},
		"the name typed before, again":      {typed(bound, " Ada"), flow.Values{"username": "ada", "password": "p"}, password.Attempt{Username: " Ada", Password: "p"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fake{verdict: password.Verdict{Result: password.Refused}}
			at := tt.at
			if _, err := submit(t, f, at, tt.in); err != nil {
				t.Fatal(err)
			}
			tt.want.Env, tt.want.Effect, tt.want.RemoteIP = "e1", at.Effect(), netip.MustParseAddr("192.0.2.1")
			if diff := cmp.Diff([]password.Attempt{tt.want}, f.asked, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatComesOfAnAttempt(t *testing.T) {
	refused := flow.Invalid(flow.Detail{Code: flow.InvalidCredentials, Target: "password", Message: "Incorrect username or password. Please try again."})
	locked := flow.Invalid(flow.Detail{
		Code: flow.PasswordLockedOut, Target: "password", Inner: map[string]any{"secondsUntilUnlock": 90},
		Message: "Too many wrong passwords. Wait until the lock ends, then try again.",
	})
	disabled := flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled)
	const anybody, bound = "USERNAME_PASSWORD_REQUIRED", "PASSWORD_REQUIRED"
	accepted := func(result string) flow.Outcome {
		return flow.Result(result).WithUser(ada).WithProof(flow.Proof{
			Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now,
		}).WithEvent(flow.PasswordAccepted)
	}
	tests := map[string]struct {
		status  string
		verdict password.Verdict
		want    flow.Outcome
	}{
		"accepted":                           {anybody, password.Verdict{Result: password.Accepted, Subject: ada}, accepted("AUTHENTICATED")},
		"accepted, but expired":              {anybody, password.Verdict{Result: password.Accepted, Subject: ada, State: password.Expired}, accepted("PASSWORD_EXPIRED")},
		"accepted, but lent":                 {bound, password.Verdict{Result: password.Accepted, Subject: ada, State: password.MustChange}, accepted("MUST_CHANGE_PASSWORD")},
		"accepted, the address not verified": {bound, password.Verdict{Result: password.Accepted, Subject: ada, Unverified: true}, accepted("VERIFICATION_REQUIRED")},
		"accepted, neither kept nor verified": {
			anybody,
			password.Verdict{Result: password.Accepted, Subject: ada, State: password.MustChange, Unverified: true},
			accepted("MUST_CHANGE_PASSWORD"),
		},
		"refused":                           {anybody, password.Verdict{Result: password.Refused}, flow.Reject(anybody, refused).WithEvent(flow.PasswordRefused)},
		"refused for the user of the flow":  {bound, password.Verdict{Result: password.Refused}, flow.Reject(bound, refused).WithEvent(flow.PasswordRefused)},
		"locked out for 89.2 more seconds":  {anybody, password.Verdict{Result: password.LockedOut, UnlockIn: 89200 * time.Millisecond}, flow.Reject(anybody, locked).WithEvent(flow.PasswordLocked)},
		"right but the account is disabled": {anybody, password.Verdict{Result: password.Disabled}, disabled},
		"locked by an administrator": {bound, password.Verdict{Result: password.LockedOut}, flow.Reject(bound, flow.Invalid(flow.Detail{
			Code: flow.PasswordLockedOut, Target: "password", Message: "This account is locked. Ask your administrator to unlock it.",
		})).WithEvent(flow.PasswordLocked)},
		"locked out, the user of the flow":   {bound, password.Verdict{Result: password.LockedOut, UnlockIn: 90 * time.Second}, flow.Reject(bound, locked).WithEvent(flow.PasswordLocked)},
		"disabled, and the user of the flow": {bound, password.Verdict{Result: password.Disabled}, disabled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			user, in := flow.Subject{}, flow.Values{"username": "ada", "password": "p"}
			if tt.status == bound {
				user, in = ada, flow.Values{"password": "p"}
			}
			got, err := submit(t, &fake{verdict: tt.verdict}, turn(tt.status, user), in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnotherUsernameIsRefusedAndIsNoAttempt(t *testing.T) {
	for name, at := range map[string]*flow.Turn{
		"than the flow's user's": turn("PASSWORD_REQUIRED", ada), "than was typed before": typed("PASSWORD_REQUIRED", "ada"),
	} {
		f := &fake{}
		got, err := submit(t, f, at, flow.Values{"username": "bea", "password": "p"})
		if err != nil || got.Verdict != flow.Rejects || got.Status != "PASSWORD_REQUIRED" || len(f.asked) != 0 {
			t.Fatalf("%s: outcome %v, error %v after %d attempts", name, got, err, len(f.asked))
		}
		if d := got.Fault.Details; len(d) != 1 || d[0].Code != flow.InvalidValue || d[0].Target != "username" {
			t.Errorf("%s: details %v", name, d)
		}
		if diff := cmp.Diff([]flow.EventType{flow.UsernameMismatch}, got.Events); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestAnInvalidSubmitIsNoAttempt(t *testing.T) {
	tests := map[string]struct {
		status string
		in     flow.Values
		want   []string // code@target
	}{
		"nothing sent":                   {"USERNAME_PASSWORD_REQUIRED", flow.Values{}, []string{"REQUIRED_VALUE@username", "REQUIRED_VALUE@password"}},
		"an empty password":              {"USERNAME_PASSWORD_REQUIRED", flow.Values{"username": "a", "password": ""}, []string{"REQUIRED_VALUE@password"}},
		"a username of 129 letters":      {"USERNAME_PASSWORD_REQUIRED", flow.Values{"username": strings.Repeat("ä", 129), "password": "p"}, []string{"SIZE_LIMIT_EXCEEDED@username"}},
		"a password of 256 letters":      {"USERNAME_PASSWORD_REQUIRED", flow.Values{"username": "a", "password": strings.Repeat("p", 256)}, []string{"SIZE_LIMIT_EXCEEDED@password"}},
		"a value the action has not":     {"USERNAME_PASSWORD_REQUIRED", flow.Values{"username": "a", "password": "p", "otp": "1"}, []string{"INVALID_VALUE@otp"}},
		"no password of the flow's user": {"PASSWORD_REQUIRED", flow.Values{"username": "ada"}, []string{"REQUIRED_VALUE@password"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, user := &fake{}, flow.Subject{}
			if tt.status == "PASSWORD_REQUIRED" {
				user = ada
			}
			out, err := submit(t, f, turn(tt.status, user), tt.in)
			var got []string
			for _, d := range flow.AsFault(err).Details {
				got = append(got, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if out.Verdict != 0 || len(f.asked) != 0 {
				t.Errorf("outcome %v after %d attempts, want none", out, len(f.asked))
			}
		})
	}
}

func TestACheckThatCannotBeDoneIsRefusedWithoutAnOutcome(t *testing.T) {
	tests := map[string]struct {
		fake fake
		user flow.Subject
		want flow.Code
	}{
		"too many are waiting":                  {fake{err: &flow.Fault{Code: flow.Limited}}, flow.Subject{}, flow.Limited},
		"the pool is busy":                      {fake{err: errors.New("busy")}, flow.Subject{}, flow.Unavailable},
		"a verdict that is none":                {fake{}, flow.Subject{}, flow.Unexpected},
		"accepted for nobody":                   {fake{verdict: password.Verdict{Result: password.Accepted}}, flow.Subject{}, flow.Unexpected},
		"accepted for another than the flow is": {fake{verdict: password.Verdict{Result: password.Accepted, Subject: flow.Subject{ID: "u2"}}}, ada, flow.Unexpected},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, in := "USERNAME_PASSWORD_REQUIRED", flow.Values{"username": "ada", "password": "p"}
			if tt.user.ID != "" {
				status = "PASSWORD_REQUIRED"
			}
			out, err := submit(t, &tt.fake, turn(status, tt.user), in)
			if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
				t.Errorf("outcome %v, error %v, want %s", out, err, tt.want)
			}
		})
	}
}

func TestItIsConfiguredByNothing(t *testing.T) {
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false, "[]": false} {
		if _, err := password.New(nil, nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}

type providers map[string]flow.External

func (p providers) Provider(env, id string) (flow.External, bool) {
	x, ok := p[env+"/"+id]
	return x, ok
}

func TestItNamesTheProviderOfTheAccountThatIsLinked(t *testing.T) {
	there := providers{"e1/p1": {Provider: "p1", Name: "Partner", Type: "OPENID_CONNECT"}}
	named := flow.Show{External: &flow.External{Provider: "p1", Name: "Partner", Type: "OPENID_CONNECT"}}
	for name, tt := range map[string]struct {
		providers        password.Providers
		status, provider string
		want             flow.Show
	}{
		"where it is linked":       {there, "ACCOUNT_LINKING_REQUIRED", "p1", named},
		"nowhere else":             {there, "PASSWORD_REQUIRED", "p1", flow.Show{}},
		"not one that is gone":     {there, "ACCOUNT_LINKING_REQUIRED", "p2", flow.Show{}},
		"not where there are none": {nil, "ACCOUNT_LINKING_REQUIRED", "p1", flow.Show{}},
	} {
		at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "linking", nil, time.Time{}, nil, 0, flow.Digest{})
		at.Status, at.Foreign.Provider = tt.status, tt.provider
		if diff := cmp.Diff(tt.want, password.New(nil, tt.providers).Show(at)); diff != "" {
			t.Error(name, diff)
		}
	}
}
