package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/verify"
)

var (
	_   flow.Stepper = (*verify.Kind)(nil)
	_   flow.Offerer = (*verify.Kind)(nil)
	_   flow.Shower  = (*verify.Kind)(nil)
	ada              = flow.Subject{ID: "u1", Username: "ada", Given: "Ada"}
)

const required = "VERIFICATION_CODE_REQUIRED"

// fake gives one verdict and keeps what it was asked.
type fake struct {
	verdict  verify.Verdict
	err      error
	verified bool // nothing is due
	sent     []verify.Sending
	tried    []verify.Attempt
}

func (f *fake) Send(_ context.Context, s verify.Sending) (string, error) {
	f.sent = append(f.sent, s)
	return "ada@example.com", f.err
}

func (f *fake) Verify(_ context.Context, a verify.Attempt) (verify.Verdict, error) {
	f.tried = append(f.tried, a)
	return f.verdict, f.err
}

func (f *fake) Due(context.Context, string, string) (bool, error) { return !f.verified, f.err }

// The three who can be here: proven by a password, registered, and registered
// with what is somebody else's.
func proven() *flow.Turn { return turn(ada, flow.Candidate{}) }

func fresh() *flow.Turn {
	return turn(flow.Subject{}, flow.Candidate{Username: "jane", Address: "j•••@example.com", UserID: "u2"})
}

func taken() *flow.Turn {
	return turn(flow.Subject{}, flow.Candidate{Username: "jane", Address: "j•••@example.com"})
}

func turn(user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.verify", nil, time.Time{}, nil, 3, flow.Sum("submit"))
	t.Status, t.User, t.Person, t.Locales = required, user, person, "de, en;q=0.5"
	return t
}

func submit(t *testing.T, f *fake, at *flow.Turn, name string, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range verify.New(f).Meta().Actions {
		if a.Name == name && a.Offered(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("%s is not offered in %s", name, at.Status)
	return flow.Outcome{}, nil
}

func TestArrivingSendsACodeToWhomNoneWasSentYet(t *testing.T) {
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want flow.Outcome
		sent int
	}{
		"proven by a password":          {proven(), flow.Wait(required).WithEvent(flow.VerificationSent), 1},
		"registered a moment ago":       {fresh(), flow.Wait(required), 0},
		"registered what is somebody's": {taken(), flow.Wait(required), 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := verify.New(f).Enter(t.Context(), tt.at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" || len(f.sent) != tt.sent {
				t.Error(err, diff, f.sent)
			}
		})
	}
	if out, err := verify.New(&fake{}).Enter(t.Context(), turn(flow.Subject{}, flow.Candidate{})); err == nil || out.Verdict != 0 {
		t.Errorf("entered for nobody: %v", out)
	}
}

// TestWhereTheCodeWentIsShown tells a proven user what is on file, and everybody
// else what they typed themselves.
func TestWhereTheCodeWentIsShown(t *testing.T) {
	for name, tt := range map[string]struct {
		at   *flow.Turn
		want string
	}{
		"to the proven":                   {proven(), "a•••@example.com"},
		"to the registered":               {fresh(), "j•••@example.com"},
		"to who registered what is not":   {taken(), "j•••@example.com"},
		"to whom only a name is known of": {turn(flow.Subject{}, flow.Candidate{Username: "ada@example.com", UserID: "u1"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			if _, err := verify.New(f).Enter(t.Context(), tt.at); err != nil {
				t.Fatal(err)
			}
			if _, err := submit(t, f, tt.at, "user.sendVerificationCode", nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flow.Show{Address: tt.want}, verify.New(f).Show(tt.at)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestANewCodeIsSentOnEveryCall(t *testing.T) {
	for name, tt := range map[string]struct {
		at    *flow.Turn
		user  string
		event flow.EventType
	}{
		"to the proven":     {proven(), "u1", flow.VerificationSent},
		"to the registered": {fresh(), "u2", flow.VerificationSent},
		"to nobody":         {taken(), "", flow.VerifyRefused},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			got, err := submit(t, f, tt.at, "user.sendVerificationCode", flow.Values{})
			if diff := cmp.Diff(flow.Wait(required).WithEvent(tt.event), got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []verify.Sending{{Env: "e1", UserID: tt.user, Locales: "de, en;q=0.5", Flow: "f1", Effect: tt.at.Effect()}}
			if diff := cmp.Diff(want, f.sent); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, a := range verify.New(nil).Meta().Actions {
		if want := a.Name == "user.sendVerificationCode"; (a.Repeat == flow.Each) != want {
			t.Errorf("every call of %s counts: %v, want %v", a.Name, !want, want)
		}
	}
}

func TestWhatComesOfACode(t *testing.T) {
	wrong := flow.Reject(required, flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "verificationCode", Inner: map[string]any{"attemptsRemaining": 4},
		Message: "The code is wrong or no longer valid. Check it, or ask for a new one.",
	})).WithEvent(flow.VerifyRefused)
	right := func(u flow.Subject) flow.Outcome {
		return flow.Result("VERIFIED").WithUser(u).WithEvent(flow.UserVerified)
	}
	jane := flow.Subject{ID: "u2", Username: "jane"}
	for name, tt := range map[string]struct {
		at      *flow.Turn
		verdict verify.Verdict
		user    string
		want    flow.Outcome
	}{
		"right, of the proven":      {proven(), verify.Verdict{OK: true, Subject: ada}, "u1", right(ada)},
		"right, of the registered":  {fresh(), verify.Verdict{OK: true, Subject: jane}, "u2", right(jane)},
		"wrong, of the proven":      {proven(), verify.Verdict{}, "u1", wrong},
		"wrong, of the registered":  {fresh(), verify.Verdict{}, "u2", wrong},
		"wrong, as all of nobody's": {taken(), verify.Verdict{}, "", wrong},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{verdict: tt.verdict}
			got, err := submit(t, f, tt.at, "user.verify", flow.Values{"verificationCode": "abcd 2345"})
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []verify.Attempt{{Env: "e1", UserID: tt.user, Code: "abcd 2345", Effect: tt.at.Effect()}}
			if diff := cmp.Diff(want, f.tried); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestASpentCodeSaysSo counts for everybody alike, and starts again with a code.
func TestASpentCodeSaysSo(t *testing.T) {
	const spent = "There were too many wrong codes and the last one sent is void. Ask for a new one."
	for name, at := range map[string]*flow.Turn{"proven": proven(), "registered": fresh(), "nobody's": taken()} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			try := func() flow.Detail {
				out, err := submit(t, f, at, "user.verify", flow.Values{"verificationCode": "x"})
				if err != nil {
					t.Fatal(err)
				}
				return out.Fault.Details[0]
			}
			for n := 1; n <= 7; n++ {
				if got := try(); (got.Message == spent) != (n >= 5) || got.Inner["attemptsRemaining"] != max(0, 5-n) {
					t.Errorf("try %d: %v", n, got)
				}
			}
			if _, err := submit(t, f, at, "user.sendVerificationCode", flow.Values{}); err != nil {
				t.Fatal(err)
			}
			if got := try(); got.Message == spent {
				t.Error("the new code is spent before it was tried")
			}
		})
	}
}

func TestAnInvalidSubmitIsNoAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		action string
		in     flow.Values
		want   string
	}{
		"no code":               {"user.verify", flow.Values{}, "REQUIRED_VALUE@verificationCode"},
		"an empty code":         {"user.verify", flow.Values{"verificationCode": ""}, "REQUIRED_VALUE@verificationCode"},
		"a number":              {"user.verify", flow.Values{"verificationCode": 12345678.0}, "INVALID_VALUE@verificationCode"},
		"a code of 33 letters":  {"user.verify", flow.Values{"verificationCode": strings.Repeat("A", 33)}, "SIZE_LIMIT_EXCEEDED@verificationCode"},
		"of somebody else":      {"user.verify", flow.Values{"verificationCode": "c", "id": "u9"}, "INVALID_VALUE@id"},
		"a new one, elsewhere":  {"user.sendVerificationCode", flow.Values{"email": "m@x"}, "INVALID_VALUE@email"},
		"the other kind's code": {"user.verify", flow.Values{"verificationCode": "c", "recoveryCode": "c"}, "INVALID_VALUE@recoveryCode"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			out, err := submit(t, f, fresh(), tt.action, tt.in)
			d := flow.AsFault(err).Details
			if out.Verdict != 0 || len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want || len(f.sent)+len(f.tried) != 0 {
				t.Errorf("outcome %v, details %v, want %s", out, d, tt.want)
			}
		})
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	limited := &flow.Fault{Code: flow.Limited}
	for name, tt := range map[string]struct {
		fake   fake
		at     *flow.Turn
		action string
		want   flow.Code
	}{
		"the database is away": {fake{err: errors.New("away")}, fresh(), "user.verify", flow.Unavailable},
		"too many tries":       {fake{err: limited}, fresh(), "user.verify", flow.Limited},
		"nothing can be sent":  {fake{err: errors.New("away")}, taken(), "user.sendVerificationCode", flow.Unavailable},
		"too many codes":       {fake{err: limited}, taken(), "user.sendVerificationCode", flow.Limited},
		"right for nobody":     {fake{verdict: verify.Verdict{OK: true}}, taken(), "user.verify", flow.Unexpected},
		"right for another":    {fake{verdict: verify.Verdict{OK: true, Subject: ada}}, fresh(), "user.verify", flow.Unexpected},
		"right for somebody":   {fake{verdict: verify.Verdict{OK: true, Subject: ada}}, taken(), "user.verify", flow.Unexpected},
	} {
		t.Run(name, func(t *testing.T) {
			in := flow.Values{}
			if tt.action == "user.verify" {
				in["verificationCode"] = "c"
			}
			out, err := submit(t, &tt.fake, tt.at, tt.action, in)
			if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
				t.Errorf("outcome %v, error %v, want %s", out, err, tt.want)
			}
		})
	}
}

func TestItIsConfiguredByWhetherItMayBeSkipped(t *testing.T) {
	for in, ok := range map[string]bool{"": true, "{}": true, `{"allowSkip":true}`: true, `{"allowSkip":"yes"}`: false, `{"a":1}`: false, "[]": false} {
		if _, err := verify.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
