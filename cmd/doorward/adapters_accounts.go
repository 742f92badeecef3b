package main

import (
	"context"
	"errors"
	"fmt"

	"doorward/configs"
	"doorward/directory"
	"doorward/steps"
	"doorward/steps/change"
	"doorward/steps/password"
	"doorward/steps/recover"
	"doorward/steps/register"
	"doorward/steps/verify"
)

// accounts gives the steps that make and mend accounts what they ask of the
// directory.
type accounts struct {
	directory *directory.Accounts
	registry  func() *configs.Registry // knows the default populations
	wake      func()                   // there may be mail to send
}

// parts are what the step kinds need.
func parts(c catalogue) steps.Parts {
	in := accounts{c.accounts, c.registry, c.wake}
	return steps.Parts{
		Passwords: passwordVerdicts{c.passwords}, Changes: in, Recoveries: in, Registrations: in, Verifications: addressVerifications{in, c.users},
		UserLookups: userLookups{c}, UserCreations: userCreations{c}, UserReadings: userReadings{c}, UserPatches: userPatches{c},
		PasswordChecks: passwordChecks{c}, PasswordResets: passwordResets{c}, RecoveryMails: recoveryMails{c}, PasswordRecoveries: passwordRecoveries{c},
		Agreements: agreementTexts{c}, Consents: agreementConsents{c}, Terms: agreementTerms{agreementTexts{c}}, Captcha: c.captcha,
		ExternalServices: c.services, APIRequests: c.calls,
		Challenges: c.factors, Enrollments: c.factors, AutoEnrollment: c.factors, AppEnrollment: c.factors, Passkeys: c.factors,
		DevicePolicies: factorPolicies{c.registry}, DeviceUsers: owners{c}, PasskeyUsers: passkeyOwners{owners{c}},
		Providers: c.providers, Externals: externalAccounts{c, c.links}, Links: externalAccounts{c, c.links},
		Phones: c.factors, Certificates: c.certificates, PhoneUsers: phoneOwners{owners{c}},
	}
}

// Change fills change.Passwords.
func (s accounts) Change(ctx context.Context, a change.Attempt) (change.Verdict, error) {
	defer s.wake()
	c, err := s.directory.ChangePassword(ctx, directory.Change{
		Env: a.Env, UserID: a.UserID, Current: a.Current, Password: a.Password, Effect: a.Effect, At: a.At,
	})
	if err != nil {
		return change.Verdict{}, err
	}
	out := change.Verdict{Subject: c.Subject, Unverified: c.Unverified, Unsatisfied: c.Unsatisfied, UnlockIn: c.UnlockIn}
	switch c.Result {
	case directory.Done:
		out.Result = change.Changed
	case directory.WrongPassword:
		out.Result = change.WrongPassword
	case directory.Locked:
		out.Result = change.LockedOut
	case directory.Unsatisfying:
		out.Result = change.Unsatisfying
	case directory.TooYoung:
		out.Result = change.TooYoung
	case directory.NotAllowed:
		out.Result = change.NotAllowed
	case directory.WrongCode: // none is asked for; the zero Result is refused
	}
	return out, nil
}

// Start fills recover.Recoveries.
func (s accounts) Start(ctx context.Context, r recover.Request) (string, error) {
	defer s.wake()
	return s.directory.StartRecovery(ctx, directory.Recovery{
		Env: r.Env, Username: r.Username, UserID: r.UserID, Locales: r.Locales, Flow: r.Flow, Effect: r.Effect,
	})
}

// Recover fills recover.Recoveries. A right code of somebody who may not recover
// any more is as good as a wrong one.
func (s accounts) Recover(ctx context.Context, a recover.Attempt) (recover.Verdict, error) {
	defer s.wake()
	c, err := s.directory.Recover(ctx, directory.Recovering{
		Env: a.Env, UserID: a.UserID, Username: a.Username, Code: a.Code, Password: a.Password, Effect: a.Effect, At: a.At,
	})
	if err != nil {
		return recover.Verdict{}, err
	}
	out := recover.Verdict{Subject: c.Subject, Address: c.Address, Unsatisfied: c.Unsatisfied}
	switch c.Result {
	case directory.Done:
		out.Result = recover.Recovered
	case directory.Unsatisfying:
		out.Result = recover.Unsatisfying
	case directory.TooYoung:
		out.Result = recover.TooYoung
	case directory.WrongCode, directory.NotAllowed, directory.Locked:
		out.Result = recover.WrongCode
	case directory.WrongPassword: // none is asked for; the zero Result is refused
	}
	return out, nil
}

// Register fills register.Registrations.
func (s accounts) Register(ctx context.Context, r register.Registration) (register.Registered, error) {
	defer s.wake()
	b, ok := s.registry().Bundle(r.Env)
	if !ok {
		return register.Registered{}, fmt.Errorf("environment %s is not served", r.Env)
	}
	population, ok := b.Population(r.Population)
	if !ok {
		return register.Registered{}, errors.New("the population that people are registered in is gone")
	}
	out, err := s.directory.Register(ctx, directory.Registration{
		Env: r.Env, Population: population.ID, Username: r.Username, Email: r.Email, Given: r.Given, Family: r.Family,
		Locales: r.Locales, Password: r.Password, Flow: r.Flow, Effect: r.Effect, MFAEnabled: b.MFASettings().MFAEnabledByDefault,
	})
	return register.Registered{Subject: out.Subject, Unsatisfied: out.Unsatisfied, Invalid: out.Fault}, err
}

// Send fills verify.Verifications.
func (s accounts) Send(ctx context.Context, v verify.Sending) (string, error) {
	defer s.wake()
	return s.directory.SendVerification(ctx, directory.Send{Env: v.Env, UserID: v.UserID, Locales: v.Locales, Flow: v.Flow, Effect: v.Effect})
}

// Verify fills verify.Verifications.
func (s accounts) Verify(ctx context.Context, a verify.Attempt) (verify.Verdict, error) {
	v, err := s.directory.Verify(ctx, directory.Verification{Env: a.Env, UserID: a.UserID, Code: a.Code, Effect: a.Effect})
	return verify.Verdict{OK: v.OK, Subject: v.Subject}, err
}

// stateOf is what of a right password's state matters at a sign-on.
func stateOf(s directory.PasswordState) password.State {
	switch s {
	case directory.StateMustChange:
		return password.MustChange
	case directory.StateExpired:
		return password.Expired
	case directory.StateOK, directory.StateExternal, directory.StateNone, directory.StateLockedOut:
	}
	return password.Current
}
