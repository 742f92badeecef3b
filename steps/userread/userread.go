// Package userread is the step kind USER_READ: it reads the account of whoever has
// signed on.
package userread

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Users reads users.
type Users interface {
	// Read returns the attributes of a user as they are written, without secrets;
	// flow.ErrUnknown when there is no such user.
	Read(ctx context.Context, env, id string) (map[string]any, error)
}

// Kind is the step kind.
type Kind struct{ users Users }

// New makes the kind.
func New(users Users) *Kind { return &Kind{users} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_READ",
		Doc:     "reads the attributes of the user who has signed on",
		Source:  "reference/management.md 2.5, 2.6, 5.3",
		Results: []string{"SUCCEEDED"},
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "Read User", Input: inputSchema,
		Results: []flow.StepResult{{Name: "SUCCEEDED", Title: "Succeeded", Doc: "The user was read.", Output: outputSchema}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_READ", config)
}

type input struct {
	User string `json:"user.id" required:"true"`
}

// Enter reads the user, and nobody else: of whom a name was typed there is nothing
// to be read, nor of an account that was asked for and not verified yet, since its
// attributes may be a stranger's, or there may be none.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	switch _, ok := t.Account(in.User); {
	case !ok:
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage), nil
	case !t.SignedOn():
		return flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), nil
	}
	user, err := k.users.Read(ctx, t.Ref.Env, t.User.ID)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it."), nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read user: %w", err))
	}
	return flow.Result("SUCCEEDED").WithOutputs(map[string]any{"user": user}), nil
}
