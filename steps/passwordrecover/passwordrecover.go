// Package passwordrecover is the step kind USER_PASSWORD_RECOVER: it sets a new
// password with a code that was mailed, both of which a form has asked for.
package passwordrecover

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

// Recoveries takes recovery codes. A Recover does the same work for nobody's
// account as for any with another code; an error says that it could not be done.
type Recoveries interface {
	// Recover sets the password of whose code it is. Every try counts against the
	// code, and is judged before the password is.
	Recover(ctx context.Context, a Attempt) (Verdict, error)
}

// Attempt is one code with the password to be set.
type Attempt struct {
	Env      string
	Account  flow.Account
	Code     string
	Password string
	Effect   string    // flow.Turn.Effect: the same attempt counts once
	At       time.Time // what was proven before no longer counts
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result      Result
	Subject     flow.Subject       // of Recovered
	Address     string             // of Recovered: where the code went
	State       flow.PasswordState // of Recovered
	Unsatisfied []string           // of Unsatisfying: the rules that the password breaks
}

// Result is one of the ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Recovered    Result = iota + 1
	WrongCode           // or one that is void, or of somebody who may not recover, or nobody's account
	Unsatisfying        // right code; the password breaks rules, nothing was changed
	TooYoung            // right code; the password may not be changed so soon again
)

// Kind is the step kind.
type Kind struct{ recoveries Recoveries }

// New makes the kind.
func New(recoveries Recoveries) *Kind { return &Kind{recoveries} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_PASSWORD_RECOVER",
		Doc:     "sets a new password with a code that was mailed",
		Source:  "reference/management.md 2.5, 2.6, 5.4",
		Results: []string{"SUCCEEDED"},
		Sends:   true,
		Factors: flow.Knowledge,
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "Password Recover", Input: inputSchema, Secrets: []string{"newPassword"},
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Title: "Succeeded", Doc: "The password is set, and its owner signs on by it.", Output: outputSchema,
			Takes:    []flow.Taken{{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd", Rests: "email"}},
			Confirms: true,
		}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_PASSWORD_RECOVER", config)
}

type input struct {
	User     string `json:"user.id" required:"true"`
	Code     string `json:"recoveryCode" required:"true" max:"32" type:"code"`
	Password string `json:"newPassword" required:"true" max:"255" type:"password"`
}

// The targets of details: as forms name the fields.
const (
	code     = "recoveryCode"
	password = "user.newPassword"
)

// Enter sets the password. What cannot be done is a failure of the step, so that
// its ERROR outlet leads back to the form.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		for i := range failure.Details {
			if d := &failure.Details[i]; d.Target == "newPassword" {
				d.Target = password
			}
		}
		return flow.FailWith(*failure), nil
	}
	account, ok := t.Account(in.User)
	if !ok {
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	}
	v, err := k.recoveries.Recover(ctx, Attempt{
		Env: t.Ref.Env, Account: account, Code: in.Code, Password: in.Password, Effect: t.Effect(), At: t.Now,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("recover password: %w", err))
	}
	return outcome(t, account, v)
}

func outcome(t *flow.Turn, a flow.Account, v Verdict) (flow.Outcome, error) {
	switch v.Result {
	case Recovered:
		return recovered(t, a, v)
	case WrongCode: // how many tries are left is not known here: the step begins anew with each
		return refuse(flow.Detail{
			Code: flow.InvalidValue, Target: code, Message: "The code is wrong or no longer valid. Check it, or ask for a new one.",
		}), nil
	case Unsatisfying:
		return refuse(flow.Unsatisfied(password, v.Unsatisfied)), nil
	case TooYoung:
		return refuse(flow.Detail{
			Code: flow.ConstraintViolation, Target: password,
			Message: "The password was changed a short time ago and cannot be changed again yet. Sign on with it, or wait.",
		}), nil
	}
	return flow.Outcome{}, fmt.Errorf("password recovery with result %d", v.Result)
}

func refuse(d flow.Detail) flow.Outcome {
	return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(flow.RecoverRefused)
}

// recovered makes the proof: of knowing the new password, which rests on the
// mailbox that the code went to. A mailbox that opens the account is no second
// factor beside the password that it sets. A recovery for nobody, or for another
// than was asked for, is refused here.
func recovered(t *flow.Turn, a flow.Account, v Verdict) (flow.Outcome, error) {
	u := v.Subject
	if u.ID == "" || u.ID != a.UserID {
		return flow.Outcome{}, fmt.Errorf("password of user %q recovered for user %q", u.ID, a.UserID)
	}
	proof := flow.PasswordProof(u.ID, t.Now)
	proof.Address = v.Address
	return flow.Result("SUCCEEDED").WithOutputs(v.State.Outputs()).WithUser(u).WithProof(proof).WithEvent(flow.PasswordRecovered), nil
}
