// Package verify is the step kind USER_ACCOUNT_VERIFY: it asks for the code that
// was mailed to an address, to know that the address is the person's.
package verify

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/flow"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed input.schema.json
	inputSchema []byte
)

// Verifications sends verification codes and takes them. Both cost the same for
// a UserID and for none; an error says that nothing was done.
type Verifications interface {
	// Send mails a code; the one before it is void. It returns the address on
	// file, empty when there is none.
	Send(ctx context.Context, s Sending) (address string, err error)
	// Verify takes a code. Every try counts against it.
	Verify(ctx context.Context, a Attempt) (Verdict, error)
	// Due reports whether a user has anything to verify. It is asked only of a
	// user who has signed on.
	Due(ctx context.Context, env, userID string) (bool, error)
}

// Sending asks for a code to be mailed.
type Sending struct {
	Env     string
	UserID  string // empty: nobody's, and nothing is mailed
	Locales string // flow.Turn.Locales
	Flow    string // execution id
	Effect  string // flow.Turn.Effect: the same request sends once
}

// Attempt is one code for one user.
type Attempt struct {
	Env    string
	UserID string // empty: nobody's, and no code is right
	Code   string
	Effect string
}

// Verdict is what came of an attempt.
type Verdict struct {
	OK      bool
	Subject flow.Subject // of OK
}

// required is the status in which the kind waits. Source: reference/flows.md 3.1.
const required = "VERIFICATION_CODE_REQUIRED"

// tries is how many wrong codes void one. Source: reference/flows.md 5.4, where
// it is said of recovery codes.
const tries = 5

// Kind is the step kind.
type Kind struct{ verifications Verifications }

// New makes the kind.
func New(verifications Verifications) *Kind { return &Kind{verifications} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "USER_ACCOUNT_VERIFY",
		Doc:     "asks for the verification code mailed to the user",
		Source:  "reference/management.md 2.6; reference/flows.md 3.1, 4, 5.2, 5.4, 7.4",
		Results: []string{"VERIFIED"}, // of a node that lets nobody skip; see Step
		Actions: []flow.Action{
			flow.On("user.verify", k.verify).In(required).Labelled("user.verify.submit", "Verify"),
			flow.On("user.sendVerificationCode", k.resend).In(required).Every().Labelled("user.sendVerificationCode.submit", "Send a new code"),
			flow.On("user.skipVerification", k.skip).In(required).Labelled("user.skipVerification.submit", "Skip for now").Sometimes(),
		},
	}
}

// Step describes the kind to flow definitions. A node that lets nobody skip has
// one result.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "Verify Email", Aliases: []string{"VERIFY_ACCOUNT"}, Configuration: configSchema, Input: inputSchema, Waits: true,
		Results: []flow.StepResult{{
			Name: "VERIFIED", Title: "Verified", Doc: "The address is the person's, or needs no verifying.", Confirms: true,
		}},
	}
	if may, ok := config.(skippable); ok && !bool(may) {
		return s
	}
	s.Results = append(s.Results, flow.StepResult{Name: "SKIPPED", Title: "Skipped", Doc: "The person would not verify the address."})
	return s
}

// skippable is the configuration of a node: whether the person may go on without.
type skippable bool

// Check takes {} or {"allowSkip":true}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		AllowSkip bool `json:"allowSkip"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("USER_ACCOUNT_VERIFY takes allowSkip: %w", err)
		}
	}
	return skippable(c.AllowSkip), nil
}

// Offers are all the actions, in their order, where the last of them is offered;
// where it is not, those of Meta are enough.
func (k *Kind) Offers(t *flow.Turn) []flow.Offer {
	if may, _ := t.Config.(skippable); !bool(may) || t.Status != required {
		return nil
	}
	var out []flow.Offer
	for _, a := range k.Meta().Actions {
		out = append(out, flow.Offer{Name: a.Name, Prompt: a.Prompt, Fields: a.Fields})
	}
	return out
}

// state is what the step remembers. Wrong counts the tries since the last code,
// for the words alone: what counts is counted with the code.
type state struct {
	Address string `json:"address,omitempty"` // masked, of the user of the execution
	Wrong   int    `json:"wrong,omitempty"`
}

// Enter sends the code to the user of the execution. In a sign-on policy a
// candidate has just been sent one by the step that made the account.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	switch {
	case t.Input != nil: // of a flow definition
		return k.enterGiven(ctx, t)
	case t.User.ID != "":
		return k.send(ctx, t)
	case t.Person.IsZero():
		return flow.Outcome{}, errors.New("USER_ACCOUNT_VERIFY is entered for nobody")
	}
	return flow.Wait(required), nil
}

type input struct {
	User   string `json:"user.id"`
	UserID string `json:"userId"`
}

// enterGiven sends the code to whom a flow definition names, who must be the one
// of the execution. A user who has signed on and has nothing to verify goes on; of
// a candidate it is not told whether there is anything.
func (k *Kind) enterGiven(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	if _, ok := t.Account(cmp.Or(in.User, in.UserID)); !ok {
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	}
	if t.SignedOn() {
		due, err := k.verifications.Due(ctx, t.Ref.Env, t.User.ID)
		switch {
		case err != nil:
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("verification due: %w", err))
		case !due:
			return flow.Result("VERIFIED"), nil
		}
	}
	return k.send(ctx, t)
}

// Show tells where the code went: to a proven user what is on file, and else
// what the person typed, if they typed it in this execution.
func (*Kind) Show(t *flow.Turn) flow.Show {
	if t.User.ID == "" {
		return flow.Show{Address: t.Person.Address}
	}
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Show{}
	}
	return flow.Show{Address: s.Address}
}

func (k *Kind) resend(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	return k.send(ctx, t)
}

// who is whose address is verified; empty for a candidate who is nobody.
func who(t *flow.Turn) string {
	if t.User.ID != "" {
		return t.User.ID
	}
	return t.Person.UserID
}

func (k *Kind) send(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	id := who(t)
	address, err := k.verifications.Send(ctx, Sending{Env: t.Ref.Env, UserID: id, Locales: t.Locales, Flow: t.Ref.ID, Effect: t.Effect()})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("send verification code: %w", err))
	}
	var s state
	if t.User.ID != "" { // of a candidate only what they typed is shown
		s.Address = flow.Masked(address)
	}
	event := flow.VerificationSent
	if id == "" {
		event = flow.VerifyRefused
	}
	return flow.Wait(required).WithEvent(event), t.Keep(s)
}

// skip goes on without a code. Nobody is confirmed by it: an account that is to be
// verified first signs nobody on.
func (*Kind) skip(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	if may, _ := t.Config.(skippable); !bool(may) {
		return flow.Outcome{}, &flow.Fault{Code: flow.InvalidRequest, Message: "The address must be verified here. Send the code that was mailed."}
	}
	return flow.Result("SKIPPED"), nil
}

type code struct {
	Code string `json:"verificationCode" required:"true" max:"32" type:"code" autocomplete:"one-time-code" label:"verify.code.label=Verification code"`
}

func (k *Kind) verify(ctx context.Context, t *flow.Turn, in code) (flow.Outcome, error) {
	id := who(t)
	v, err := k.verifications.Verify(ctx, Attempt{Env: t.Ref.Env, UserID: id, Code: in.Code, Effect: t.Effect()})
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("verify: %w", err))
	case !v.OK:
		return wrong(t)
	case v.Subject.ID == "" || v.Subject.ID != id:
		return flow.Outcome{}, fmt.Errorf("address of user %q verified for user %q", v.Subject.ID, id)
	}
	return flow.Result("VERIFIED").WithUser(v.Subject).WithEvent(flow.UserVerified), nil
}

func wrong(t *flow.Turn) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	s.Wrong++
	return flow.Reject(required, flow.Invalid(flow.WrongCode("verificationCode", s.Wrong, tries))).WithEvent(flow.VerifyRefused), t.Keep(s)
}
