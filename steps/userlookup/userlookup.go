// Package userlookup is the step kind USER_LOOKUP: it takes a name from a form
// and finds whose it is, without telling whether it is anybody's.
package userlookup

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Users finds users. A Find costs the same whether or not the identifier is
// anybody's; an error says that it could not be done.
type Users interface {
	Find(ctx context.Context, q Query) (Found, error)
}

// Query is a name that somebody typed.
type Query struct {
	Env        string
	Identifier string
	Attributes []string // that it may be of, the first that is found counts
	Ours       bool     // find only users whose password is here
}

// Found is whose it is.
type Found struct {
	UserID   string // empty: nobody's
	Decoy    string // of nobody's: the id that stands for a user's, the same for the same name
	Told     bool   // of nobody's: the environment lets it be told
	External bool   // another identity provider has the password, and that may be told
}

// The results.
const (
	ours     = "PING_ONE_USER_MATCHED"
	external = "IDENTITY_PROVIDER_USER_MATCHED"
)

// Kind is the step kind.
type Kind struct{ users Users }

// New makes the kind.
func New(users Users) *Kind { return &Kind{users} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_LOOKUP",
		Doc:     "finds whose an identifier is, and does not tell whether it is anybody's",
		Source:  "reference/management.md 2.5, 2.6",
		Results: []string{ours, external},
	}
}

// Step describes the kind to flow definitions. Where only users of ours match,
// there is no other result.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "User Lookup", Configuration: configSchema, Input: inputSchema,
		Results: []flow.StepResult{{
			Name: ours, Title: "User matched", Output: outputSchema, Names: true,
			Doc: "The identifier is taken. Whether it is anybody's is not told, unless the environment says otherwise.",
		}},
	}
	if c, ok := config.(match); ok && c.ours {
		return s
	}
	s.Results = append(s.Results, flow.StepResult{
		Name: external, Title: "User of an identity provider matched", Output: outputSchema, Names: true,
		Doc: "The identifier is that of a user whose password an identity provider has. Only where the environment lets that be told.",
	})
	return s
}

// match is the configuration of a node.
type match struct {
	attributes []string
	ours       bool
}

// Check takes the attributes that the identifier may be of; username alone when
// none is named.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Attributes []string `json:"matchAttributes"`
		Ours       bool     `json:"matchPingOneUsersOnly"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("USER_LOOKUP takes matchAttributes and matchPingOneUsersOnly: %w", err)
		}
	}
	for i, a := range c.Attributes {
		if !slices.Contains(unique(), a) {
			return nil, fmt.Errorf("matchAttributes[%d] is %q; only unique attributes can be matched: %s", i, a, strings.Join(unique(), ", "))
		}
		if slices.Contains(c.Attributes[:i], a) {
			return nil, fmt.Errorf("matchAttributes[%d] is %q again", i, a)
		}
	}
	if len(c.Attributes) == 0 {
		c.Attributes = []string{"username"}
	}
	return match{c.Attributes, c.Ours}, nil
}

// unique are the attributes that name one user.
func unique() []string { return []string{"username", "email", "externalId", "id"} }

type input struct {
	Identifier string `json:"identifier" required:"true" max:"254"`
}

// Enter finds, and leaves the same way whoever was found.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		for i := range failure.Details {
			failure.Details[i].Target = "user.username" // as forms name the field
		}
		return flow.FailWith(*failure), nil
	}
	c, _ := t.Config.(match)
	f, err := k.users.Find(ctx, Query{Env: t.Ref.Env, Identifier: in.Identifier, Attributes: c.attributes, Ours: c.ours})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("find user: %w", err))
	}
	if f.UserID == "" && f.Told {
		const message = "No user matches what was entered. Check it and try again."
		return flow.FailWith(flow.Failure{
			Code: "USER_NOT_FOUND", Message: message,
			Details: []flow.Detail{{Code: flow.InvalidValue, Target: "user.username", Message: message}},
		}).WithEvent(flow.UserLookedUp), nil
	}
	return found(t, in.Identifier, f), nil
}

// found names the candidate. What is put out of somebody who has proven nothing is
// what was typed, and the id, which is nobody's secret.
func found(t *flow.Turn, identifier string, f Found) flow.Outcome {
	id, result := f.UserID, ours
	if id == "" {
		id = f.Decoy
	}
	if f.External {
		result = external
	}
	out := flow.Result(result).WithEvent(flow.UserLookedUp).WithOutputs(map[string]any{
		"user": map[string]any{"id": id, "username": identifier},
	})
	switch {
	case t.User.ID != "" && t.User.ID == f.UserID: // known already
		return out
	case t.Proven, t.Named:
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch)
	}
	return out.WithCandidate(flow.Candidate{Username: identifier, UserID: f.UserID})
}
