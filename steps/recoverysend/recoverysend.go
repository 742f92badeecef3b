// Package recoverysend is the step kind USER_PASSWORD_SEND_RECOVERY_CODE: it mails
// a code to whoever forgot the password.
package recoverysend

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"doorward/runtime/flow"
)

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Recoveries sends recovery codes. A Send costs the same for nobody's account; an
// error says that nothing was done.
type Recoveries interface {
	// Send mails a code when the account may be recovered; the code before it is
	// void. State is asked for only of a user who has signed on.
	Send(ctx context.Context, r Request) error
	State(ctx context.Context, env, userID string) (flow.PasswordState, error)
}

// Request asks for a code.
type Request struct {
	Env     string
	Account flow.Account
	Locales string // flow.Turn.Locales
	Flow    string // execution id
	Effect  string // flow.Turn.Effect: the same request sends once
}

// Kind is the step kind.
type Kind struct{ recoveries Recoveries }

// New makes the kind.
func New(recoveries Recoveries) *Kind { return &Kind{recoveries} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_PASSWORD_SEND_RECOVERY_CODE",
		Doc:     "mails a recovery code to whom a step before has found",
		Source:  "reference/management.md 2.5, 2.6, 5.4",
		Results: []string{"SUCCEEDED"},
		Sends:   true,
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "Send Recovery Code", Input: inputSchema,
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Title: "Succeeded", Output: outputSchema,
			Doc: "A code is on its way, if there is an account that may be recovered. How its password stands is told to a user who has signed on.",
		}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_PASSWORD_SEND_RECOVERY_CODE", config)
}

type input struct {
	User string `json:"user.id" required:"true"`
}

// Enter sends, the same way for everybody.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	account, ok := t.Account(in.User)
	if !ok {
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	}
	err := k.recoveries.Send(ctx, Request{Env: t.Ref.Env, Account: account, Locales: t.Locales, Flow: t.Ref.ID, Effect: t.Effect()})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("send recovery code: %w", err))
	}
	state, event := flow.PasswordState{User: in.User}, flow.RecoverySent
	if account.UserID == "" {
		event = flow.RecoverRefused
	}
	if t.SignedOn() {
		if state, err = k.recoveries.State(ctx, t.Ref.Env, account.UserID); err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("password state: %w", err))
		}
	}
	return flow.Result("SUCCEEDED").WithOutputs(state.Outputs()).WithEvent(event), nil
}
