// Package userpatch is the step kind USER_PATCH: it changes the account of whoever
// has signed on.
package userpatch

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

// Users changes users.
type Users interface {
	Patch(ctx context.Context, p Patch) (Patched, error)
}

// Patch is what of a user is to be changed. To do it again is harmless.
type Patch struct {
	Env        string
	UserID     string
	Attributes flow.Attributes // an empty one clears what is there; another address is not verified
}

// Patched is what came of it.
type Patched struct {
	User    map[string]any // as it is now, without secrets; nil: nothing was changed
	Taken   string         // the attribute that is somebody's
	Invalid string         // the attribute whose value cannot be one
}

// Kind is the step kind.
type Kind struct{ users Users }

// New makes the kind.
func New(users Users) *Kind { return &Kind{users} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_PATCH",
		Doc:     "changes attributes of the user who has signed on",
		Source:  "reference/management.md 2.5, 2.6, 5.3",
		Results: []string{"SUCCEEDED"},
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "Update User", Input: inputSchema,
		Results: []flow.StepResult{{Name: "SUCCEEDED", Title: "Succeeded", Doc: "The user is as asked for.", Output: outputSchema}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("USER_PATCH", config)
}

// Enter changes the user, and nobody else.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	user, _ := t.Input["user"].(map[string]any)
	id, _ := user["id"].(string)
	attributes, ignored, faults := flow.TakeAttributes(user)
	_, ok := t.Account(id)
	switch {
	case !ok:
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage), nil
	case !t.SignedOn():
		return flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), nil
	case len(faults) > 0:
		return refuse(string(flow.InvalidData), flow.InvalidMessage, faults...), nil
	case opens(attributes) && !t.Proven:
		return flow.Fail("SIGN_ON_AGAIN", "Sign on again. Username and email address open the account and are changed only by whoever has just signed on."), nil
	}
	p, err := k.users.Patch(ctx, Patch{Env: t.Ref.Env, UserID: t.User.ID, Attributes: attributes})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("change user: %w", err))
	}
	out := outcome(p)
	if ignored {
		out = out.WithEvent(flow.InputIgnored)
	}
	return out, nil
}

// opens reports whether an attribute is among those by which the account is found
// or recovered: a session that somebody left open is not enough to change it.
func opens(a flow.Attributes) bool {
	_, name := a["username"]
	_, address := a["email"]
	return name || address
}

func refuse(code, message string, details ...flow.Detail) flow.Outcome {
	return flow.FailWith(flow.Failure{Code: code, Message: message, Details: details})
}

func outcome(p Patched) flow.Outcome {
	switch {
	case p.Taken != "":
		message := "This " + p.Taken + " is taken. Choose another one."
		return refuse(flow.UniquenessViolation, message, flow.Detail{Code: flow.UniquenessViolation, Target: "user." + p.Taken, Message: message})
	case p.Invalid != "":
		const message = "The attribute cannot have this value."
		return refuse(flow.InvalidValue, message, flow.Detail{Code: flow.InvalidValue, Target: "user." + p.Invalid, Message: message})
	case p.User == nil:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.")
	}
	return flow.Result("SUCCEEDED").WithOutputs(map[string]any{"user": p.User}).WithEvent(flow.UserChanged)
}
