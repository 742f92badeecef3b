// Package register is the step kind REGISTER: it makes an account for whoever
// asks for one.
package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

// Registrations makes accounts. A Register does the same work, and sends one
// message, whether the name and the address are free or somebody's; an error says
// that it could not be done.
type Registrations interface {
	Register(ctx context.Context, r Registration) (Registered, error)
}

// Registration is an account that is asked for.
type Registration struct {
	Env        string
	Population string // id; empty: the environment's default one
	Username   string
	Email      string
	Given      string
	Family     string
	Locales    string // flow.Turn.Locales
	Password   string
	Flow       string // execution id
	Effect     string // flow.Turn.Effect: the same request makes one account
}

// Registered is what came of it. The zero Registered says that the name or the
// address is somebody's, which no answer may tell.
type Registered struct {
	Subject     flow.Subject // the new account's
	Unsatisfied []string     // rules that the password breaks; nothing was done
	Invalid     string       // the input whose value cannot be one; nothing was done
}

// The statuses of the doors. Source: reference/flows.md 5.2.
const (
	anybody = "USERNAME_PASSWORD_REQUIRED"
	unnamed = "SIGN_ON_REQUIRED"
)

// Kind is the step kind.
type Kind struct{ registrations Registrations }

// New makes the kind.
func New(registrations Registrations) *Kind { return &Kind{registrations} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "REGISTER",
		Doc:     "makes an account, and mails the code that verifies it",
		Source:  "reference/flows.md 3.1, 4, 5.2; reference/management.md 4.3",
		Results: []string{"REGISTERED"},
		Sends:   true,
		Actions: []flow.Action{
			flow.On("user.register", k.register).Opening(anybody, unnamed).Ignoring(others()...).Labelled("user.register.submit", "Create account"),
		},
		Factors: flow.Knowledge,
	}
}

// others are the attributes of a user that registration knows and does not take.
// Source: reference/management.md 5.3.
func others() []string {
	return []string{
		"id", "createdAt", "updatedAt", "enabled", "emailVerified", "memberOfGroupIDs", "memberOfGroupNames", "lastSignOn",
		"population", "name.middle", "name.formatted", "name.honorificPrefix", "name.honorificSuffix", "address",
		"externalId", "nickname", "title", "type", "locale", "timezone", "preferredLanguage", "primaryPhone", "mobilePhone",
		"photo", "lifecycle", "account", "identityProvider", "mfaEnabled", "verifyStatus",
	}
}

// place is the configuration of a node.
type place struct{ population string }

// Check takes {} or {"population":"<id>"}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Population string `json:"population"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("REGISTER takes the id of a population: %w", err)
		}
	}
	return place{c.Population}, nil
}

// Enter has nothing to ask: the way in is the door.
func (*Kind) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, errors.New("REGISTER is entered by user.register alone")
}

// Show names the population whose password policy the new account is under.
func (*Kind) Show(t *flow.Turn) flow.Show {
	p, _ := t.Config.(place)
	return flow.Show{Population: p.population}
}

type account struct {
	Username string `json:"username" required:"true" max:"128" autocomplete:"username" label:"register.username.label=Username"`
	Email    string `json:"email" required:"true" max:"254" type:"email" autocomplete:"email" label:"register.email.label=Email address"`
	Password string `json:"password" required:"true" max:"255" type:"password" autocomplete:"new-password" label:"register.password.label=Password"`
	Given    string `json:"name.given" max:"256" autocomplete:"given-name" label:"register.given.label=First name"`
	Family   string `json:"name.family" max:"256" autocomplete:"family-name" label:"register.family.label=Last name"`
}

func (k *Kind) register(ctx context.Context, t *flow.Turn, in account) (flow.Outcome, error) {
	p, _ := t.Config.(place)
	r, err := k.registrations.Register(ctx, Registration{
		Env: t.Ref.Env, Population: p.population, Username: in.Username, Email: in.Email, Given: in.Given, Family: in.Family,
		Locales: t.Locales, Password: in.Password, Flow: t.Ref.ID, Effect: t.Effect(),
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("register: %w", err))
	}
	switch {
	case r.Invalid != "":
		return reject(t, flow.Detail{Code: flow.InvalidValue, Target: r.Invalid, Message: sentence(r.Invalid)}), nil
	case len(r.Unsatisfied) > 0:
		return reject(t, flow.Unsatisfied("password", r.Unsatisfied)), nil
	}
	return registered(t, in, r.Subject), nil
}

func sentence(target string) string {
	switch target {
	case "email":
		return "This is not a mail address. Check it."
	case "username":
		return "This cannot be a username. Use letters, digits, punctuation and single spaces."
	}
	return "This cannot be a name. Leave out what is not a letter, a digit or a space."
}

// reject leaves the person at the door.
func reject(t *flow.Turn, d flow.Detail) flow.Outcome {
	return flow.Reject(t.Status, flow.Invalid(d)).WithEvent(flow.RegisterRefused)
}

// registered is the same to everybody outside, whether there is a new account or
// not. What the person has proven of it counts once the address is verified.
func registered(t *flow.Turn, in account, u flow.Subject) flow.Outcome {
	c := flow.Candidate{Username: in.Username, Address: flow.Masked(in.Email)}
	if u.ID == "" {
		return flow.Result("REGISTERED").WithCandidate(c).WithEvent(flow.RegisterRefused)
	}
	c.UserID = u.ID
	c.Proofs = flow.Ledger{flow.PasswordProof(u.ID, t.Now)}
	return flow.Result("REGISTERED").WithCandidate(c).WithEvent(flow.UserRegistered).WithEvent(flow.VerificationSent)
}
