// Package mfachallenge is the step kind MFA_CHALLENGE: it asks for one of the
// person's devices. It is a step of flow definitions and the room of the sign-on
// action MULTI_FACTOR_AUTHENTICATION.
package mfachallenge

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

// Service asks devices and judges what they say.
type Service interface {
	Devices
	Answers
	Browsers
	// RequestOptions is what a browser needs to have bytes signed. It is read from
	// memory, so that a view may ask for it.
	RequestOptions(env string, c mfa.Challenge, bytes []byte) (passkey.Options, error)
}

// Devices asks devices.
type Devices interface {
	Choose(ctx context.Context, who mfa.Who, policy, compatibility string) (mfa.Choice, error)
	Challenge(ctx context.Context, s mfa.Start) (mfa.Challenge, error)
	Cancel(ctx context.Context, who mfa.Who, c mfa.Challenge) error
}

// Answers judges what devices say.
type Answers interface {
	CheckOTP(ctx context.Context, in mfa.OTP) (mfa.Verdict, error)
	CheckAssertion(ctx context.Context, in mfa.Assertion) (mfa.Verdict, error)
	// Settled reports whether Poll has something to say.
	Settled(ctx context.Context, who mfa.Who, c mfa.Challenge) (bool, error)
	// Poll says what has become of a push, and uses an approval up.
	Poll(ctx context.Context, who mfa.Who, c mfa.Challenge) (device.PushState, mfa.Verdict, error)
}

// Browsers are those that people trust not to need a second factor.
type Browsers interface {
	// Remembers reports whether the policy lets people trust one. It is read from memory.
	Remembers(env, policy string) bool
	Trusted(ctx context.Context, who mfa.Who, policy string, shown flow.Digest) (bool, error)
	// Trust returns for how long.
	Trust(ctx context.Context, who mfa.Who, policy string, shown flow.Digest) (time.Duration, error)
}

// Policies are read live.
type Policies interface {
	Policy(env, id string) (*mfapolicy.Policy, error)
}

// Users knows accounts.
type Users interface {
	// Find returns whose a username is, empty for nobody's; both cost the same.
	Find(ctx context.Context, env, username string) (userID string, err error)
	// Account is as it stands now.
	Account(ctx context.Context, env, userID string) (Account, error)
}

// Account is somebody who signs on by a device alone.
type Account struct {
	Subject    flow.Subject
	Disabled   bool // they may not sign on, or are not there any more
	Unverified bool // the address is yet to be verified
}

// The statuses. Source: reference/flows.md 3.1, 7.4.
const (
	selecting = "DEVICE_SELECTION_REQUIRED"
	coding    = mfa.OTPRequired
	asserting = mfa.AssertionRequired
	pushing   = mfa.PushRequired
	pushed    = mfa.PushTimedOut
)

// The results. The last three are of sign-on policies alone.
const (
	succeeded    = "SUCCEEDED"
	noDevices    = "NO_DEVICES"            // the user has none that may be asked
	verification = "VERIFICATION_REQUIRED" // who has proven a device has an address to verify
	stepUp       = "STEP_UP_REQUIRED"      // what the user is known to know rests where a code would go
)

// Kind is the step kind.
type Kind struct {
	mfa      Service
	policies Policies
	users    Users
}

// New makes the kind.
func New(service Service, policies Policies, users Users) *Kind {
	return &Kind{service, policies, users}
}

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "MFA_CHALLENGE",
		Doc:     "asks for one of the user's devices",
		Source:  "reference/management.md 2.5, 2.6, 4.3; reference/flows.md 3.1, 5.2, 7.4, 8",
		Results: []string{succeeded, noDevices, verification, stepUp},
		Factors: flow.Possession,
		Actions: []flow.Action{
			flow.On("otp.check", k.check).In(coding, pushing, pushed).Labelled("otp.check.submit", "Verify"),
			flow.On("assertion.check", k.assert).In(asserting).Labelled("assertion.check.submit", "Use my passkey"),
			flow.On("otp.resend", k.resend).In(coding).Every().Labelled("otp.resend.submit", "Send a new code").Sometimes(),
			flow.On("cancel.push.authentication", k.cancel).In(pushing).Labelled("cancel.push.authentication.submit", "Use another way"),
			flow.OnValues("device.select", k.choose).In(selecting, coding, asserting, pushing, pushed).Every().Labelled("device.select.submit", "Use this device"),
			flow.On(flow.PollAction, k.poll).In(pushing).Every(),
		},
	}
}

// Step describes the kind to flow definitions, and to the verifier.
func (*Kind) Step(_ string, config any) flow.Step {
	c, _ := config.(Config)
	taken := device.Taken(c.Types...)
	s := flow.Step{
		Title: "MFA Challenge", Configuration: configSchema, Input: inputSchema, Waits: true,
		References: []flow.Reference{{Member: "deviceAuthenticationPolicy.id", Kind: "deviceAuthenticationPolicy"}},
		Results: []flow.StepResult{{
			Name: succeeded, Title: "Succeeded", Output: outputSchema, Confirms: true, Takes: taken,
			Doc: "A device of the user has answered rightly.",
		}},
	}
	if c.leads(noDevices) {
		s.Results = append(s.Results, flow.StepResult{Name: noDevices, Title: "No devices", Doc: "The user, who has signed on, has no device that may be asked.", Confirms: true})
	}
	if c.leads(verification) {
		s.Results = append(s.Results, flow.StepResult{
			Name: verification, Title: "Verification required", Takes: taken, Confirms: true,
			Doc: "A device has answered rightly, and the address of the account is yet to be verified.",
		})
	}
	if c.leads(stepUp) {
		s.Results = append(s.Results, flow.StepResult{Name: stepUp, Title: "Step-up required", Doc: "The session knows the user by a password alone that was set with a code to where the device's codes go."})
	}
	return s
}

// state is what the step remembers. Nothing in it is secret.
type state struct {
	Compatibility string         `json:"compatibility,omitempty"`
	Devices       []device.View  `json:"devices,omitempty"` // to choose from
	Asked         *mfa.Challenge `json:"asked,omitempty"`   // nil: nothing yet
	Trouble       *trouble       `json:"trouble,omitempty"` // why another device must be chosen
}

// trouble is an error that is no end. Source: reference/flows.md 2.1.
type trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// blind reports whether nothing may be told of devices.
func (s *state) blind() bool { return s.Asked != nil && s.Asked.Unproven }
