// Package usercreate is the step kind USER_CREATE: it makes an account of what a
// form has asked for.
package usercreate

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

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

// Accounts makes accounts. Unless the account is Usable, a Create does the same
// work whether the name and the address are free or somebody's; an error says that
// it could not be done.
type Accounts interface {
	Create(ctx context.Context, a Account) (Created, error)
}

// Account is one that is asked for.
type Account struct {
	Env        string
	Population string // id
	Attributes flow.Attributes
	Password   string
	Usable     bool   // else the address is verified first, with a code that another step sends
	Locales    string // flow.Turn.Locales
	Flow       string // execution id
	Effect     string // flow.Turn.Effect: the same request makes one account
}

// Created is what came of it. When neither Subject nor a reason is there, the name
// or the address is somebody's, which no answer may tell.
type Created struct {
	Subject     flow.Subject // the new account's
	Decoy       string       // the id that stands for a user's, where there is no new account
	Taken       []string     // attributes that are somebody's, where that may be told; nothing was done
	Unsatisfied []string     // rules that the password breaks; nothing was done
	Invalid     string       // the attribute whose value cannot be one; nothing was done
}

// passwordMax is the longest password that is judged, in characters.
const passwordMax = 255

// Kind is the step kind.
type Kind struct{ accounts Accounts }

// New makes the kind.
func New(accounts Accounts) *Kind { return &Kind{accounts} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_CREATE",
		Doc:     "makes an account, and tells nobody whether name and address were free",
		Source:  "reference/management.md 2.5, 2.6",
		Results: []string{"SUCCEEDED"},
		Factors: flow.Knowledge,
	}
}

// Step describes the kind to flow definitions. Who has an account that is usable
// at once is its user; of any other the password counts once the address is
// verified.
func (*Kind) Step(_ string, config any) flow.Step {
	p, _ := config.(place)
	return flow.Step{
		Title: "Create User", Aliases: []string{"CREATE_USER"}, Configuration: configSchema, Input: inputSchema,
		References: []flow.Reference{{Member: "population.id", Kind: "population"}},
		Secrets:    []string{"user.password"},
		Results: []flow.StepResult{{
			Name: "SUCCEEDED", Title: "Succeeded", Output: outputSchema, Names: true,
			Doc:      "The account is made, or its name or address is somebody's, whose owner is told by mail.",
			Takes:    []flow.Taken{{Factors: flow.Knowledge, Authenticator: "password", AMR: "pwd"}},
			Confirms: p.usable,
		}},
	}
}

// place is the configuration of a node.
type place struct {
	population string
	usable     bool
}

// The states of a new account. Source: reference/management.md 2.6.
const (
	usable     = "ACCOUNT_OK"
	unverified = "VERIFICATION_REQUIRED"
)

// Check takes {"population":{"id":"<id>"},"lifecycle":{"status":"..."}}; the
// address is verified unless the status is ACCOUNT_OK.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Population struct {
			ID string `json:"id"`
		} `json:"population"`
		Lifecycle struct {
			Status string `json:"status"`
		} `json:"lifecycle"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("USER_CREATE takes population and lifecycle: %w", err)
		}
	}
	if c.Population.ID == "" {
		return nil, errors.New("population.id is required")
	}
	switch c.Lifecycle.Status {
	case usable, unverified, "":
		return place{c.Population.ID, c.Lifecycle.Status == usable}, nil
	}
	return nil, fmt.Errorf("lifecycle.status is %q, and takes %s or %s", c.Lifecycle.Status, usable, unverified)
}

// Enter makes the account.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	if t.Proven || t.Named { // it is known who signs on, or who is to
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.RegisterRefused), nil
	}
	p, _ := t.Config.(place)
	user, _ := t.Input["user"].(map[string]any)
	attributes, ignored, faults := flow.TakeAttributes(user)
	password, _ := user["password"].(flow.Secret)
	faults = append(faults, missing(attributes, string(password), p)...)
	if len(faults) > 0 {
		return refuse(string(flow.InvalidData), flow.InvalidMessage, faults...), nil
	}
	c, err := k.accounts.Create(ctx, Account{
		Env: t.Ref.Env, Population: p.population, Attributes: attributes, Password: string(password), Usable: p.usable,
		Locales: t.Locales, Flow: t.Ref.ID, Effect: t.Effect(),
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("create user: %w", err))
	}
	out, err := outcome(t, p, attributes, c)
	if ignored && err == nil {
		out = out.WithEvent(flow.InputIgnored)
	}
	return out, err
}

// missing are the faults of what an account cannot be without.
func missing(a flow.Attributes, password string, p place) (faults []flow.Detail) {
	want := func(name, value string) {
		if value == "" {
			faults = append(faults, flow.Detail{Code: flow.RequiredValue, Target: "user." + name, Message: "A value for " + name + " is required."})
		}
	}
	want("username", a["username"])
	if !p.usable { // the code goes there
		want("email", a["email"])
	}
	want("password", password)
	if utf8.RuneCountInString(password) > passwordMax {
		faults = append(faults, flow.Detail{
			Code: flow.SizeLimitExceeded, Target: "user.password", Inner: map[string]any{"maximumValue": passwordMax},
			Message: fmt.Sprintf("A password has at most %d characters.", passwordMax),
		})
	}
	return faults
}

func refuse(code, message string, details ...flow.Detail) flow.Outcome {
	return flow.FailWith(flow.Failure{Code: code, Message: message, Details: details}).WithEvent(flow.RegisterRefused)
}

func outcome(t *flow.Turn, p place, a flow.Attributes, c Created) (flow.Outcome, error) {
	switch {
	case c.Invalid != "":
		d := flow.Detail{Code: flow.InvalidValue, Target: "user." + c.Invalid, Message: sentence(c.Invalid)}
		return refuse(d.Code, d.Message, d), nil
	case len(c.Unsatisfied) > 0:
		d := flow.Unsatisfied("user.password", c.Unsatisfied)
		return refuse(d.Code, d.Message, d), nil
	case len(c.Taken) > 0:
		var details []flow.Detail
		for _, name := range c.Taken {
			details = append(details, flow.Detail{Code: flow.UniquenessViolation, Target: "user." + name, Message: "This " + name + " is taken. Choose another one."})
		}
		return refuse(flow.UniquenessViolation, details[0].Message, details...), nil
	case p.usable && c.Subject.ID == "":
		return flow.Outcome{}, errors.New("a usable account was made for nobody")
	}
	return created(t, p, a, c), nil
}

func sentence(attribute string) string {
	switch attribute {
	case "email":
		return "This is not a mail address. Check it."
	case "username":
		return "This cannot be a username. Use letters, digits, punctuation and single spaces."
	}
	return "The attribute cannot have this value."
}

// created is the same to everybody outside, whether there is a new account or not:
// what is put out is what was asked for. What the person has proven of the account
// counts once the address is verified, or at once where it need not be.
func created(t *flow.Turn, p place, a flow.Attributes, c Created) flow.Outcome {
	user := a.Nested()
	user["id"], user["population"], user["lifecycle"] = c.Decoy, map[string]any{"id": p.population}, map[string]any{"status": unverified}
	person := flow.Candidate{Username: a["username"], Address: flow.Masked(a["email"])}
	event := flow.RegisterRefused
	if c.Subject.ID != "" {
		user["id"], person.UserID, event = c.Subject.ID, c.Subject.ID, flow.UserRegistered
		person.Proofs = flow.Ledger{flow.PasswordProof(c.Subject.ID, t.Now)}
	}
	if p.usable {
		user["lifecycle"] = map[string]any{"status": usable}
	}
	out := flow.Result("SUCCEEDED").WithCandidate(person).WithEvent(event).WithOutputs(map[string]any{"user": user})
	if p.usable {
		out = out.WithUser(c.Subject)
	}
	return out
}
