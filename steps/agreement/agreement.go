// Package agreement is the step kinds AGREEMENT_CONSENT_FORM and
// AGREEMENT_RECONSENT_FORM: they show an agreement to whoever has signed on, and
// keep that it was agreed to.
package agreement

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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

// Agreements are read from memory, so that a view may ask for one.
type Agreements interface {
	// Agreement returns the agreement as it is now; false when there is none.
	Agreement(env, id string) (Agreement, bool)
}

// Consents keeps what users have said.
type Consents interface {
	// Read returns the last word of a user; the zero Consent when there is none.
	Read(ctx context.Context, env, userID, agreement string) (Consent, error)
	Accept(ctx context.Context, a Acceptance) error
}

// Consent is what a user agreed to.
type Consent struct {
	Language string // id; empty: the user did not agree, or took it back
	Revision string // id
	At       time.Time
}

// Acceptance is that a user agrees to what was shown.
type Acceptance struct {
	Env, UserID string
	Agreement   string // id
	Language    string // id
	Revision    string // id
	At          time.Time
	ExpiresAt   time.Time // zero: never
	Effect      string    // flow.Turn.Effect: the same word is kept once
}

// required is the status in which the kinds wait. Source: reference/flows.md 3.1.
const required = "AGREEMENT_CONSENT_REQUIRED"

// What a user may have said.
const (
	accepted = "ACCEPTED"
	declined = "DECLINED"
)

// Kind is either step kind: they differ in their names. Both ask whoever has not
// agreed, or agreed to a revision that counts no more or too long ago.
type Kind struct {
	name, title, doc string
	agreements       Agreements
	consents         Consents
}

// NewConsent makes the kind AGREEMENT_CONSENT_FORM.
func NewConsent(agreements Agreements, consents Consents) *Kind {
	return &Kind{"AGREEMENT_CONSENT_FORM", "Agreement Consent Form", "asks the user to agree, unless that was done", agreements, consents}
}

// NewReconsent makes the kind AGREEMENT_RECONSENT_FORM.
func NewReconsent(agreements Agreements, consents Consents) *Kind {
	return &Kind{"AGREEMENT_RECONSENT_FORM", "Agreement Reconsent Form", "asks the user to agree again, when the consent that there is holds no more", agreements, consents}
}

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    k.name,
		Doc:     k.doc,
		Source:  "reference/management.md 2.5, 2.6, 5.9; reference/flows.md 3.1, 3.3, 5.2",
		Results: []string{"SAVED"},
		Actions: []flow.Action{flow.On("user.consent", k.consent).In(required).Labelled("user.consent.submit", "Continue")},
	}
}

// Step describes the kind to flow definitions.
func (k *Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: k.title, Configuration: configSchema, Input: inputSchema, Waits: true,
		References: []flow.Reference{{Member: "agreement.id", Kind: "agreement"}},
		Results: []flow.StepResult{{
			Name: "SAVED", Title: "Saved", Output: outputSchema,
			Doc: "The user has agreed or declined; agreementConsent.status says which.",
		}},
	}
}

// which is the configuration of a node: the id of the agreement.
type which string

// Check takes {"agreement":{"id":"<id>"}}.
func (k *Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Agreement struct {
			ID string `json:"id"`
		} `json:"agreement"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("%s takes agreement: %w", k.name, err)
		}
	}
	if c.Agreement.ID == "" {
		return nil, errors.New("agreement.id is required")
	}
	return which(c.Agreement.ID), nil
}

type input struct {
	User     string `json:"user.id" required:"true"`
	Language string `json:"user.preferredLanguage"`
}

// shown is what the step remembers: what the user was asked to agree to.
type shown struct {
	Language string `json:"language"`
	Revision string `json:"revision"`
}

// Enter asks, unless the user's consent holds. Only whoever has signed on can
// agree: the consent of anybody else would be nobody's.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	switch _, ok := t.Account(in.User); {
	case !ok:
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	case !t.SignedOn():
		return flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), nil
	}
	id, _ := t.Config.(which)
	a, ok := k.agreements.Agreement(t.Ref.Env, string(id))
	if !ok {
		return unavailable(), nil
	}
	c, err := k.consents.Read(ctx, t.Ref.Env, t.User.ID, a.ID)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read consent: %w", err))
	}
	if a.satisfied(c, t.Now) {
		return saved(a.ID, accepted, shown{c.Language, c.Revision}), nil
	}
	wanted := []string{in.Language, t.Locales}
	if in.Language == "" {
		wanted = wanted[1:]
	}
	l, r, ok := a.text(wanted, t.Now)
	if !ok {
		return unavailable(), nil
	}
	return flow.Wait(required), t.Keep(shown{l.ID, r.ID})
}

func unavailable() flow.Outcome {
	return flow.Fail("AGREEMENT_NOT_AVAILABLE", "There is nothing to agree to now. Try again later, or ask your administrator.")
}

type answer struct {
	Accept bool `json:"accept" required:"true" label:"agreement.accept.label=I have read this and agree"`
}

// consent keeps that the user agrees. That they do not is for the definition to
// judge; an earlier consent stays as it is.
func (k *Kind) consent(ctx context.Context, t *flow.Turn, in answer) (flow.Outcome, error) {
	s, err := flow.State[shown](t)
	id, _ := t.Config.(which)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case t.User.ID == "" || s.Revision == "":
		return flow.Outcome{}, fmt.Errorf("%s waits for nobody, or with nothing to agree to", k.name)
	case !in.Accept:
		return saved(string(id), declined, s).WithEvent(flow.ConsentDeclined), nil
	}
	a, ok := k.agreements.Agreement(t.Ref.Env, string(id))
	if !ok {
		return unavailable(), nil
	}
	err = k.consents.Accept(ctx, Acceptance{
		Env: t.Ref.Env, UserID: t.User.ID, Agreement: a.ID, Language: s.Language, Revision: s.Revision,
		At: t.Now, ExpiresAt: a.expiry(t.Now), Effect: t.Effect(),
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("keep consent: %w", err))
	}
	return saved(a.ID, accepted, s).WithEvent(flow.ConsentAccepted), nil
}

// saved puts out what was said. A user has one consent for each agreement, and its
// id is the agreement's. Source: reference/management.md 5.9 (path).
func saved(agreement, status string, s shown) flow.Outcome {
	id := func(v string) map[string]any { return map[string]any{"id": v} }
	c := map[string]any{"status": status, "agreement": id(agreement), "language": id(s.Language), "revision": id(s.Revision)}
	if status == accepted {
		c["id"] = agreement
	}
	return flow.Result("SAVED").WithOutputs(map[string]any{"agreementConsent": c})
}
