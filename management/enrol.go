package management

import (
	"context"
	"encoding/base32"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/passkey"
)

// Factors adds devices to people and takes them away, and tells them of it:
// runtime/mfa's Service.
type Factors interface {
	Enrol(ctx context.Context, in mfa.Enrolment) (mfa.Enrolling, error)
	Activate(ctx context.Context, in mfa.Activation) (mfa.Verdict, error)
	Resend(ctx context.Context, in mfa.Again) (mfa.Enrolling, error)
	Delete(ctx context.Context, w mfa.Who, device string) error
	// CreationBytes are what a new authenticator signs, and CreationOptions what it is
	// asked with.
	CreationBytes(w mfa.Who, device string) []byte
	CreationOptions(env string, of mfa.Creation, bytes []byte) (passkey.Options, error)
}

// deviceInput is a device as it is created. secret is ours, of a token that somebody
// has bought. Source: reference/management.md 5.10.
type deviceInput struct {
	Type      string `json:"type" required:"true" max:"32"`
	Email     string `json:"email" max:"254"`
	Phone     string `json:"phone" max:"32"`
	Nickname  string `json:"nickname"`
	Status    string `json:"status" max:"32"`
	Policy    string `json:"policy.id" max:"36"`
	PartyID   string `json:"rp.id" max:"253"`
	PartyName string `json:"rp.name" max:"256"`
	Secret    string `json:"secret" max:"256"`
}

// creatable are the types of devices that are created here.
func creatable() []device.Type {
	return slices.DeleteFunc(device.Types(), func(t device.Type) bool { return t == device.Mobile })
}

// enrolment is the device that a document asks for, and everything that is wrong with
// it.
func (in *deviceInput) enrolment() (mfa.Enrolment, []flow.Detail) {
	e := mfa.Enrolment{
		Type: device.Type(in.Type), Email: in.Email, Phone: in.Phone, Nickname: in.Nickname, Policy: in.Policy, RPID: in.PartyID,
		Active: in.Status == string(device.Active),
	}
	var faults []flow.Detail
	wrong := func(code, target, message string) {
		faults = append(faults, flow.Detail{Code: code, Target: target, Pointer: pointer(target), Message: message})
	}
	switch {
	case e.Type == device.Mobile:
		wrong(flow.InvalidValue, "type", "MOBILE devices are not created but paired: POST {\"applications\": [{\"id\": …}]} to the user's pairingKeys, and have the code typed or scanned in the application.")
		return e, faults
	case !slices.Contains(creatable(), e.Type):
		d := flow.Detail{Code: flow.InvalidValue, Target: "type", Pointer: "/type", Message: "There is no such type of device.", Inner: map[string]any{"allowedValues": creatable()}}
		return e, append(faults, d)
	}
	if fault := nicknameFault(in.Nickname); fault != nil {
		faults = append(faults, *fault)
	}
	for _, m := range []struct {
		name, value string
		of          bool // devices of the type have it
		required    bool
	}{
		{"email", in.Email, e.Type == device.Email, true},
		{"phone", in.Phone, e.Type == device.SMS || e.Type == device.Voice, true},
		{"rp.id", in.PartyID, e.Type.IsFIDO2(), false},
		{"rp.name", in.PartyName, e.Type.IsFIDO2(), false},
		{"secret", in.Secret, e.Type == device.OathToken, true},
	} {
		switch {
		case m.value == "" && m.of && m.required:
			wrong(flow.RequiredValue, m.name, "A value for "+m.name+" is required of a device of the type "+in.Type+".")
		case m.value != "" && !m.of:
			wrong(flow.InvalidValue, m.name, "A device of the type "+in.Type+" has no "+m.name+"; leave it out.")
		}
	}
	switch {
	case in.Status != "" && in.Status != string(device.Active) && in.Status != string(device.ActivationRequired):
		wrong(flow.InvalidValue, "status", "status takes ACTIVE or ACTIVATION_REQUIRED.")
	case e.Active && !e.Type.IsSent() && e.Type != device.Recovery:
		wrong(flow.InvalidValue, "status", "status takes ACTIVE for SMS, EMAIL and VOICE alone, where you may answer for the address. Any other device has to prove itself with device.activate.")
	}
	if e.Type == device.OathToken && in.Secret != "" {
		seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(strings.ReplaceAll(in.Secret, " ", ""), "=")))
		if err != nil || len(seed) < 16 || len(seed) > 64 {
			wrong(flow.InvalidValue, "secret", "secret takes the seed of the token in base32, 16 to 64 bytes.")
		}
		e.Seed = seed
	}
	return e, faults
}

// createDevice adds a device. What is secret about it is in this answer and in no
// other one. Source: reference/flows.md 8.2, 8.4; reference/management.md 5.10.
func createDevice(c *call) (*answer, error) {
	in, err := input[deviceInput](c)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	e, faults := in.enrolment()
	if len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	if err := c.pairs(e.Policy, e.Type); err != nil {
		return nil, err
	}
	got, err := c.enrol(&u, e)
	if err != nil {
		return nil, err
	}
	reason := "device " + got.Device.ID
	c.api.record(c, flow.Event{Type: flow.DeviceCreated, User: u.ID, Reason: reason})
	if got.Device.Status == device.Active {
		c.api.record(c, flow.Event{Type: flow.DeviceActivated, User: u.ID, Reason: reason})
	}
	shown := c.showDevice(got.Device)
	if got.Key != nil {
		shown = shown.with("secret", got.Key.Secret).with("keyUri", got.Key.URI)
	}
	if len(got.Codes) > 0 {
		shown = shown.with("recoveryCodes", got.Codes)
	}
	if got.Creation != nil {
		options, err := c.api.Factors.CreationOptions(c.env, *got.Creation, c.api.Factors.CreationBytes(c.who(&u), got.Device.ID))
		if err != nil {
			return nil, unserved(err)
		}
		shown = shown.with("publicKeyCredentialCreationOptions", options.Vendor)
	}
	return created(c.devicesURL(u.ID)+"/"+got.Device.ID, shown)
}

// who is whose devices these are, asked for by the caller.
func (c *call) who(u *directory.User) mfa.Who {
	address, _ := netip.ParseAddr(remoteIP(c.Request))
	display := strings.TrimSpace(u.Given + " " + u.Family)
	return mfa.Who{Env: c.env, UserID: u.ID, Username: u.Username, DisplayName: display, Client: flow.Client{RemoteIP: address}}
}

// pairs refuses an MFA policy that is not there, and one by which devices of the type
// are not added.
func (c *call) pairs(policy string, t device.Type) error {
	p, served := c.bundle.MFAPolicy(policy)
	switch {
	case !served:
		return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "policy.id", Pointer: "/policy/id", Message: "There is no such MFA policy in this environment."})
	case !p.Pairs(t):
		return flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "type", Pointer: "/type",
			Message: "The MFA policy " + strconv.Quote(p.Name) + " adds no devices of the type " + string(t) + ". Switch the type and its pairing on there, or name another policy.",
		})
	}
	return nil
}

// enrol adds a device to a user.
func (c *call) enrol(u *directory.User, e mfa.Enrolment) (mfa.Enrolling, error) {
	e.Who = c.who(u)
	got, err := c.api.Factors.Enrol(c.Context(), e)
	if err != nil {
		return mfa.Enrolling{}, inPlace(absent(err))
	}
	c.api.Posted()
	return got, nil
}

// inPlace is a fault whose details say where in the document they are.
func inPlace(err error) error {
	f := flow.AsFault(err)
	g := *f
	g.Details = slices.Clone(f.Details)
	for i, d := range g.Details {
		if d.Target != "" && d.Pointer == "" && g.Code == flow.InvalidData {
			g.Details[i].Pointer = pointer(d.Target)
		}
	}
	return &g
}

type activateInput struct {
	OTP         string `json:"otp" max:"64"`
	Origin      string `json:"origin" max:"512"`
	Attestation string `json:"attestation" type:"credential" max:"65536"`
}

// lacks is what an answer has to hold and does not.
func (in *activateInput) lacks(t device.Type) *flow.Fault {
	needed, value := "otp", in.OTP
	if t.IsFIDO2() {
		needed, value = "attestation", in.Attestation
	}
	if value != "" {
		return nil
	}
	return flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: needed, Pointer: "/" + needed, Message: "A device of the type " + string(t) + " is activated with " + needed + "."})
}

// activateDevice takes the first answer of a device. Source: reference/flows.md 8.2.
func activateDevice(c *call) (*answer, error) {
	in, err := input[activateInput](c)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	if d.Status == device.Active {
		return nil, failed(flow.Detail{Code: flow.ConstraintViolation, Message: "The device is active already."})
	}
	if fault := in.lacks(d.Type); fault != nil {
		return nil, fault
	}
	v, err := c.api.Factors.Activate(c.Context(), mfa.Activation{
		Who: c.who(&u), Policy: c.policyOf(&d), Device: d.ID, OTP: in.OTP, Origin: in.Origin, Attestation: in.Attestation,
	})
	if err != nil {
		return nil, inPlace(absent(err))
	}
	for _, e := range v.Events {
		c.aboutDevice(e, "device")
	}
	if !v.OK {
		return nil, inPlace(v.Fault)
	}
	c.api.Posted()
	return c.showDeviceNow()
}

// policyOf is the policy that a device is under: the default one where its own is
// gone.
func (c *call) policyOf(d *device.Device) string {
	if _, served := c.bundle.MFAPolicy(d.Policy); served {
		return d.Policy
	}
	return ""
}

// sendActivationCode sends another code to a device that waits for one. The one before
// is void.
func sendActivationCode(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	if _, err := c.api.Factors.Resend(c.Context(), mfa.Again{Who: c.who(&u), Policy: c.policyOf(&d), Device: d.ID}); err != nil {
		return nil, inPlace(absent(err))
	}
	c.aboutDevice(flow.DeviceChallenged, "device")
	c.api.Posted()
	return c.showDeviceNow()
}

func deleteDevice(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	if err := c.api.Factors.Delete(c.Context(), c.who(&u), c.PathValue("device")); err != nil {
		return nil, absent(err)
	}
	c.aboutDevice(flow.DeviceDeleted, "device")
	c.api.Posted()
	return nothing()
}
