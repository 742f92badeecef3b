package change_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/change"
)

var (
	_   flow.Kind = (*change.Kind)(nil)
	ada           = flow.Subject{ID: "u1", Username: "ada", Given: "Ada"}
	now           = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// The statuses.
const (
	expired = "PASSWORD_EXPIRED"
	lent    = "MUST_CHANGE_PASSWORD"
)

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict change.Verdict
	err     error
	asked   []change.Attempt
}

func (f *fake) Change(_ context.Context, a change.Attempt) (change.Verdict, error) {
	f.asked = append(f.asked, a)
	return f.verdict, f.err
}

func turn(t *testing.T, status string, user flow.Subject) *flow.Turn {
	t.Helper()
	c, err := change.New(nil).Check(json.RawMessage(`{"status":"` + status + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.change", c, now, nil, 3, flow.Sum("submit"))
	ft.Status, ft.User = status, user
	return ft
}

func submit(t *testing.T, f *fake, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range change.New(f).Meta().Actions {
		if a.Name == "password.reset" && a.Offered(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("password.reset is not offered in %s", at.Status)
	return flow.Outcome{}, nil
}

func TestItWaitsInTheStatusThatSaysWhy(t *testing.T) {
	for _, status := range []string{expired, lent} {
		got, err := change.New(nil).Enter(t.Context(), turn(t, status, ada))
		if diff := cmp.Diff(flow.Wait(status), got); err != nil || diff != "" {
			t.Error(status, err, diff)
		}
		if out, err := change.New(nil).Enter(t.Context(), turn(t, status, flow.Subject{})); err == nil || out.Verdict != 0 {
			t.Errorf("%s for nobody: %v", status, out)
		}
	}
}

func TestWhatComesOfAChange(t *testing.T) {
	reject := func(e flow.EventType, d flow.Detail) flow.Outcome {
		return flow.Reject(lent, flow.Invalid(d)).WithEvent(e)
	}
	changed := func(result string) flow.Outcome {
		return flow.Result(result).WithUser(ada).WithProof(flow.Proof{
			Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now,
		}).WithEvent(flow.PasswordChanged)
	}
	for name, tt := range map[string]struct {
		verdict change.Verdict
		want    flow.Outcome
	}{
		"changed":                           {change.Verdict{Result: change.Changed, Subject: ada}, changed("CHANGED")},
		"changed, the address not verified": {change.Verdict{Result: change.Changed, Subject: ada, Unverified: true}, changed("VERIFICATION_REQUIRED")},
		"not the current password":          {change.Verdict{Result: change.WrongPassword}, reject(flow.ChangeRefused, flow.Detail{Code: flow.InvalidValue, Target: "currentPassword", Message: "This is not the current password. Please try again."})},
		"locked out for 89.2 more seconds":  {change.Verdict{Result: change.LockedOut, UnlockIn: 89200 * time.Millisecond}, reject(flow.PasswordLocked, flow.Detail{Code: flow.PasswordLockedOut, Target: "currentPassword", Inner: map[string]any{"secondsUntilUnlock": 90}, Message: "Too many wrong passwords. Wait until the lock ends, then try again."})},
		"locked by an administrator": {change.Verdict{Result: change.LockedOut}, reject(flow.PasswordLocked, flow.Detail{
			Code: flow.PasswordLockedOut, Target: "currentPassword", Message: "This account is locked. Ask your administrator to unlock it.",
		})},
		"a password that breaks rules":   {change.Verdict{Result: change.Unsatisfying, Unsatisfied: []string{"history"}}, reject(flow.ChangeRefused, flow.Detail{Code: flow.InvalidValue, Target: "newPassword", Inner: map[string]any{"unsatisfiedRequirements": []string{"history"}}, Message: "The password does not meet the password policy. Choose one that meets the requirements named in innerError."})},
		"changed a moment ago":           {change.Verdict{Result: change.TooYoung}, reject(flow.ChangeRefused, flow.Detail{Code: flow.ConstraintViolation, Target: "newPassword", Message: "The password was changed a short time ago and cannot be changed again yet. Wait, or ask your administrator."})},
		"of a user who may not any more": {change.Verdict{Result: change.NotAllowed}, flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled)},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{verdict: tt.verdict}, turn(t, lent, ada)
			got, err := submit(t, f, at, flow.Values{"currentPassword": " c ", "newPassword": " n "})
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []change.Attempt{{Env: "e1", UserID: "u1", Current: " c ", Password: " n ", Effect: at.Effect(), At: now}}
			if diff := cmp.Diff(want, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnInvalidSubmitIsNoAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		in   flow.Values
		want []string // code@target
	}{
		"nothing sent":         {flow.Values{}, []string{"REQUIRED_VALUE@currentPassword", "REQUIRED_VALUE@newPassword"}},
		"no current one":       {flow.Values{"newPassword": "n"}, []string{"REQUIRED_VALUE@currentPassword"}},
		"an empty new one":     {flow.Values{"currentPassword": "c", "newPassword": ""}, []string{"REQUIRED_VALUE@newPassword"}},
		"256 letters":          {flow.Values{"currentPassword": "c", "newPassword": strings.Repeat("ä", 256)}, []string{"SIZE_LIMIT_EXCEEDED@newPassword"}},
		"of somebody else":     {flow.Values{"currentPassword": "c", "newPassword": "n", "username": "bea"}, []string{"INVALID_VALUE@username"}},
		"with a code for that": {flow.Values{"recoveryCode": "c", "newPassword": "n"}, []string{"REQUIRED_VALUE@currentPassword", "INVALID_VALUE@recoveryCode"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			out, err := submit(t, f, turn(t, expired, ada), tt.in)
			var got []string
			for _, d := range flow.AsFault(err).Details {
				got = append(got, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || out.Verdict != 0 || len(f.asked) != 0 {
				t.Errorf("outcome %v after %d attempts %s", out, len(f.asked), diff)
			}
		})
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		fake fake
		want flow.Code
	}{
		"the pool is busy":       {fake{err: errors.New("busy")}, flow.Unavailable},
		"too many tries":         {fake{err: &flow.Fault{Code: flow.Limited}}, flow.Limited},
		"a verdict that is none": {fake{}, flow.Unexpected},
		"changed for nobody":     {fake{verdict: change.Verdict{Result: change.Changed}}, flow.Unexpected},
		"changed for another":    {fake{verdict: change.Verdict{Result: change.Changed, Subject: flow.Subject{ID: "u2"}}}, flow.Unexpected},
	} {
		out, err := submit(t, &tt.fake, turn(t, expired, ada), flow.Values{"currentPassword": "c", "newPassword": "n"})
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: outcome %v, error %v, want %s", name, out, err, tt.want)
		}
	}
}

func TestItIsConfiguredByAStatus(t *testing.T) {
	for in, ok := range map[string]bool{
		`{"status":"PASSWORD_EXPIRED"}`: true, `{"status":"MUST_CHANGE_PASSWORD"}`: true,
		"": false, "{}": false, "[]": false, `{"status":"PASSWORD_REQUIRED"}`: false, `{"status":"PASSWORD_EXPIRED","a":1}`: false,
	} {
		if _, err := change.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
