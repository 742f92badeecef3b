package mfa

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// Enrol adds a device, which Activate proves. The error is a *flow.Fault where the
// person is to be told. Whether somebody may change their devices is for the caller to
// know: MayChange.
func (s *Service) Enrol(ctx context.Context, in Enrolment) (Enrolling, error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Enrolling{}, err
	}
	n, fault := s.planned(policy, in)
	if fault != nil {
		return Enrolling{}, fault
	}
	switch {
	case in.Type.IsSent():
		return s.enrolSent(ctx, in, policy, n)
	case in.Type.IsFIDO2():
		return s.enrolFIDO2(ctx, in, policy, n)
	case in.Type == device.Mobile:
		return s.pair(ctx, in, policy, n)
	case in.Type == device.Recovery:
		return s.Regenerate(ctx, in)
	}
	return s.enrolSeed(ctx, in, n)
}

// planned is a device as it is asked for, or everything that is wrong with it.
func (s *Service) planned(p *mfapolicy.Policy, in Enrolment) (NewDevice, *flow.Fault) {
	d := device.Device{
		Env: in.Env, UserID: in.UserID, Type: in.Type, Status: device.ActivationRequired, Policy: in.Policy,
		Nickname: strings.TrimSpace(in.Nickname), Application: in.Application,
	}
	var wrong []flow.Detail
	if !p.Pairs(in.Type) || in.Type.IsFIDO2() && in.Compatibility == NoWebAuthn {
		wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: "type", Message: "Devices of this type cannot be added here. Choose another type."})
	}
	if !calm(d.Nickname) {
		wrong = append(wrong, wrongNickname())
	}
	if in.Type == device.Email {
		if d.Email = s.NormalAddress(in.Type, in.Email); d.Email == "" {
			wrong = append(wrong, missing("email", in.Email, "This is not a mail address that a code can be sent to."))
		}
	}
	if in.Type == device.SMS || in.Type == device.Voice {
		if d.Phone = s.NormalAddress(in.Type, in.Phone); d.Phone == "" {
			wrong = append(wrong, missing("phone", in.Phone, "Write the number with a plus and the country code, such as +15550100."))
		}
	}
	if in.Type == device.OathToken && (len(in.Seed) < 10 || len(in.Seed) > 64) {
		wrong = append(wrong, flow.Detail{Code: flow.RequiredValue, Target: "secret", Message: "A token is added with its seed, of 10 to 64 bytes."})
	}
	if app, known := p.Mobile.Application(in.Application); in.Type == device.Mobile && (!known || !app.PairingKey) {
		wrong = append(wrong, missing("application.id", in.Application, "The policy does not pair devices with this application."))
	}
	if len(wrong) > 0 {
		return NewDevice{}, flow.Invalid(wrong...)
	}
	if in.Active && in.Type.IsSent() {
		d.Status = device.Active
	}
	return NewDevice{Device: d, Most: s.o.Policies.Settings(in.Env).MaxDevices, MFAEnabled: true}, nil
}

// missing is the detail of an input that is needed.
func missing(target, value, message string) flow.Detail {
	if value == "" {
		return flow.Detail{Code: flow.RequiredValue, Target: target, Message: "A value for " + target + " is required."}
	}
	return flow.Detail{Code: flow.InvalidValue, Target: target, Message: message}
}

// nicknameMost is the longest nickname, in characters.
const nicknameMost = 100

// calm reports whether a nickname can be shown anywhere.
func calm(nickname string) bool {
	return utf8.ValidString(nickname) && utf8.RuneCountInString(nickname) <= nicknameMost &&
		!strings.ContainsFunc(nickname, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// NormalAddress is a mail address (of EMAIL) or a number as a device of the type keeps
// it; empty for what is none. Enrol takes either as typed.
func (s *Service) NormalAddress(t device.Type, typed string) string {
	if t != device.Email {
		return dialled(typed)
	}
	address, err := s.o.NormalEmail(typed)
	if err != nil {
		return ""
	}
	return address
}

// dialled is a number as E.164 writes it, without what people put between its digits;
// empty for what is none. Source: RFC 3966 3 (visual separators).
func dialled(number string) string {
	if len(number) > mostTyped {
		return ""
	}
	number = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) || strings.ContainsRune(".()/", r) {
			return -1
		}
		return r
	}, number)
	if !flow.E164(number) {
		return ""
	}
	return number
}

// create adds the device, and says what the person is told who may not. A turn makes
// one of a type.
func (s *Service) create(ctx context.Context, w Who, n NewDevice) (device.Device, error) {
	id, err := s.identity(w, deviceOf(n.Device.Type))
	if err != nil {
		return device.Device{}, err
	}
	if n.Device.ID = id; w.Effect != "" {
		n.Effect = w.Effect + "/" + string(n.Device.Type)
	}
	d, err := s.o.Store.Create(ctx, n)
	switch {
	case errors.Is(err, ErrTooMany):
		return d, tooManyDevices(n.Most)
	case errors.Is(err, ErrDuplicate):
		target := "device"
		switch {
		case n.Device.Phone != "":
			target = "phone"
		case n.Device.Email != "":
			target = "email"
		}
		return d, flow.Invalid(flow.Detail{Code: flow.UniquenessViolation, Target: target, Message: "This is one of your devices already. Use it, or add another one."})
	}
	return d, err
}

// deviceOf is what the id of a device is made of, beside the effect.
func deviceOf(t device.Type) string { return "device/" + string(t) }

// Made reports whether it is the effect of w that has made the device: the turn has
// been here before, and was lost before it was kept.
func (s *Service) Made(w Who, d device.Device) bool {
	if w.Effect == "" {
		return false
	}
	id, err := s.identity(w, deviceOf(d.Type))
	return err == nil && d.ID == id
}

func tooManyDevices(most int) *flow.Fault {
	return &flow.Fault{Code: flow.RequestFailed, Message: "You have as many devices as are allowed. Remove one, then add another.", Details: []flow.Detail{{
		Code: flow.LimitExceeded, Target: "devices", Message: "There are as many devices as are allowed.", Inner: map[string]any{"maximumValue": most},
	}}}
}

func (s *Service) enrolSent(ctx context.Context, in Enrolment, p *mfapolicy.Policy, n NewDevice) (Enrolling, error) {
	var err error
	if n.Device.Status == device.Active {
		if n.Notice, err = s.notice(ctx, in.Who, addedMessage, &n.Device); err != nil {
			return Enrolling{}, err
		}
	}
	d, err := s.create(ctx, in.Who, n)
	if err != nil || d.Status == device.Active {
		return Enrolling{Device: d}, err
	}
	c, err := s.send(ctx, in.Who, p, Challenge{Device: d.ID, Type: d.Type, Policy: in.Policy}, &d)
	return Enrolling{Device: d, Until: c.Until}, err
}

// Resend sends the code of a device that is yet to be activated once more. The one
// before is void.
func (s *Service) Resend(ctx context.Context, in Again) (Enrolling, error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Enrolling{}, err
	}
	d, err := s.o.Store.Get(ctx, in.Env, in.UserID, in.Device)
	if errors.Is(err, flow.ErrUnknown) || err == nil && (d.Status == device.Active || !d.Type.IsSent()) {
		return Enrolling{}, notWaiting()
	}
	if err != nil {
		return Enrolling{}, err
	}
	c, err := s.send(ctx, in.Who, policy, Challenge{Device: d.ID, Type: d.Type, Policy: in.Policy}, &d)
	return Enrolling{Device: d, Until: c.Until}, err
}

func notWaiting() *flow.Fault {
	return &flow.Fault{Code: flow.RequestFailed, Message: "The device does not wait to be activated. Add it again if you need it."}
}

// enrolSeed adds an app that computes codes, with a seed of ours, or a token with its
// own.
func (s *Service) enrolSeed(ctx context.Context, in Enrolment, n NewDevice) (Enrolling, error) {
	if n.Seed = in.Seed; in.Type == device.TOTP {
		var err error
		if n.Seed, err = s.NewSeed(); err != nil {
			return Enrolling{}, err
		}
	}
	d, err := s.create(ctx, in.Who, n)
	if err != nil || in.Type != device.TOTP {
		return Enrolling{Device: d}, err
	}
	k, err := s.Key(ctx, in.Who, in.Policy, d.ID)
	return Enrolling{Device: d, Key: k}, err
}

// Key is the seed of an app that is yet to be activated, to be shown once more; an
// error is flow.ErrUnknown afterwards.
func (s *Service) Key(ctx context.Context, w Who, policyID, id string) (*Key, error) {
	policy, err := s.o.Policies.Policy(w.Env, policyID)
	if err != nil {
		return nil, err
	}
	seed, err := s.o.Store.Seed(ctx, w.Env, w.UserID, id)
	if err != nil {
		return nil, err
	}
	return key(seed, s.o.Policies.Party(w.Env).Name, w.Username, policy.TOTP.URI), nil
}

// enrolFIDO2 adds a device that has no credential yet.
func (s *Service) enrolFIDO2(ctx context.Context, in Enrolment, p *mfapolicy.Policy, n NewDevice) (Enrolling, error) {
	with, err := s.ceremony(in.Env, p)
	if err != nil {
		return Enrolling{}, err
	}
	if in.RPID != "" && in.RPID != with.party.ID {
		return Enrolling{}, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "rp.id", Message: "Passkeys are made for another domain here. Leave it out, or name that one.",
			Inner: map[string]any{"allowedValues": []string{with.party.ID}},
		})
	}
	handle, err := s.o.Store.Handle(ctx, in.Env, in.UserID)
	if err != nil {
		return Enrolling{}, err
	}
	exclude, err := s.held(ctx, in.Who, with.party.ID)
	if err != nil {
		return Enrolling{}, err
	}
	if n.Device.Name == "" {
		n.Device.Name = with.policy.DeviceDisplayName
	}
	d, err := s.create(ctx, in.Who, n)
	if err != nil {
		return Enrolling{}, err
	}
	display, err := s.display(ctx, in.Who, with.policy.DisplayName)
	if err != nil {
		return Enrolling{}, err
	}
	c := &Creation{Policy: in.Policy, Handle: handle, Name: in.Username, Display: display, Attachment: attachment(in.Type, in.Compatibility), Exclude: exclude}
	return Enrolling{Device: d, Creation: c}, s.keepBytes(ctx, in.Who, d.ID)
}

// displayMost is the longest name that is shown beside a passkey, in characters; what is
// longer is cut by authenticators, and not by all of them well. Source: WebAuthn level 3,
// 5.4.1 (64 bytes).
const displayMost = 64

// display is what a passkey is shown with: the first of the names that the policy lists
// and the user has. Where it lists none, it is what whoever asks says.
func (s *Service) display(ctx context.Context, w Who, names [][]string) (string, error) {
	if len(names) == 0 {
		return w.DisplayName, nil
	}
	has, err := s.o.People.Attributes(ctx, w.Env, w.UserID)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		var parts []string
		for _, attribute := range name {
			if text, _ := has[attribute].(string); text != "" {
				parts = append(parts, text)
			}
		}
		if len(parts) > 0 {
			runes := []rune(strings.Join(parts, " "))
			return string(runes[:min(len(runes), displayMost)]), nil
		}
	}
	return "", nil // the username
}

// attachment is where an authenticator of a type is to be; empty: as the policy says.
func attachment(t device.Type, c Compatibility) string {
	switch {
	case t == device.Platform:
		return "platform"
	case t == device.SecurityKey || c == SecurityKeyOnly:
		return "cross-platform"
	}
	return ""
}

// held are the credentials that a person has of a relying party: no authenticator makes
// a second one.
func (s *Service) held(ctx context.Context, w Who, rpID string) ([]Allowed, error) {
	all, err := s.devices(ctx, w)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d device.Device) bool { return d.Credential == nil || d.Credential.RPID != rpID })
	var out []Allowed
	size := 0
	for i := range all {
		if size += len(all[i].Credential.ID); size <= allowedBytes {
			out = append(out, allow(&all[i]))
		}
	}
	return out, nil
}

// CreationOptions is what a browser needs to make a credential. bytes are those of the
// turn that shows it. It asks nobody.
func (s *Service) CreationOptions(env string, c Creation, bytes []byte) (passkey.Options, error) {
	_, with, err := s.rules(env, c.Policy)
	if err != nil {
		return passkey.Options{}, err
	}
	return passkey.Creation(with.party, with.policy, c.user(), credentials(c.Exclude, with.party.ID), c.Attachment, bytes)
}

func (c *Creation) user() passkey.User {
	display := c.Display
	if display == "" {
		display = c.Name
	}
	return passkey.User{Handle: c.Handle, Name: c.Name, DisplayName: display}
}
