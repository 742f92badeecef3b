package mfa

import (
	"context"
	"slices"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// Choice is what somebody may prove themselves with.
type Choice struct {
	Devices []device.Device // that can be asked now, the default one first
	// Asked says that the person is to choose before one is asked. Source:
	// reference/flows.md 3.1, 8.1.
	Asked bool
	// Held says that the person has a device, be it locked, blocked or not allowed by
	// the policy: they are not led to a first one, which would go around it.
	Held bool
	// LockedUntil is when the first of those that are locked can be asked again; zero
	// where one can be now, or none is locked.
	LockedUntil time.Time
}

// Choose says what a user may be asked for under a policy.
func (s *Service) Choose(ctx context.Context, w Who, policyID string, c Compatibility) (Choice, error) {
	policy, err := s.o.Policies.Policy(w.Env, policyID)
	if err != nil {
		return Choice{}, err
	}
	all, err := s.devices(ctx, w)
	if err != nil {
		return Choice{}, err
	}
	now := s.o.Now()
	var out Choice
	for _, d := range all {
		if d.Status != device.Active {
			continue
		}
		out.Held = true
		switch {
		case !s.fits(policy, &d, c) || !d.BlockedAt.IsZero():
		case d.Usable(now):
			out.Devices = append(out.Devices, d)
		case out.LockedUntil.IsZero() || d.LockedUntil.Before(out.LockedUntil):
			out.LockedUntil = d.LockedUntil
		}
	}
	slices.SortStableFunc(out.Devices, func(a, b device.Device) int { return rank(a.Type) - rank(b.Type) })
	if len(out.Devices) > 0 {
		out.LockedUntil = time.Time{}
	}
	out.Asked = policy.Selection == mfapolicy.AlwaysDisplayDevices && len(out.Devices) > 0 ||
		policy.Selection == mfapolicy.PromptToSelect && len(out.Devices) > 1
	return out, nil
}

// rank keeps recovery codes for when nothing else is there.
func rank(t device.Type) int {
	if t == device.Recovery {
		return 1
	}
	return 0
}

// Usable are the devices of Choose.
func (s *Service) Usable(ctx context.Context, w Who, policyID string, c Compatibility) ([]device.Device, error) {
	choice, err := s.Choose(ctx, w, policyID, c)
	return choice.Devices, err
}

// devices are those of a user; nobody has none.
func (s *Service) devices(ctx context.Context, w Who) ([]device.Device, error) {
	if w.UserID == "" {
		return nil, nil
	}
	return s.o.Store.List(ctx, w.Env, w.UserID)
}

// fits reports whether a policy lets a device be asked, and the client can.
func (s *Service) fits(p *mfapolicy.Policy, d *device.Device, c Compatibility) bool {
	if !p.Enabled(d.Type) {
		return false
	}
	switch {
	case d.Type.IsFIDO2():
		return d.Credential != nil && d.Credential.RPID == s.rpID(d.Env, p) && can(c, d)
	case d.Type == device.Mobile:
		a, known := p.Mobile.Application(d.Application)
		return known && (a.Push || computes(&a, d))
	}
	return true
}

// computes reports whether codes that a paired app shows are taken: its application may
// show them, and it was given a seed.
func computes(a *mfapolicy.MobileApplication, d *device.Device) bool { return a.OTP && d.Codes }

// can reports whether a client can ask a FIDO2 device. What is part of a machine can
// only be asked by that machine. Source: reference/flows.md 8.4.
func can(c Compatibility, d *device.Device) bool {
	switch c {
	case "", Full:
		return true
	case SecurityKeyOnly:
		return d.Type != device.Platform && d.Credential.Attachment != "platform"
	}
	return false
}

// Types are those that a user may add now.
func (s *Service) Types(ctx context.Context, w Who, policyID string, c Compatibility) ([]device.Type, error) {
	policy, err := s.o.Policies.Policy(w.Env, policyID)
	if err != nil {
		return nil, err
	}
	all, err := s.devices(ctx, w)
	if err != nil {
		return nil, err
	}
	held := slices.ContainsFunc(all, func(d device.Device) bool { return d.Status == device.Active && d.Type != device.Recovery })
	var out []device.Type
	for _, t := range device.Types() {
		if policy.Pairs(t) && s.offers(policy, t, c, held) {
			out = append(out, t)
		}
	}
	return out, nil
}

// offers reports whether a person can add a device of the type by themselves. Recovery
// codes come beside another device: alone they would soon be used up.
func (s *Service) offers(p *mfapolicy.Policy, t device.Type, c Compatibility, held bool) bool {
	switch t {
	case device.FIDO2:
		return c != NoWebAuthn
	case device.Platform:
		return c == "" || c == Full
	case device.SecurityKey:
		return c != NoWebAuthn
	case device.Mobile:
		return slices.ContainsFunc(p.Mobile.Applications, func(a mfapolicy.MobileApplication) bool { return a.PairingKey })
	case device.OathToken: // its seed comes with it
		return false
	case device.Recovery:
		return held
	case device.SMS, device.Email, device.Voice, device.TOTP:
	}
	return true
}

// freshness is how long ago somebody may have proven themselves who changes their
// devices. Source: cases LINK-DEVICE-STEPUP.
const freshness = 10 * time.Minute

// MayChange reports whether proofs are enough to add or remove a device of the user:
// one of their devices, proven less than ten minutes ago, or anything so young where
// they have none. A turn that is run again and has made a device before was let then,
// and goes on: that device and what else it has changed would speak against it now.
func (s *Service) MayChange(ctx context.Context, w Who, proofs flow.Ledger) (bool, error) {
	all, err := s.devices(ctx, w)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(all, func(d device.Device) bool { return d.Status == device.Active && s.Made(w, d) }) {
		return true, nil
	}
	young := proofs.Of(w.UserID).Since(s.o.Now().Add(-freshness))
	return shows(young, all, ""), nil
}

// MayActivate reports whether the device that is being set up may be taken: proofs show
// one of the others, or there is none. It may be that the owner has got one since it was
// begun. How young the proofs are was judged then.
func (s *Service) MayActivate(ctx context.Context, w Who, proofs flow.Ledger, id string) (bool, error) {
	all, err := s.devices(ctx, w)
	return err == nil && shows(proofs.Of(w.UserID), all, id), err
}

// shows reports whether one of the proofs is of one of the devices but that with the id
// but, or of anything where there are no others.
func shows(proofs flow.Ledger, all []device.Device, but string) bool {
	held := map[string]bool{}
	for _, d := range all {
		if d.Status == device.Active && d.ID != but {
			held[d.ID] = true
		}
	}
	return slices.ContainsFunc(proofs, func(p flow.Proof) bool {
		return p.Origin != flow.FromIDP && (len(held) == 0 || p.Factors.Has(flow.Possession) && held[p.Authenticator])
	})
}
