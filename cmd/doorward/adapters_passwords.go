package main

import (
	"context"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/steps/passwordcheck"
	"doorward/steps/passwordrecover"
	"doorward/steps/passwordreset"
	"doorward/steps/recoverysend"
)

// passwordChecks fills passwordcheck.Passwords.
type passwordChecks struct{ catalogue }

func (c passwordChecks) Check(ctx context.Context, a passwordcheck.Attempt) (passwordcheck.Verdict, error) {
	in := directory.Check{Env: a.Env, UserID: c.of(a.Env, a.Account), Password: a.Password, Effect: a.Effect}
	if a.RemoteIP.IsValid() {
		in.RemoteIP = a.RemoteIP.String()
	}
	v, err := c.passwords.Check(ctx, in)
	if err != nil {
		return passwordcheck.Verdict{}, err
	}
	out := passwordcheck.Verdict{UnlockIn: v.UnlockIn, Unverified: v.Unverified}
	switch v.Result {
	case directory.Accepted:
		out.Result, out.Subject = passwordcheck.Accepted, v.Subject
		out.State, err = c.state(ctx, a.Env, v.Subject)
		out.State.Status = string(v.State)
	case directory.LockedOut:
		out.Result = passwordcheck.LockedOut
	case directory.Disabled:
		out.Result = passwordcheck.Disabled
	case directory.Refused:
		out.Result = passwordcheck.Refused
	}
	return out, err
}

// soon is how long before a password expires that is told.
// Source: reference/management.md 5.4.
const soon = 21 * 24 * time.Hour

// state is how a user's password stands.
func (c catalogue) state(ctx context.Context, env string, u flow.Subject) (flow.PasswordState, error) {
	b, err := c.bundle(env)
	if err != nil {
		return flow.PasswordState{}, err
	}
	s, err := c.passwords.State(ctx, env, u.ID)
	if err != nil {
		return flow.PasswordState{}, err
	}
	policy := b.PasswordPolicy(u.Population)
	out := flow.PasswordState{User: u.ID, Policy: policy.ID, Status: string(s.State), ChangedAt: s.ChangedAt}
	if end := s.ChangedAt.Add(policy.MaxAge); policy.MaxAge > 0 && !s.ChangedAt.IsZero() && end.Sub(c.now()) < soon {
		out.ExpiresAt = end
	}
	return out, nil
}

// passwordResets fills passwordreset.Passwords.
type passwordResets struct{ catalogue }

func (c passwordResets) Reset(ctx context.Context, a passwordreset.Attempt) (passwordreset.Verdict, error) {
	defer c.wake()
	r, err := c.accounts.ChangePassword(ctx, directory.Change{
		Env: a.Env, UserID: c.of(a.Env, a.Account), Current: a.Current, Password: a.Password, Effect: a.Effect, At: a.At,
	})
	if err != nil {
		return passwordreset.Verdict{}, err
	}
	out := passwordreset.Verdict{Unverified: r.Unverified, Unsatisfied: r.Unsatisfied, UnlockIn: r.UnlockIn}
	switch r.Result {
	case directory.Done:
		out.Result, out.Subject = passwordreset.Changed, r.Subject
		out.State, err = c.state(ctx, a.Env, r.Subject)
	case directory.WrongPassword:
		out.Result = passwordreset.WrongPassword
	case directory.Locked:
		out.Result = passwordreset.LockedOut
	case directory.Unsatisfying:
		out.Result = passwordreset.Unsatisfying
	case directory.TooYoung:
		out.Result = passwordreset.TooYoung
	case directory.NotAllowed:
		out.Result = passwordreset.NotAllowed
	case directory.WrongCode: // none is asked for; the zero Result is refused
	}
	return out, err
}

// recoveryMails fills recoverysend.Recoveries.
type recoveryMails struct{ catalogue }

func (c recoveryMails) Send(ctx context.Context, r recoverysend.Request) error {
	defer c.wake()
	_, err := c.accounts.StartRecovery(ctx, directory.Recovery{
		Env: r.Env, UserID: c.of(r.Env, r.Account), Locales: r.Locales, Flow: r.Flow, Effect: r.Effect,
	})
	return err
}

func (c recoveryMails) State(ctx context.Context, env, userID string) (flow.PasswordState, error) {
	u, err := c.users.Get(ctx, env, userID)
	if err != nil {
		return flow.PasswordState{}, err
	}
	return c.state(ctx, env, u.Subject())
}

// passwordRecoveries fills passwordrecover.Recoveries.
type passwordRecoveries struct{ catalogue }

// Recover takes a right code of somebody who may not recover any more for a wrong
// one.
func (c passwordRecoveries) Recover(ctx context.Context, a passwordrecover.Attempt) (passwordrecover.Verdict, error) {
	defer c.wake()
	r, err := c.accounts.Recover(ctx, directory.Recovering{
		Env: a.Env, UserID: c.of(a.Env, a.Account), Code: a.Code, Password: a.Password, Effect: a.Effect, At: a.At,
	})
	if err != nil {
		return passwordrecover.Verdict{}, err
	}
	out := passwordrecover.Verdict{Unsatisfied: r.Unsatisfied}
	switch r.Result {
	case directory.Done:
		out.Result, out.Subject, out.Address = passwordrecover.Recovered, r.Subject, r.Address
		out.State, err = c.state(ctx, a.Env, r.Subject)
		return out, err
	case directory.Unsatisfying:
		out.Result = passwordrecover.Unsatisfying
	case directory.TooYoung:
		out.Result = passwordrecover.TooYoung
	case directory.WrongCode, directory.NotAllowed, directory.Locked:
		out.Result = passwordrecover.WrongCode
	case directory.WrongPassword: // none is asked for; the zero Result is refused
	}
	return out, nil
}
