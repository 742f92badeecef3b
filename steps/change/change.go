// Package change is the step kind CHANGE: whoever has just given a password that
// has expired, or was only lent, sets a new one, and so does who wants another.
package change

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// Passwords changes passwords. An error says that it could not be done.
type Passwords interface {
	Change(ctx context.Context, a Attempt) (Verdict, error)
}

// Attempt is the present password with the one to be set.
type Attempt struct {
	Env      string
	UserID   string
	Current  string
	Password string
	Effect   string    // flow.Turn.Effect: the same attempt counts once
	At       time.Time // what was proven before no longer counts
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result      Result
	Subject     flow.Subject  // of Changed
	Unverified  bool          // of Changed: the address is yet to be verified
	Unsatisfied []string      // of Unsatisfying: the rules that the password breaks
	UnlockIn    time.Duration // of LockedOut, how long yet; 0: until an administrator unlocks
}

// Result is one of the ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Changed       Result = iota + 1
	WrongPassword        // the present one is another
	LockedOut            // too many wrong ones; this one was not looked at
	Unsatisfying         // the new password breaks rules, nothing was changed
	TooYoung             // the password may not be changed so soon again
	NotAllowed           // the user may not sign on, or has no password here
)

// Kind is the step kind.
type Kind struct{ passwords Passwords }

// New makes the kind.
func New(passwords Passwords) *Kind { return &Kind{passwords} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "CHANGE",
		Doc:     "asks for a new password in place of one that has expired, was temporary, or is not wanted any more",
		Source:  "reference/flows.md 3.1, 4, 5.2",
		Results: []string{"CHANGED", "VERIFICATION_REQUIRED"},
		Actions: []flow.Action{
			flow.On("password.reset", k.change).In(statuses()...).Labelled("password.reset.submit", "Change password"),
		},
		Factors: flow.Knowledge,
	}
}

// statuses are those that the kind waits in. The last one is ours: the person wants
// another password. Source: reference/flows.md 3.1.
func statuses() []string {
	return []string{"PASSWORD_EXPIRED", "MUST_CHANGE_PASSWORD", "PASSWORD_CHANGE_REQUIRED"}
}

// reason is the configuration of a node: the status that says why.
type reason string

// Check takes {"status":"..."} with one of the statuses.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Status string `json:"status"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("CHANGE takes a status: %w", err)
		}
	}
	for _, s := range statuses() {
		if s == c.Status {
			return reason(s), nil
		}
	}
	return nil, fmt.Errorf("CHANGE takes one of the statuses %q, not %q", statuses(), c.Status)
}

// Enter asks.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	why, ok := t.Config.(reason)
	if !ok || t.User.ID == "" {
		return flow.Outcome{}, errors.New("CHANGE is entered for nobody, or for no reason")
	}
	return flow.Wait(string(why)), nil
}

type passwords struct {
	Current  string `json:"currentPassword" required:"true" max:"255" type:"password" autocomplete:"current-password" label:"change.currentPassword.label=Current password"`
	Password string `json:"newPassword" required:"true" max:"255" type:"password" autocomplete:"new-password" label:"change.newPassword.label=New password"`
}

func (k *Kind) change(ctx context.Context, t *flow.Turn, in passwords) (flow.Outcome, error) {
	v, err := k.passwords.Change(ctx, Attempt{
		Env: t.Ref.Env, UserID: t.User.ID, Current: in.Current, Password: in.Password, Effect: t.Effect(), At: t.Now,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("change password: %w", err))
	}
	switch v.Result {
	case Changed:
		return changed(t, v)
	case WrongPassword:
		return reject(t, flow.ChangeRefused, flow.Detail{
			Code: flow.InvalidValue, Target: "currentPassword", Message: "This is not the current password. Please try again.",
		}), nil
	case LockedOut:
		return reject(t, flow.PasswordLocked, flow.Locked("currentPassword", v.UnlockIn)), nil
	case Unsatisfying:
		return reject(t, flow.ChangeRefused, flow.Unsatisfied("newPassword", v.Unsatisfied)), nil
	case TooYoung:
		return reject(t, flow.ChangeRefused, flow.Detail{
			Code: flow.ConstraintViolation, Target: "newPassword",
			Message: "The password was changed a short time ago and cannot be changed again yet. Wait, or ask your administrator.",
		}), nil
	case NotAllowed:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	}
	return flow.Outcome{}, fmt.Errorf("password change with result %d", v.Result)
}

// reject goes on waiting in the same status.
func reject(t *flow.Turn, e flow.EventType, d flow.Detail) flow.Outcome {
	return flow.Reject(t.Status, flow.Invalid(d)).WithEvent(e)
}

// changed makes a new proof. The one of the password that brought the person
// here is older than the change, and counts no more.
func changed(t *flow.Turn, v Verdict) (flow.Outcome, error) {
	if v.Subject.ID == "" || v.Subject.ID != t.User.ID {
		return flow.Outcome{}, fmt.Errorf("password of user %q changed for user %q", v.Subject.ID, t.User.ID)
	}
	result := "CHANGED"
	if v.Unverified {
		result = "VERIFICATION_REQUIRED"
	}
	return flow.Result(result).WithUser(v.Subject).WithProof(flow.PasswordProof(v.Subject.ID, t.Now)).WithEvent(flow.PasswordChanged), nil
}
