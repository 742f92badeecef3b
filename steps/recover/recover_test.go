package recover_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/recover"
)

var (
	_   flow.Kind   = (*recover.Kind)(nil)
	_   flow.Shower = (*recover.Kind)(nil)
	ada             = flow.Subject{ID: "u1", Username: "ada", Given: "Ada", Population: "p1"}
	now             = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

// The statuses.
const (
	anybody  = "USERNAME_PASSWORD_REQUIRED"
	unnamed  = "SIGN_ON_REQUIRED"
	linking  = "ACCOUNT_LINKING_REQUIRED"
	bound    = "PASSWORD_REQUIRED"
	required = "RECOVERY_CODE_REQUIRED"
)

// fake finds one user for every name, or nobody, gives one verdict and keeps what
// it was asked.
type fake struct {
	found   string
	verdict recover.Verdict
	err     error
	started []recover.Request
	tried   []recover.Attempt
}

func (f *fake) Start(_ context.Context, r recover.Request) (string, error) {
	f.started = append(f.started, r)
	return f.found, f.err
}

func (f *fake) Recover(_ context.Context, a recover.Attempt) (recover.Verdict, error) {
	f.tried = append(f.tried, a)
	return f.verdict, f.err
}

// turn is one of a person who is known, said to be, or neither.
func turn(status string, user flow.Subject, person flow.Candidate) *flow.Turn {
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.recover", nil, now, nil, 3, flow.Sum("submit"))
	t.Status, t.User, t.Person, t.Locales = status, user, person, "de, en;q=0.5"
	return t
}

// submit runs the one action of that name that is offered, through the door
// where the status is another node's.
func submit(t *testing.T, f *fake, at *flow.Turn, name string, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	var found []flow.Action
	for _, a := range recover.New(f).Meta().Actions {
		offered := a.Offered(at.Status)
		if at.Status != required {
			offered = a.OfferedBeside(at.Status)
		}
		if a.Name == name && offered {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s is offered %d times in %s", name, len(found), at.Status)
	}
	return found[0].Run(context.Background(), at, v)
}

func TestItIsOfferedAsDocumented(t *testing.T) {
	for status, want := range map[string][]string{
		anybody: {"password.forgot"}, unnamed: {"password.forgot"}, linking: {"password.forgot"}, bound: {"password.forgot"},
		"PASSWORD_EXPIRED": nil, "VERIFICATION_CODE_REQUIRED": nil, required: nil,
	} {
		var beside []string
		for _, a := range recover.New(nil).Meta().Actions {
			if a.OfferedBeside(status) {
				beside = append(beside, a.Name)
			}
		}
		if diff := cmp.Diff(want, beside); diff != "" {
			t.Error(status, diff)
		}
	}
	var own []string
	for _, a := range recover.New(nil).Meta().Actions {
		if a.Offered(required) {
			own = append(own, a.Name)
		}
	}
	if diff := cmp.Diff([]string{"password.recover", "password.sendRecoveryCode"}, own); diff != "" {
		t.Error(diff)
	}
}

func TestWhatComesOfACode(t *testing.T) {
	const wrong = "The code is wrong or no longer valid. Check it, or ask for a new one."
	reject := func(d flow.Detail) flow.Outcome {
		return flow.Reject(required, flow.Invalid(d)).WithEvent(flow.RecoverRefused)
	}
	tests := map[string]struct {
		verdict recover.Verdict
		want    flow.Outcome
	}{
		"recovered": {
			recover.Verdict{Result: recover.Recovered, Subject: ada, Address: "ada@example.com"},
			flow.Result("RECOVERED").WithUser(ada).WithProof(flow.Proof{Subject: "u1", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", Address: "ada@example.com", At: now}).WithEvent(flow.PasswordRecovered),
		},
		"a wrong code": {recover.Verdict{Result: recover.WrongCode}, reject(flow.Detail{Code: flow.InvalidValue, Target: "recoveryCode", Inner: map[string]any{"attemptsRemaining": 4}, Message: wrong})},
		"a password that breaks rules": {
			recover.Verdict{Result: recover.Unsatisfying, Unsatisfied: []string{"length", "history"}},
			reject(flow.Detail{
				Code: flow.InvalidValue, Target: "newPassword", Inner: map[string]any{"unsatisfiedRequirements": []string{"length", "history"}},
				Message: "The password does not meet the password policy. Choose one that meets the requirements named in innerError.",
			}),
		},
		"changed a moment ago": {
			recover.Verdict{Result: recover.TooYoung},
			reject(flow.Detail{
				Code: flow.ConstraintViolation, Target: "newPassword",
				Message: "The password was changed a short time ago and cannot be changed again yet. Sign on with it, or wait.",
			}),
		},
	}
	for who, at := range map[string]func() *flow.Turn{
		"the user of the flow": func() *flow.Turn { return turn(required, ada, flow.Candidate{}) },
		"whose name was typed": func() *flow.Turn {
			return turn(required, flow.Subject{}, flow.Candidate{Username: "Ada", UserID: "u1"})
		},
		"a name that is nobody's": func() *flow.Turn { return turn(required, flow.Subject{}, flow.Candidate{Username: "nobody"}) },
	} {
		for name, tt := range tests {
			if who == "a name that is nobody's" && tt.want.Verdict == flow.Results {
				continue // refused below
			}
			t.Run(who+", "+name, func(t *testing.T) {
				f, at := &fake{verdict: tt.verdict}, at()
				got, err := submit(t, f, at, "password.recover", flow.Values{"recoveryCode": "abcd-2345", "newPassword": " n "})
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Error(err, diff)
				}
				want := recover.Attempt{Env: "e1", UserID: at.User.ID, Code: "abcd-2345", Password: " n ", Effect: at.Effect(), At: now}
				if at.User.ID == "" {
					want.UserID, want.Username = at.Person.UserID, at.Person.Username
				}
				if diff := cmp.Diff([]recover.Attempt{want}, f.tried); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestASpentCodeSaysSo counts for everybody alike, and starts again with a code.
func TestASpentCodeSaysSo(t *testing.T) {
	f := &fake{verdict: recover.Verdict{Result: recover.WrongCode}}
	at := turn(required, flow.Subject{}, flow.Candidate{Username: "nobody"})
	try := func() flow.Detail {
		out, err := submit(t, f, at, "password.recover", flow.Values{"recoveryCode": "x", "newPassword": "p"})
		if err != nil {
			t.Fatal(err)
		}
		return out.Fault.Details[0]
	}
	const spent = "There were too many wrong codes and the last one sent is void. Ask for a new one."
	for n := 1; n <= 7; n++ {
		if got := try(); (got.Message == spent) != (n >= 5) || got.Inner["attemptsRemaining"] != max(0, 5-n) {
			t.Errorf("try %d: %v", n, got)
		}
	}
	if _, err := submit(t, f, at, "password.sendRecoveryCode", flow.Values{}); err != nil {
		t.Fatal(err)
	}
	if got := try(); got.Message == spent {
		t.Error("the new code is spent before it was tried")
	}
}

func TestAnInvalidSubmitIsNoAttempt(t *testing.T) {
	tests := map[string]struct {
		status, action string
		in             flow.Values
		want           []string // code@target
	}{
		"forgot whom":              {anybody, "password.forgot", flow.Values{}, []string{"REQUIRED_VALUE@username"}},
		"forgot whom, by name":     {unnamed, "password.forgot", flow.Values{"username": ""}, []string{"REQUIRED_VALUE@username"}},
		"a name of 129 letters":    {anybody, "password.forgot", flow.Values{"username": strings.Repeat("ä", 129)}, []string{"SIZE_LIMIT_EXCEEDED@username"}},
		"neither code nor word":    {required, "password.recover", flow.Values{}, []string{"REQUIRED_VALUE@recoveryCode", "REQUIRED_VALUE@newPassword"}},
		"a null code":              {required, "password.recover", flow.Values{"recoveryCode": nil, "newPassword": "p"}, []string{"REQUIRED_VALUE@recoveryCode"}},
		"an empty code":            {required, "password.recover", flow.Values{"recoveryCode": "", "newPassword": "p"}, []string{"REQUIRED_VALUE@recoveryCode"}},
		"a list of codes":          {required, "password.recover", flow.Values{"recoveryCode": []any{"a"}, "newPassword": "p"}, []string{"INVALID_VALUE@recoveryCode"}},
		"an object":                {required, "password.recover", flow.Values{"recoveryCode": map[string]any{}, "newPassword": "p"}, []string{"INVALID_VALUE@recoveryCode"}},
		"a password of 256":        {required, "password.recover", flow.Values{"recoveryCode": "c", "newPassword": strings.Repeat("p", 256)}, []string{"SIZE_LIMIT_EXCEEDED@newPassword"}},
		"for somebody else":        {required, "password.recover", flow.Values{"recoveryCode": "c", "newPassword": "p", "username": "bea"}, []string{"INVALID_VALUE@username"}},
		"a new code somewhere new": {required, "password.sendRecoveryCode", flow.Values{"email": "m@x"}, []string{"INVALID_VALUE@email"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			out, err := submit(t, f, turn(tt.status, flow.Subject{}, flow.Candidate{}), tt.action, tt.in)
			var got []string
			for _, d := range flow.AsFault(err).Details {
				got = append(got, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if out.Verdict != 0 || len(f.started)+len(f.tried) != 0 {
				t.Errorf("outcome %v after %d calls, want none", out, len(f.started)+len(f.tried))
			}
		})
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	limited := &flow.Fault{Code: flow.Limited, Message: "Too many codes."}
	candidate := flow.Candidate{Username: "ada", UserID: "u1"}
	tests := map[string]struct {
		fake   fake
		at     *flow.Turn
		action string
		want   flow.Code
	}{
		"the pool is busy":            {fake{err: errors.New("busy")}, turn(required, ada, flow.Candidate{}), "password.recover", flow.Unavailable},
		"too many tries":              {fake{err: limited}, turn(required, ada, flow.Candidate{}), "password.recover", flow.Limited},
		"the database is away":        {fake{err: errors.New("away")}, turn(anybody, flow.Subject{}, flow.Candidate{}), "password.forgot", flow.Unavailable},
		"too many codes":              {fake{err: limited}, turn(required, ada, flow.Candidate{}), "password.sendRecoveryCode", flow.Limited},
		"a verdict that is none":      {fake{}, turn(required, ada, flow.Candidate{}), "password.recover", flow.Unexpected},
		"recovered for nobody":        {fake{verdict: recover.Verdict{Result: recover.Recovered}}, turn(required, ada, flow.Candidate{}), "password.recover", flow.Unexpected},
		"recovered for another":       {fake{verdict: recover.Verdict{Result: recover.Recovered, Subject: flow.Subject{ID: "u2"}}}, turn(required, ada, flow.Candidate{}), "password.recover", flow.Unexpected},
		"recovered for nobody's name": {fake{verdict: recover.Verdict{Result: recover.Recovered, Subject: ada}}, turn(required, flow.Subject{}, flow.Candidate{Username: "nobody"}), "password.recover", flow.Unexpected},
		"recovered for another still": {fake{verdict: recover.Verdict{Result: recover.Recovered, Subject: flow.Subject{ID: "u2"}}}, turn(required, flow.Subject{}, candidate), "password.recover", flow.Unexpected},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := map[string]flow.Values{
				"password.recover": {"recoveryCode": "c", "newPassword": "p"}, "password.forgot": {"username": "ada"}, "password.sendRecoveryCode": {},
			}[tt.action]
			out, err := submit(t, &tt.fake, tt.at, tt.action, in)
			if out.Verdict != 0 || err == nil || flow.AsFault(err).Code != tt.want {
				t.Errorf("outcome %v, error %v, want %s", out, err, tt.want)
			}
		})
	}
}

func TestItShowsNothingOfTheAccount(t *testing.T) {
	for _, at := range []*flow.Turn{turn(required, ada, flow.Candidate{}), turn(required, flow.Subject{}, flow.Candidate{Username: "ada@example.com", UserID: "u1"})} {
		if diff := cmp.Diff(flow.Show{}, recover.New(nil).Show(at)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestItIsConfiguredByNothing(t *testing.T) {
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false, "[]": false} {
		if _, err := recover.New(nil).Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
