// Package passwordcheck is the step kind USER_PASSWORD_CHECK: it judges a password
// that a form has asked for.
package passwordcheck

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"doorward/runtime/flow"
)

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Passwords checks passwords. A Check does the same work for an account that
// exists, one that does not, and one that is locked; an error says that it could
// not be done.
type Passwords interface {
	Check(ctx context.Context, a Attempt) (Verdict, error)
}

// Attempt is one password.
type Attempt struct {
	Env      string
	Account  flow.Account
	Password string
	Effect   string // flow.Turn.Effect: the same attempt is counted once
	RemoteIP netip.Addr
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result     Result
	Subject    flow.Subject // of Accepted
	Unverified bool         // of Accepted: the address is yet to be verified
	State      flow.PasswordState
	UnlockIn   time.Duration // of LockedOut, how long yet; 0: until an administrator unlocks
}

// Result is one of the ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Accepted  Result = iota + 1
	Refused          // wrong password, or nobody's account
	LockedOut        // too many wrong ones; this one was not looked at
	Disabled         // right password of a user who may not sign on
)

// The outlets; those of a password that must be changed are named as the states
// are. Source: reference/management.md 2.5.
const (
	valid      = "PASSWORD_VALID"
	expired    = "PASSWORD_EXPIRED"
	mustChange = "MUST_CHANGE_PASSWORD"
)

// Kind is the step kind.
type Kind struct{ passwords Passwords }

// New makes the kind.
func New(passwords Passwords) *Kind { return &Kind{passwords} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_PASSWORD_CHECK",
		Doc:     "judges the password of whom a step before has found",
		Source:  "reference/management.md 2.5, 2.6",
		Results: []string{valid, expired, mustChange},
		Factors: flow.Knowledge,
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	right := []flow.Taken{{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd"}}
	return flow.Step{
		Title: "Password Check", Input: inputSchema, Secrets: []string{"user.password"},
		Results: []flow.StepResult{
			{Name: valid, Title: "Password valid", Doc: "The password is right.", Output: outputSchema, Takes: right, Confirms: true},
			{Name: expired, Title: "Password expired", Doc: "The password is right and older than the password policy lets it become.", Output: outputSchema, Takes: right, Candidate: true},
			{Name: mustChange, Title: "Must change password", Doc: "The password is right and good for one sign-on only.", Output: outputSchema, Takes: right, Candidate: true},
		},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_PASSWORD_CHECK", config)
}

type input struct {
	User     string `json:"user.id" required:"true"`
	Password string `json:"user.password" required:"true" max:"255" type:"password"`
}

// Enter judges the password. A wrong one is a failure of the step, so that its
// ERROR outlet leads back to the form.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	account, ok := t.Account(in.User)
	if !ok {
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	}
	v, err := k.passwords.Check(ctx, Attempt{
		Env: t.Ref.Env, Account: account, Password: in.Password, Effect: t.Effect(), RemoteIP: t.Client.RemoteIP,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check password: %w", err))
	}
	switch v.Result {
	case Accepted:
		return accepted(t, account, v)
	case Refused:
		return refuse(flow.Detail{
			Code: flow.InvalidCredentials, Target: "user.password", Message: "Incorrect username or password. Please try again.",
		}).WithEvent(flow.PasswordRefused), nil
	case LockedOut:
		return refuse(flow.Locked("user.password", v.UnlockIn)).WithEvent(flow.PasswordLocked), nil
	case Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	}
	return flow.Outcome{}, fmt.Errorf("password check with result %d", v.Result)
}

func refuse(d flow.Detail) flow.Outcome {
	return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}})
}

// accepted says who signs on by a password that may be kept. One that must be
// changed is kept as a proof of the candidate, which counts once a step confirms
// who that is. Passwords that are accepted for nobody, or for another than was
// asked for, are refused here.
func accepted(t *flow.Turn, a flow.Account, v Verdict) (flow.Outcome, error) {
	u := v.Subject
	if u.ID == "" || u.ID != a.UserID {
		return flow.Outcome{}, fmt.Errorf("password of user %q accepted for user %q", u.ID, a.UserID)
	}
	out, proof := flow.Result(valid).WithOutputs(v.State.Outputs()).WithEvent(flow.PasswordAccepted), flow.PasswordProof(u.ID, t.Now)
	switch {
	case v.State.Status == expired, v.State.Status == mustChange:
		out.Name = v.State.Status
		if t.User.ID == "" { // of a user it would count at once
			c := t.Person
			c.Proofs = append(slices.Clone(c.Proofs), proof)
			out = out.WithCandidate(c)
		}
		return out, nil
	case v.Unverified:
		return flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on.").WithEvent(flow.PasswordAccepted), nil
	}
	return out.WithUser(u).WithProof(proof), nil
}
