// Package passwordreset is the step kind USER_PASSWORD_RESET: it sets a new
// password by the one in use, both of which a form has asked for.
package passwordreset

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Passwords changes passwords. A Reset does the same work for nobody's account as
// for any with another password; an error says that it could not be done.
type Passwords interface {
	Reset(ctx context.Context, a Attempt) (Verdict, error)
}

// Attempt is the present password with the one to be set.
type Attempt struct {
	Env      string
	Account  flow.Account
	Current  string
	Password string
	Effect   string    // flow.Turn.Effect: the same attempt counts once
	At       time.Time // what was proven before no longer counts
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result      Result
	Subject     flow.Subject       // of Changed
	State       flow.PasswordState // of Changed
	Unverified  bool               // of Changed: the address is yet to be verified
	Unsatisfied []string           // of Unsatisfying: the rules that the password breaks
	UnlockIn    time.Duration      // of LockedOut, how long yet; 0: until an administrator unlocks
}

// Result is one of the ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Changed       Result = iota + 1
	WrongPassword        // the present one is another, or nobody's account
	LockedOut            // too many wrong ones; this one was not looked at
	Unsatisfying         // the new password breaks rules, nothing was changed
	TooYoung             // the password may not be changed so soon again
	NotAllowed           // the user may not sign on, or has no password here
)

// Kind is the step kind.
type Kind struct{ passwords Passwords }

// New makes the kind.
func New(passwords Passwords) *Kind { return &Kind{passwords} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_PASSWORD_RESET",
		Doc:     "sets a new password by the one in use",
		Source:  "reference/management.md 2.5, 2.6",
		Results: []string{"SUCCEEDED"},
		Factors: flow.Knowledge,
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "Reset Password", Input: inputSchema, Secrets: []string{"currentPassword", "newPassword"},
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Title: "Succeeded", Doc: "The password is changed.", Output: outputSchema,
			Takes:    []flow.Taken{{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd"}},
			Confirms: true,
		}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_PASSWORD_RESET", config)
}

type input struct {
	User     string `json:"user.id" required:"true"`
	Current  string `json:"currentPassword" required:"true" max:"255" type:"password"`
	Password string `json:"newPassword" required:"true" max:"255" type:"password"`
}

// The targets of details: as forms name the fields.
const (
	current  = "user.currentPassword"
	password = "user.newPassword"
)

// Enter changes the password. What cannot be done is a failure of the step, so
// that its ERROR outlet leads back to the form.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		for i := range failure.Details {
			if d := &failure.Details[i]; d.Target == "currentPassword" || d.Target == "newPassword" {
				d.Target = "user." + d.Target
			}
		}
		return flow.FailWith(*failure), nil
	}
	account, ok := t.Account(in.User)
	if !ok {
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	}
	v, err := k.passwords.Reset(ctx, Attempt{
		Env: t.Ref.Env, Account: account, Current: in.Current, Password: in.Password, Effect: t.Effect(), At: t.Now,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("change password: %w", err))
	}
	return outcome(t, account, v)
}

func outcome(t *flow.Turn, a flow.Account, v Verdict) (flow.Outcome, error) {
	switch v.Result {
	case Changed:
		return changed(t, a, v)
	case WrongPassword:
		return refuse(flow.ChangeRefused, flow.Detail{
			Code: flow.InvalidValue, Target: current, Message: "This is not the current password. Please try again.",
		}), nil
	case LockedOut:
		return refuse(flow.PasswordLocked, flow.Locked(current, v.UnlockIn)), nil
	case Unsatisfying:
		return refuse(flow.ChangeRefused, flow.Unsatisfied(password, v.Unsatisfied)), nil
	case TooYoung:
		return refuse(flow.ChangeRefused, flow.Detail{
			Code: flow.ConstraintViolation, Target: password,
			Message: "The password was changed a short time ago and cannot be changed again yet. Wait, or ask your administrator.",
		}), nil
	case NotAllowed:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	}
	return flow.Outcome{}, fmt.Errorf("password change with result %d", v.Result)
}

func refuse(e flow.EventType, d flow.Detail) flow.Outcome {
	return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(e)
}

// changed makes a new proof: one of the password before is older than the change,
// and counts no more. A change for nobody, or for another than was asked for, is
// refused here.
func changed(t *flow.Turn, a flow.Account, v Verdict) (flow.Outcome, error) {
	u := v.Subject
	if u.ID == "" || u.ID != a.UserID {
		return flow.Outcome{}, fmt.Errorf("password of user %q changed for user %q", u.ID, a.UserID)
	}
	if v.Unverified {
		return flow.Fail("VERIFICATION_REQUIRED", "The email address of this account is yet to be verified. Verify it to sign on.").WithEvent(flow.PasswordChanged), nil
	}
	return flow.Result("SUCCEEDED").WithOutputs(v.State.Outputs()).WithUser(u).WithProof(flow.PasswordProof(u.ID, t.Now)).WithEvent(flow.PasswordChanged), nil
}
