package mfa

import (
	"context"
	"errors"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// CheckOTP judges a code: one that was sent, one that a device computes, or a recovery
// code.
func (s *Service) CheckOTP(ctx context.Context, in OTP) (Verdict, error) {
	policy, err := s.o.Policies.Policy(in.Env, in.Challenge.Policy)
	if err != nil {
		return Verdict{}, err
	}
	in.Code, in.Unproven = typed(in.Code), in.Challenge.Unproven
	if v, over, err := s.spend(ctx, in.Who); over || err != nil {
		return v, err
	}
	var v Verdict
	if in.Unproven {
		v, err = s.checkBlind(ctx, in, policy) // which settles what it does not tell
	} else if v, err = s.checkDevice(ctx, in, policy); err == nil {
		v, err = s.settle(ctx, in.Who, v)
	}
	if err == nil && v.OK {
		// The push that was sent before needs no answer any more. One that could not be
		// called back is good for nothing all the same: nobody asks what became of it.
		_ = s.Cancel(ctx, in.Who, in.Challenge)
	}
	return v, err
}

// spend counts a try against the account's budget. Over it nothing is compared, and
// the user is told by mail.
func (s *Service) spend(ctx context.Context, w Who) (Verdict, bool, error) {
	err := s.o.Tries.Count(ctx, s.budget(w))
	if limit, over := limited(err); over {
		v := Verdict{Events: []flow.EventType{flow.RequestLimited}, Fault: overBudget(limit)}
		return v, true, s.alert(ctx, w, lockedMessage, nil)
	}
	return Verdict{}, false, err
}

// settle ends a verdict: a right answer takes its try back, and a lock is told of by
// mail.
func (s *Service) settle(ctx context.Context, w Who, v Verdict) (Verdict, error) {
	if v.OK {
		v.Proof.At = s.o.Now()
		// A try that is not given back is the person's loss for a quarter of an hour; an
		// answer that was right and is refused would be a greater one.
		_ = s.o.Tries.Uncount(ctx, s.budget(w))
		return v, nil
	}
	if v.alarming {
		return v, s.alert(ctx, w, lockedMessage, &v.Device)
	}
	return v, nil
}

// checkDevice judges a code of a device that the person was told of.
func (s *Service) checkDevice(ctx context.Context, in OTP, p *mfapolicy.Policy) (Verdict, error) {
	d, err := s.o.Store.Answering(ctx, in.Env, in.UserID, in.Challenge.Device)
	if errors.Is(err, flow.ErrUnknown) || err == nil && (d.Status != device.Active || !p.Enabled(d.Type) || !d.BlockedAt.IsZero()) {
		return Verdict{Events: []flow.EventType{flow.DeviceRefused}, Fault: gone()}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	if d.Type.IsSent() {
		return s.checkSent(ctx, in, p, &d)
	}
	return s.checkOwn(ctx, in, p, &d)
}

// checkSent judges a code that was sent. What cannot be right any more is not counted
// against the device: nothing was compared.
func (s *Service) checkSent(ctx context.Context, in OTP, p *mfapolicy.Policy, d *device.Device) (Verdict, error) {
	used, err := s.o.Secrets.UseSecret(ctx, secretName(in.Env, in.Flow, s.secretOf(in.Who, in.Challenge)), s.hash(in.Who, d.ID, address(d), in.Code), in.Effect)
	if err != nil {
		return Verdict{}, err
	}
	v := s.wrongSent(in.Challenge, used)
	v.Device = *d
	switch {
	case used.OK:
		standing, err := s.o.Store.Succeed(ctx, Success{Judged: s.against(in.Who, p, d), Seen: *d})
		return s.judged(v, standing, err, "otp")
	case used.Wrong:
		standing, err := s.o.Store.Fail(ctx, Failing{Judged: s.against(in.Who, p, d)})
		return s.refused(v, standing, err, "otp")
	}
	return v, nil
}

// checkOwn judges a code that the device computes or the person has written down.
func (s *Service) checkOwn(ctx context.Context, in OTP, p *mfapolicy.Policy, d *device.Device) (Verdict, error) {
	v := Verdict{Device: *d, Events: []flow.EventType{flow.DeviceRefused}}
	var standing Standing
	var err error
	message := wrongTOTPMessage
	switch d.Type {
	case device.TOTP, device.OathToken, device.Mobile:
		period, windows := totpPeriod, grace(p)
		if d.Type == device.Mobile {
			if app, _ := p.Mobile.Application(d.Application); !computes(&app, d) {
				v.Fault = gone()
				return v, nil
			}
			period, windows = s.period(d), 1
		}
		standing, err = s.o.Store.Try(ctx, Try{s.against(in.Who, p, d), comparing(in.Code, s.o.Now(), period, windows)})
	case device.Recovery:
		message = wrongRecoveryMessage
		standing, err = s.o.Store.TryRecovery(ctx, RecoveryTry{s.against(in.Who, p, d), func(seed []byte) [32]byte { return recoveryHash(seed, in.Code) }})
	case device.SMS, device.Voice, device.Email, device.FIDO2, device.Platform, device.SecurityKey:
		v.Fault = gone() // these take no code that is typed, or not here
		return v, nil
	}
	v.Wrong, v.Left, v.Fault = standing.Wrong, standing.Left, wrongComputed(standing.Left, message)
	if v, err = s.judged(v, standing, err, "otp"); v.OK {
		v.Proof.AMR = "otp" // also where the device may prove otherwise; RFC 8176 2
	}
	return v, err
}

// against is what an answer of a device counts against.
func (s *Service) against(w Who, p *mfapolicy.Policy, d *device.Device) Judged {
	lockout := s.o.Policies.Settings(w.Env).Lockout
	if lockout.Count > 0 && lockout.CoolDown <= 0 { // until somebody lifts it
		lockout.CoolDown = forever
	}
	return Judged{
		Env: w.Env, UserID: s.account(w), ID: d.ID, Failure: p.Failure(d.Type), Account: lockout, IgnoreLock: p.IgnoreUserLock, Effect: w.Effect,
	}
}

// judged turns what the Store says of an answer into a verdict.
func (s *Service) judged(v Verdict, st Standing, err error, target string) (Verdict, error) {
	switch {
	case err != nil:
		return Verdict{}, err
	case st.OK:
		return Verdict{OK: true, Device: v.Device, Proof: v.Device.Proof(false), Events: []flow.EventType{flow.DeviceAccepted}}, nil
	}
	return s.refused(v, st, nil, target)
}

// refused adds to a verdict what a wrong answer has led to.
func (s *Service) refused(v Verdict, st Standing, err error, target string) (Verdict, error) {
	if err != nil {
		return Verdict{}, err
	}
	if st.Replayed {
		v.Events = append(v.Events, flow.DeviceReplayed)
	}
	if st.Cloned {
		v.Events = append(v.Events, flow.CloneSuspected)
	}
	if st.Blocked {
		v.Fault = gone()
	}
	v.DeviceLocked, v.AccountLocked = st.DeviceLocked, st.AccountLocked
	if !v.DeviceLocked && !v.AccountLocked {
		return v, nil
	}
	v.LockedUntil, v.alarming = st.Until, st.Counted
	v.Fault = lockedFault(target, st.AccountLocked, st.Until, s.o.Now())
	if st.Counted && st.DeviceLocked {
		v.Events = append(v.Events, flow.DeviceLocked)
	}
	if st.Counted && st.AccountLocked {
		v.Events = append(v.Events, flow.AccountLockedByMFA)
	}
	return v, nil
}
