// Package mfamobileenrollment is the step kind MFA_MOBILE_AUTO_ENROLLMENT: it makes
// the app that somebody is signing on in one of their devices, without asking them.
package mfamobileenrollment

import (
	"context"
	_ "embed" // the schemas
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Service adds devices.
type Service interface {
	MayChange(ctx context.Context, who mfa.Who, proofs flow.Ledger) (bool, error)
	EnrolApp(ctx context.Context, in mfa.AppEnrolment) (d device.Device, ok bool, err error)
}

// The results.
const (
	initiated     = "ENROLLMENT_INITIATED"
	notApplicable = "NOT_APPLICABLE"
)

// Kind is the step kind.
type Kind struct{ mfa Service }

// New makes the kind.
func New(service Service) *Kind { return &Kind{service} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "MFA_MOBILE_AUTO_ENROLLMENT",
		Doc:     "makes the application that somebody signs on in one of their devices",
		Source:  "reference/management.md 2.5, 2.6; docs/devices.md",
		Results: []string{initiated, notApplicable},
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "MFA Mobile Auto Enrollment", Input: inputSchema,
		Results: []flow.StepResult{
			{Name: initiated, Title: "Enrollment initiated", Output: outputSchema, Doc: "The app is a device of the user from now on, and proves nothing yet."},
			{Name: notApplicable, Title: "Not applicable", Doc: "The policy does not let this application enrol itself."},
		},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("MFA_MOBILE_AUTO_ENROLLMENT", config)
}

type input struct {
	User        string `json:"user.id" required:"true"`
	Application string `json:"application.id" required:"true" max:"64"`
	Payload     string `json:"mobile.payload" required:"true" max:"8192"`
}

// payload is what the application says of its device, as JSON or as that in base64url.
type payload struct {
	PublicKey string `json:"publicKey"` // PKIX in base64url
	Name      string `json:"name"`
	Alert     string `json:"alertToken"`
}

// Enter adds the app. Only whoever has signed on gets a device, and who has one has
// proven it a short time ago.
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
	p, key, err := read(in.Payload)
	if err != nil {
		return invalid(), nil //nolint:nilerr // it is the definition's mistake, and told as one
	}
	who := mfa.Who{Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(), Client: t.Client}
	switch may, err := k.mfa.MayChange(ctx, who, t.Proofs); {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read proofs of devices: %w", err))
	case !may:
		return flow.Fail("STEP_UP_REQUIRED", "Confirm with a device that you already have before you add or remove one. The pages of your account ask for it, also in a browser that you trust.").WithEvent(flow.StepUpRequired), nil
	}
	d, ok, err := k.mfa.EnrolApp(ctx, mfa.AppEnrolment{Who: who, Application: in.Application, Key: key, Name: p.Name, Alert: p.Alert})
	f := (*flow.Fault)(nil)
	switch {
	case errors.As(err, &f) && f.Code != flow.Unavailable:
		return flow.FailWith(flow.Failure{Code: string(f.Code), Message: f.Message, Details: f.Details}), nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("enrol application: %w", err))
	case !ok:
		return flow.Result(notApplicable), nil
	case d.UserID != t.User.ID:
		return flow.Outcome{}, fmt.Errorf("device of user %q made for user %q", d.UserID, t.User.ID)
	}
	return flow.Result(initiated).WithEvent(flow.DeviceCreated).WithEvent(flow.DeviceActivated).WithOutputs(map[string]any{
		"enrollment": map[string]any{"device": map[string]any{"id": d.ID}},
	}), nil
}

func invalid() flow.Outcome {
	return flow.FailWith(flow.Failure{Code: string(flow.InvalidData), Message: flow.InvalidMessage, Details: []flow.Detail{{
		Code: flow.InvalidValue, Target: "mobile.payload", Message: "The payload takes an object with publicKey, name and alertToken, as JSON or as JSON in base64url.",
	}}})
}

// read decodes a payload, and the key in it.
func read(text string) (p payload, key []byte, err error) {
	raw := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		if raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "=")); err != nil {
			return payload{}, nil, err
		}
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return payload{}, nil, err
	}
	key, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(p.PublicKey, "="))
	return p, key, err
}
