// Package windowslogin is the step kind
// PINGID_AUTHENTICATION_FOR_WINDOWS_PASSWORDLESS_LOGIN: a credential provider of Windows
// has somebody prove themselves by their phone, and gets the certificate with which they
// sign on to the machine.
package windowslogin

import (
	"context"
	_ "embed" // the schemas
	"encoding/json"

	"doorward/runtime/certificate"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// Name is the kind's.
const Name = "PINGID_AUTHENTICATION_FOR_WINDOWS_PASSWORDLESS_LOGIN"

var (
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Phones asks devices and judges what they say.
type Phones interface {
	Asking
	Answers
}

// Asking asks devices.
type Asking interface {
	Choose(ctx context.Context, who mfa.Who, policy, compatibility string) (mfa.Choice, error)
	ChallengePhone(ctx context.Context, s mfa.Start) (mfa.Challenge, error)
}

// Answers judges what devices say.
type Answers interface {
	CheckOTP(ctx context.Context, in mfa.OTP) (mfa.Verdict, error)
	Settled(ctx context.Context, who mfa.Who, c mfa.Challenge) (bool, error)
	Poll(ctx context.Context, who mfa.Who, c mfa.Challenge) (device.PushState, mfa.Verdict, error)
}

// Certificates makes certificates. Its errors are a certificate.Unfit, flow.ErrUnknown of
// a PIN that is not to be had, or say that it could not be done.
type Certificates interface {
	Issue(ctx context.Context, o certificate.Order) (certificate.Bundle, error)
	HasPIN(ctx context.Context, env, userID string) (bool, error)
	PIN(ctx context.Context, env, userID, id string) (string, error)
}

// Users knows accounts.
type Users interface {
	// Find returns whose a username is, empty for nobody's; both cost the same.
	Find(ctx context.Context, env, username string) (userID string, err error)
	// Account is as it stands now.
	Account(ctx context.Context, env, userID string) (Account, error)
}

// Account is somebody who signs on by a phone alone.
type Account struct {
	Subject    flow.Subject
	Disabled   bool // they may not sign on, or are not there any more
	Unverified bool // the address is yet to be verified
}

// The statuses. The documents name none: the first four are those of MFA_CHALLENGE, and
// the last is ours.
const (
	selecting = "DEVICE_SELECTION_REQUIRED"
	coding    = mfa.OTPRequired
	pushing   = mfa.PushRequired
	pushed    = mfa.PushTimedOut
	resuming  = "AUTHENTICATION_RESUME_REQUIRED"
)

const succeeded = "SUCCEEDED"

// Kind is the step kind.
type Kind struct {
	phones Phones
	certs  Certificates
	users  Users
}

// New makes the kind.
func New(phones Phones, certs Certificates, users Users) *Kind {
	return &Kind{phones, certs, users}
}

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    Name,
		Doc:     "proves somebody by their phone and gives them a certificate to sign on to Windows with",
		Source:  "reference/management.md 2.5; reference/flows.md 7.4; docs/decisions/0014-windows.md",
		Results: []string{succeeded},
		Factors: flow.Possession,
		Actions: []flow.Action{
			flow.On("device.select", k.choose).In(selecting, coding, pushing, pushed).Every().Labelled("device.select.submit", "Use this device"),
			flow.On("authentication.poll", k.poll).In(pushing).Every().Labelled("authentication.poll.submit", "I have approved it"),
			flow.On("otp.check", k.check).In(coding, pushing, pushed).Labelled("otp.check.submit", "Verify").Sometimes(),
			flow.On("authentication.resume", k.resume).In(resuming).Labelled("authentication.resume.submit", "Continue"),
			flow.On("certificate.create", k.create).In(resuming).Labelled("certificate.create.submit", "Create a certificate").Sometimes(),
			flow.On("certificate.readPin", k.readPIN).In(resuming).Every().Labelled("certificate.readPin.submit", "Read the PIN").Sometimes(),
			flow.On(flow.PollAction, k.poll).In(pushing).Every(),
		},
	}
}

// Step describes the kind to flow definitions, and to the verifier.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "PingID Authentication for Windows Passwordless Login", Input: inputSchema, Waits: true,
		Results: []flow.StepResult{{
			Name: succeeded, Title: "Succeeded", Output: outputSchema, Names: true, Confirms: true, Takes: device.Taken(),
			Doc: "A device of the user has answered rightly, and the client has what it wanted.",
		}},
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) { return flow.Unconfigured(Name, config) }

// state is what the step remembers. Nothing in it is secret.
type state struct {
	Blind       bool           `json:"blind,omitempty"`   // nothing may be told of devices
	Devices     []device.View  `json:"devices,omitempty"` // to choose from
	Asked       *mfa.Challenge `json:"asked,omitempty"`   // nil: nothing yet
	Proven      string         `json:"proven,omitempty"`  // id of the device that has proven the user
	PINs        bool           `json:"pins,omitempty"`    // there is one to be read
	PINReads    int            `json:"pinReads,omitempty"`
	Certificate *made          `json:"certificate,omitempty"` // of this execution
	Trouble     *trouble       `json:"trouble,omitempty"`     // why another device must be chosen
}

// made is a certificate as the client takes it. Ours: the documents show no answer.
type made struct {
	ID        string `json:"id"`
	PEM       string `json:"pem"`
	Chain     string `json:"chain"`
	ExpiresAt string `json:"expiresAt"`
}

// trouble is an error that is no end. Source: reference/flows.md 2.1.
type trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
