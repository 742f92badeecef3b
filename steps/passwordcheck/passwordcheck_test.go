package passwordcheck_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/flow"
	"doorward/steps/passwordcheck"
)

var (
	_    flow.Stepper = (*passwordcheck.Kind)(nil)
	ada               = flow.Subject{ID: "u1", Username: "ada"}
	now               = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	from              = netip.MustParseAddr("192.0.2.1")
)

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict passwordcheck.Verdict
	err     error
	asked   []passwordcheck.Attempt
}

func (f *fake) Check(_ context.Context, a passwordcheck.Attempt) (passwordcheck.Verdict, error) {
	f.asked = append(f.asked, a)
	return f.verdict, f.err
}

func turn(id string, password any, user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "check", nil, now, nil, 3, flow.Sum("submit"))
	t.User, t.Person, t.Client.RemoteIP = user, person, from
	t.Input = map[string]any{"user": map[string]any{"id": id, "password": password}}
	return t
}

func candidate() flow.Candidate { return flow.Candidate{Username: "Ada", UserID: "u1"} }

func nobody() flow.Candidate { return flow.Candidate{Username: "no"} }

func state(status string) flow.PasswordState {
	return flow.PasswordState{User: "u1", Policy: "pp1", Status: status, ChangedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour)}
}

func outputs(status string) map[string]any {
	return map[string]any{"passwordState": map[string]any{
		"user": map[string]any{"id": "u1"}, "passwordPolicy": map[string]any{"id": "pp1"}, "status": status,
		"lastChangedAt": "2026-10-20T11:00:00Z", "warnings": map[string]any{"expires": "2026-10-20T13:00:00Z"},
	}}
}

// statusOf is the state of a password that leads to a result.
func statusOf(result string) string {
	if result == "PASSWORD_VALID" {
		return "OK"
	}
	return result
}

func TestWhatComesOfAPassword(t *testing.T) {
	proof := flow.Proof{Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now}
	right := func(result string) flow.Outcome {
		return flow.Result(result).WithOutputs(outputs(statusOf(result))).WithEvent(flow.PasswordAccepted)
	}
	proven := func(result string) flow.Outcome {
		return right(result).WithCandidate(flow.Candidate{Username: "Ada", UserID: "u1", Proofs: flow.Ledger{proof}})
	}
	refuse := func(e flow.EventType, d flow.Detail) flow.Outcome {
		return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(e)
	}
	accepted := func(status string) passwordcheck.Verdict {
		return passwordcheck.Verdict{Result: passwordcheck.Accepted, Subject: ada, State: state(status)}
	}
	unverified := accepted("OK")
	unverified.Unverified = true
	for name, tt := range map[string]struct {
		user    flow.Subject
		verdict passwordcheck.Verdict
		want    flow.Outcome
	}{
		"valid":                           {flow.Subject{}, accepted("OK"), right("PASSWORD_VALID").WithUser(ada).WithProof(proof)},
		"valid, of the user":              {ada, accepted("OK"), right("PASSWORD_VALID").WithUser(ada).WithProof(proof)},
		"expired":                         {flow.Subject{}, accepted("PASSWORD_EXPIRED"), proven("PASSWORD_EXPIRED")},
		"lent":                            {flow.Subject{}, accepted("MUST_CHANGE_PASSWORD"), proven("MUST_CHANGE_PASSWORD")},
		"expired, of the user":            {ada, accepted("PASSWORD_EXPIRED"), right("PASSWORD_EXPIRED")},
		"valid, but the address is not":   {flow.Subject{}, unverified, flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on.").WithEvent(flow.PasswordAccepted)},
		"refused":                         {flow.Subject{}, passwordcheck.Verdict{Result: passwordcheck.Refused}, refuse(flow.PasswordRefused, flow.Detail{Code: flow.InvalidCredentials, Target: "user.password", Message: "Incorrect username or password. Please try again."})},
		"locked out":                      {flow.Subject{}, passwordcheck.Verdict{Result: passwordcheck.LockedOut, UnlockIn: 89200 * time.Millisecond}, refuse(flow.PasswordLocked, flow.Locked("user.password", 90*time.Second))},
		"locked out by an administrator":  {flow.Subject{}, passwordcheck.Verdict{Result: passwordcheck.LockedOut}, refuse(flow.PasswordLocked, flow.Locked("user.password", 0))},
		"right, but the account disabled": {flow.Subject{}, passwordcheck.Verdict{Result: passwordcheck.Disabled}, flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled)},
	} {
		t.Run(name, func(t *testing.T) {
			person := candidate()
			if tt.user.ID != "" {
				person = flow.Candidate{}
			}
			f, at := &fake{verdict: tt.verdict}, turn("u1", flow.Secret(" p "), tt.user, person)
			got, err := passwordcheck.New(f).Enter(t.Context(), at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []passwordcheck.Attempt{{Env: "e1", Account: flow.Account{UserID: "u1"}, Password: " p ", Effect: at.Effect(), RemoteIP: from}}
			if diff := cmp.Diff(want, f.asked, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(fmt.Sprintf("%#v", got), " p ") {
				t.Error("the password is in the outcome")
			}
		})
	}
}

// TestNobodysPasswordIsWrongAsAnyOther compares the whole outcomes.
func TestNobodysPasswordIsWrongAsAnyOther(t *testing.T) {
	for _, v := range []passwordcheck.Verdict{{Result: passwordcheck.Refused}, {Result: passwordcheck.LockedOut, UnlockIn: time.Minute}} {
		f := &fake{verdict: v}
		some, err1 := passwordcheck.New(f).Enter(t.Context(), turn("u1", flow.Secret("p"), flow.Subject{}, candidate()))
		none, err2 := passwordcheck.New(f).Enter(t.Context(), turn("d1", flow.Secret("p"), flow.Subject{}, nobody()))
		if diff := cmp.Diff(some, none); err1 != nil || err2 != nil || diff != "" {
			t.Error(err1, err2, diff)
		}
		if diff := cmp.Diff(flow.Account{Username: "no"}, f.asked[1].Account); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnotherThanTheOneOfTheExecutionIsNoAttempt(t *testing.T) {
	for name, at := range map[string]*flow.Turn{
		"than the user":          turn("u2", flow.Secret("p"), ada, flow.Candidate{}),
		"than the candidate":     turn("u2", flow.Secret("p"), flow.Subject{}, candidate()),
		"where nobody was found": turn("u1", flow.Secret("p"), flow.Subject{}, flow.Candidate{}),
	} {
		f := &fake{}
		got, err := passwordcheck.New(f).Enter(t.Context(), at)
		want := flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || len(f.asked) != 0 {
			t.Error(name, err, diff)
		}
	}
}

func TestAnInvalidInputIsNoAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		password any
		want     string
	}{
		"none":                 {nil, "REQUIRED_VALUE@user.password"},
		"one that was used up": {flow.Secret(""), "REQUIRED_VALUE@user.password"},
		"one of 256 letters":   {flow.Secret(strings.Repeat("ä", 256)), "SIZE_LIMIT_EXCEEDED@user.password"},
	} {
		f := &fake{}
		got, err := passwordcheck.New(f).Enter(t.Context(), turn("u1", tt.password, flow.Subject{}, candidate()))
		if err != nil || got.Verdict != flow.Fails || len(f.asked) != 0 {
			t.Fatal(name, got, err)
		}
		if d := got.Failure.Details; len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		fake   fake
		person flow.Candidate
		want   flow.Code
	}{
		"too many are waiting":                 {fake{err: &flow.Fault{Code: flow.Limited}}, candidate(), flow.Limited},
		"the pool is busy":                     {fake{err: errors.New("busy")}, candidate(), flow.Unavailable},
		"a verdict that is none":               {fake{}, candidate(), flow.Unexpected},
		"accepted for nobody":                  {fake{verdict: passwordcheck.Verdict{Result: passwordcheck.Accepted}}, nobody(), flow.Unexpected},
		"accepted for a name that is nobody's": {fake{verdict: passwordcheck.Verdict{Result: passwordcheck.Accepted, Subject: ada}}, nobody(), flow.Unexpected},
		"accepted for another":                 {fake{verdict: passwordcheck.Verdict{Result: passwordcheck.Accepted, Subject: flow.Subject{ID: "u2"}}}, candidate(), flow.Unexpected},
	} {
		out, err := passwordcheck.New(&tt.fake).Enter(t.Context(), turn("u1", flow.Secret("p"), flow.Subject{}, tt.person))
		if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}

// TestItDoesWhatItDeclares holds the results against what the verifier is told.
func TestItDoesWhatItDeclares(t *testing.T) {
	for _, r := range passwordcheck.New(nil).Step("", nil).Results {
		f := &fake{verdict: passwordcheck.Verdict{Result: passwordcheck.Accepted, Subject: ada, State: state(statusOf(r.Name))}}
		out, err := passwordcheck.New(f).Enter(t.Context(), turn("u1", flow.Secret("p"), flow.Subject{}, candidate()))
		if err != nil || out.Name != r.Name || (len(out.Users) == 1) != r.Confirms || (len(out.Proofs) == 1) != r.Confirms {
			t.Errorf("%s: %v, %v", r.Name, out, err)
		}
		if !r.Confirms && (out.Person == nil || len(out.Person.Proofs) != len(r.Takes)) {
			t.Errorf("%s takes %v", r.Name, out.Person)
		}
		out, err = passwordcheck.New(f).Enter(t.Context(), turn("u1", flow.Secret("p"), ada, flow.Candidate{}))
		if err != nil || (len(out.Proofs) == 0) != r.Candidate || out.Person != nil {
			t.Errorf("%s of the user: %v, %v", r.Name, out, err)
		}
	}
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false} {
		if _, err := passwordcheck.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
