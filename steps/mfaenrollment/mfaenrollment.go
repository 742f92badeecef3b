// Package mfaenrollment is the step kind MFA_ENROLLMENT: whoever has signed on sets
// up a device, by which they are asked from then on.
package mfaenrollment

import (
	"context"
	_ "embed" // the schemas
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Service adds devices.
type Service interface {
	Devices
	Setup
	Shown
}

// Devices says what of a user's devices may be changed.
type Devices interface {
	Choose(ctx context.Context, who mfa.Who, policy, compatibility string) (mfa.Choice, error)
	Types(ctx context.Context, who mfa.Who, policy, compatibility string) ([]device.Type, error)
	MayChange(ctx context.Context, who mfa.Who, proofs flow.Ledger) (bool, error)
	MayActivate(ctx context.Context, who mfa.Who, proofs flow.Ledger, device string) (bool, error)
}

// Setup leads a device from its name to its first answer.
type Setup interface {
	Enrol(ctx context.Context, in mfa.Enrolment) (mfa.Enrolling, error)
	Activate(ctx context.Context, in mfa.Activation) (mfa.Verdict, error)
	Resend(ctx context.Context, in mfa.Again) (mfa.Enrolling, error)
	GiveUp(ctx context.Context, who mfa.Who, id string) error
	// Paired reports whether an app has shown the pairing key.
	Paired(ctx context.Context, who mfa.Who, id string) (device.Device, bool, error)
}

// Shown is what is shown of a device that is being set up, and kept nowhere by us.
type Shown interface {
	CreationOptions(env string, c mfa.Creation, bytes []byte) (passkey.Options, error)
	Key(ctx context.Context, who mfa.Who, policy, id string) (*mfa.Key, error)
	PairingKey(who mfa.Who, application string) (code, uri string, err error)
}

// Policies are read from memory.
type Policies interface {
	Policy(env, id string) (*mfapolicy.Policy, error)
	Settings(env string) *mfapolicy.Settings
	// ApplicationName is what a native application is called; empty: it is not there.
	ApplicationName(env, id string) string
}

// The statuses. Source: reference/flows.md 7.4.
const (
	choosing   = "DEVICE_ENROLLMENT_REQUIRED"
	activating = "ACTIVATION_REQUIRED"
	pairing    = "PAIRING_REQUIRED"
	unpaired   = "MOBILE_PAIRING_FAILURE"
)

// The results. The last one is of sign-on policies alone: who has no device yet has
// proven nothing for a while, and does so before setting one up.
const (
	enrolled = "ENROLLED"
	skipped  = "SKIPPED"
	stepUp   = "STEP_UP_REQUIRED"
)

// Kind is the step kind.
type Kind struct {
	mfa      Service
	policies Policies
}

// New makes the kind.
func New(service Service, policies Policies) *Kind { return &Kind{service, policies} }

// KnowsModels reports whether it is known which models of authenticators there are, so
// that a policy may go by it. Where nothing is set up, as it is when a configuration is
// only checked, that is for the server to say.
func (k *Kind) KnowsModels() bool {
	knowing, is := k.mfa.(interface{ KnowsModels() bool })
	return !is || knowing.KnowsModels()
}

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "MFA_ENROLLMENT",
		Doc:     "has whoever has signed on set up a device",
		Source:  "reference/management.md 2.5, 2.6; reference/flows.md 7.4, 8.2, 8.4",
		Results: []string{enrolled, skipped, stepUp},
		Factors: flow.Possession,
		Actions: []flow.Action{
			flow.On("device.create", k.create).In(choosing, unpaired).Labelled("device.create.submit", "Set up"),
			flow.On("device.activate", k.activate).In(activating).Labelled("device.activate.submit", "Finish"),
			flow.On("otp.resend", k.resend).In(activating).Every().Labelled("otp.resend.submit", "Send a new code").Sometimes(),
			flow.On("device.delete", k.remove).In(activating, pairing, unpaired).Labelled("device.delete.submit", "Choose another way"),
			flow.On("device.skipEnrollment", k.skip).In(choosing).Labelled("device.skipEnrollment.submit", "Not now").Sometimes(),
			flow.On(flow.PollAction, k.poll).In(pairing).Every(),
		},
	}
}

// Step describes the kind to flow definitions, and to the verifier.
func (*Kind) Step(_ string, config any) flow.Step {
	s := flow.Step{
		Title: "MFA Enrollment", Configuration: configSchema, Input: inputSchema, Waits: true,
		References: []flow.Reference{{Member: "deviceAuthenticationPolicy.id", Kind: "deviceAuthenticationPolicy"}},
		Results: []flow.StepResult{{
			Name: enrolled, Title: "Enrolled", Output: outputSchema, Takes: device.Taken(),
			Doc: "The user has set up a device, and has proven it by that.",
		}},
	}
	c, _ := config.(Config)
	if !c.Required {
		s.Results = append(s.Results, flow.StepResult{Name: skipped, Title: "Skipped", Doc: "The user would not set up a device now."})
	}
	if c.StepUp {
		s.Results = append(s.Results, flow.StepResult{Name: stepUp, Title: "Step-up required", Doc: "The user signed on too long ago to set up a first device."})
	}
	return s
}

// state is what the step remembers. Nothing in it is secret: what is, is made or read
// again when it is shown.
type state struct {
	Compatibility string        `json:"compatibility,omitempty"`
	Email         string        `json:"email,omitempty"` // of the account, offered for a device
	Phone         string        `json:"phone,omitempty"`
	Types         []device.Type `json:"types,omitempty"`

	Device      *device.View  `json:"device,omitempty"` // that is being set up
	Creation    *mfa.Creation `json:"creation,omitempty"`
	Application string        `json:"application,omitempty"` // of MOBILE
	Effect      string        `json:"effect,omitempty"`      // of the submit that made the pairing key
	Until       time.Time     `json:"until,omitzero"`        // of the pairing key
}

// empty is the state without a device.
func (s state) empty() state {
	s.Device, s.Creation, s.Application, s.Effect, s.Until = nil, nil, "", "", time.Time{}
	return s
}
