// Package form is the step kind FORM: it asks what a form that is data asks.
package form

import (
	"bytes"
	"context"
	_ "embed" // the schemas
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// Captcha tells people from programs. What solves a challenge goes back as one
// string; a challenge and its answer count once.
type Captcha interface {
	// Challenge makes one to be solved.
	Challenge(ctx context.Context, env string) (form.Challenge, error)
	// Check judges a token: what the provider's script made, or, of a challenge
	// with Data, that Data, a dot and what was sent. False says that it is not
	// right, or too old; an error that it cannot be judged.
	Check(ctx context.Context, env, token string, ip netip.Addr) (bool, error)
}

// Agreements are the texts that forms show.
type Agreements interface {
	// Terms is what an agreement says now, in the best of the languages, which
	// are as in Accept-Language. It is read from memory: views are made of it. Not
	// ok says that there is none, or that it is switched off.
	Terms(env, id, locales string) (form.Terms, bool)
}

// required is the status in which the kind waits. Source: reference/flows.md 7.4.
const required = "FORM_REQUIRED"

const submitted = "SUBMITTED"

//go:embed config.schema.json
var configSchema json.RawMessage

//go:embed input.schema.json
var inputSchema json.RawMessage

// Kind is the step kind.
type Kind struct {
	captcha    Captcha
	agreements Agreements
	forms      forms
}

// New makes the kind. Without a captcha or agreements, both of which may be nil,
// a form that asks for one fails when it is entered.
func New(captcha Captcha, agreements Agreements) *Kind {
	return &Kind{captcha: captcha, agreements: agreements}
}

// Meta describes the kind. A form's buttons are results as well; see Step.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "FORM",
		Doc:     "asks what a form asks, and leaves by its submission or by one of its buttons",
		Source:  "reference/management.md 2.6, 3; reference/flows.md 7.4",
		Results: []string{submitted},
		Actions: []flow.Action{
			flow.OnValues("form.submit", k.submit).In(required).Labelled("page.continue", "Continue"),
			flow.OnValues("form.action", k.press).In(required).Labelled("page.continue", "Continue"),
		},
	}
}

// Config is what Check returns.
type Config struct{ Form *form.Form }

// Check takes {"form":{...}}, the whole form.
func (k *Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Form json.RawMessage `json:"form"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || len(c.Form) == 0 {
		return nil, errors.New(`FORM takes {"form":{"id":"..."}}`)
	}
	f, err := k.forms.compile(c.Form)
	if err != nil {
		return nil, err
	}
	return Config{f}, nil
}

// Step describes the kind; with a configuration, with the outlets and outputs of
// that form.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "Form", Icon: "form", Configuration: configSchema, Input: inputSchema, Waits: true,
		References: []flow.Reference{{Member: "form.id", Kind: "form", Pinned: true}},
	}
	c, ok := config.(Config)
	if !ok {
		s.Results = []flow.StepResult{{Name: submitted, Title: "Submitted", Doc: "The form was submitted, and all values are as the form wants them.", Output: outputs(json.RawMessage(`{"type":"object"}`))}}
		return s
	}
	if c.Form.Submits() {
		s.Results = append(s.Results, flow.StepResult{Name: submitted, Title: "Submitted", Doc: "The form was submitted, and all values are as the form wants them.", Output: outputs(c.Form.Schema())})
	}
	for _, b := range c.Form.Buttons() {
		s.Results = append(s.Results, flow.StepResult{Name: b.Key, Title: b.Label, Doc: "The button was pressed; what was typed is dropped.", Output: outputs(nil)})
	}
	return s
}

// outputs is the schema of ${steps.KEY.outputs}.
func outputs(data json.RawMessage) json.RawMessage {
	const head = `{"type":"object","properties":{"form":{"type":"object","properties":{"id":{"type":"string"},"name":{"type":"string"}}}`
	if data == nil {
		return json.RawMessage(head + `}}`)
	}
	return json.RawMessage(head + `,"formData":` + string(data) + `}}`)
}

// state is what the step remembers while it waits.
type state struct {
	Values    flow.Values     `json:"values,omitempty"` // that the fields are filled with
	Challenge *form.Challenge `json:"challenge,omitempty"`
	Locales   string          `json:"locales,omitempty"` // of agreements
}

// Enter shows the form, filled with the input, or, when a later step has failed,
// with what was submitted.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	f := formOf(t)
	if f == nil {
		return flow.Outcome{}, errors.New("FORM is entered without a form")
	}
	data, _ := t.Input["formData"].(map[string]any)
	s := state{Values: f.Prefill(data)}
	if t.Failed != nil && t.Before != nil {
		before, _ := t.Before()["formData"].(map[string]any)
		for key, value := range f.Prefill(before) {
			s.Values[key] = value
		}
	}
	if f.Has(form.Agreement) {
		s.Locales = t.Locales
		if !k.agrees(t.Ref.Env, f, s) {
			return flow.Fail("AGREEMENT_NOT_AVAILABLE", "There is nothing to agree to now. Try again later, or ask your administrator."), nil
		}
	}
	if f.Has(form.Captcha) && k.captcha == nil {
		return flow.Fail("CAPTCHA_UNAVAILABLE", "This page asks whether you are a person, and the service is not set up to check it."), nil
	}
	if err := k.challenge(ctx, t, f, &s); err != nil {
		return flow.Outcome{}, err
	}
	return flow.Wait(required), t.Keep(s)
}

func formOf(t *flow.Turn) *form.Form {
	c, _ := t.Config.(Config)
	return c.Form
}

// challenge makes a new one for a form that asks for one.
func (k *Kind) challenge(ctx context.Context, t *flow.Turn, f *form.Form, s *state) error {
	if !f.Has(form.Captcha) {
		return nil
	}
	c, err := k.captcha.Challenge(ctx, t.Ref.Env)
	if err != nil {
		return flow.Unserved(fmt.Errorf("challenge: %w", err))
	}
	s.Challenge = &c
	return nil
}

// agrees reports whether all agreements of the form can be read.
func (k *Kind) agrees(env string, f *form.Form, s state) bool {
	for i := range f.Fields {
		if x := &f.Fields[i]; x.Type == form.Agreement {
			if _, ok := k.terms(env, x, s); !ok {
				return false
			}
		}
	}
	return true
}

// terms is the agreement of a field: its own, or the one the input names.
func (k *Kind) terms(env string, x *form.Field, s state) (form.Terms, bool) {
	id := x.Agrees
	if id == "" {
		id, _ = s.Values[x.Key].(string)
	}
	if k.agreements == nil || id == "" {
		return form.Terms{}, false
	}
	return k.agreements.Terms(env, id, s.Locales)
}

// submit takes the values. What is wrong with them is told and changes nothing;
// a wrong answer to a challenge is followed by another one.
func (k *Kind) submit(ctx context.Context, t *flow.Turn, v flow.Values) (flow.Outcome, error) {
	f := formOf(t)
	data, fault := f.Decode(v)
	if fault != nil {
		return flow.Outcome{}, fault
	}
	if f.Has(form.Captcha) {
		if out, err := k.person(ctx, t, f, v); err != nil || out.Verdict != 0 {
			return out, err
		}
	}
	out := flow.Result(submitted).WithOutputs(map[string]any{"form": map[string]any{"id": f.ID, "name": f.Name}, "formData": data})
	if f.Ignores(v) {
		out = out.WithEvent(flow.InputIgnored)
	}
	return out, nil
}

// person checks the answer to the challenge. The zero Outcome says that it is
// right.
func (k *Kind) person(ctx context.Context, t *flow.Turn, f *form.Form, v flow.Values) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if k.captcha == nil || s.Challenge == nil {
		return flow.Outcome{}, errors.New("FORM waits for an answer to no challenge")
	}
	key := ""
	for i := range f.Fields {
		if f.Fields[i].Type == form.Captcha {
			key = f.Fields[i].Key
		}
	}
	token := f.Answer(v, key)
	if s.Challenge.Data != "" {
		token = s.Challenge.Data + "." + token
	}
	ok, err := k.captcha.Check(ctx, t.Ref.Env, token, t.Client.RemoteIP)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check challenge: %w", err))
	case ok:
		return flow.Outcome{}, nil
	}
	if err := k.challenge(ctx, t, f, &s); err != nil {
		return flow.Outcome{}, err
	}
	return flow.Reject(required, flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: key, Message: "The challenge is not solved, or is too old. Solve the new one.",
	})), t.Keep(s)
}

type pressed struct {
	Key string `json:"key" required:"true" max:"100"`
}

// press leaves by one of the buttons.
func (k *Kind) press(_ context.Context, t *flow.Turn, v flow.Values) (flow.Outcome, error) {
	f := formOf(t)
	var in pressed
	if fault := flow.Bind(v, flow.FieldsOf[pressed](), &in); fault != nil {
		return flow.Outcome{}, fault
	}
	for _, b := range f.Buttons() {
		if b.Key == in.Key {
			return flow.Result(b.Key).WithOutputs(map[string]any{"form": map[string]any{"id": f.ID, "name": f.Name}}), nil
		}
	}
	return flow.Outcome{}, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "key", Message: "The form has no such button; its keys are the options of key in _templates."})
}
