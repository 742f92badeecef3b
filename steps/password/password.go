// Package password is the step kind PASSWORD: it asks for a password, and for
// the username too when nobody is known yet.
package password

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// Passwords checks passwords. A Check does the same work for a username that
// exists, one that does not, and one that is locked; an error says that it could
// not be done.
type Passwords interface {
	Check(ctx context.Context, a Attempt) (Verdict, error)
}

// Attempt is one password for one user: UserID when the flow knows who signs on,
// Username when somebody typed it.
type Attempt struct {
	Env      string
	UserID   string
	Username string
	Password string
	Effect   string // flow.Turn.Effect: the same attempt is counted once
	RemoteIP netip.Addr
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result   Result
	Subject  flow.Subject  // of Accepted
	UnlockIn time.Duration // of LockedOut, how long yet
}

// Result is one of the four ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Accepted  Result = iota + 1
	Refused          // wrong password, or no such user
	LockedOut        // too many wrong ones; this one was not looked at
	Disabled         // right password of a user who may not sign on
)

// The statuses. Source: reference/flows.md 3.1.
const (
	anybody = "USERNAME_PASSWORD_REQUIRED"
	bound   = "PASSWORD_REQUIRED"
)

// Kind is the step kind.
type Kind struct{ passwords Passwords }

// New makes the kind.
func New(passwords Passwords) *Kind { return &Kind{passwords} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	const name, key, label = "usernamePassword.check", "usernamePassword.check.submit", "Sign on"
	return flow.Meta{
		Name:    "PASSWORD",
		Doc:     "asks for the password, and for the username when nobody is known yet",
		Source:  "reference/flows.md 3.1, 4, 5.3",
		Results: []string{"AUTHENTICATED"},
		Actions: []flow.Action{
			flow.On(name, k.check).In(anybody).Labelled(key, label),
			flow.On(name, k.checkBound).In(bound).Labelled(key, label),
		},
		Factors: flow.Knowledge,
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	if len(config) > 0 && string(config) != "{}" {
		return nil, errors.New("PASSWORD takes no configuration")
	}
	return nil, nil
}

// Enter asks.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	if t.User.ID != "" {
		return flow.Wait(bound), nil
	}
	return flow.Wait(anybody), nil
}

type credentials struct {
	Username string `json:"username" required:"true" max:"128" autocomplete:"username" label:"username.label=Username"`
	Password string `json:"password" required:"true" max:"255" type:"password" autocomplete:"current-password" label:"password.label=Password"`
}

func (k *Kind) check(ctx context.Context, t *flow.Turn, in credentials) (flow.Outcome, error) {
	return k.judge(ctx, t, Attempt{Username: in.Username, Password: in.Password})
}

type secret struct {
	Username string `json:"username" max:"128" autocomplete:"username" label:"username.label=Username"`
	Password string `json:"password" required:"true" max:"255" type:"password" autocomplete:"current-password" label:"password.label=Password"`
}

// checkBound takes the password of the user the flow knows. Another username is
// an invalid value and no attempt: nothing is looked up and no failure counts.
// Case and spaces around a username do not make it another one, as they do not
// when nobody is known yet.
func (k *Kind) checkBound(ctx context.Context, t *flow.Turn, in secret) (flow.Outcome, error) {
	if in.Username != "" && !strings.EqualFold(strings.TrimSpace(in.Username), t.User.Username) {
		return reject(t, flow.UsernameMismatch, flow.Detail{
			Code: flow.InvalidValue, Target: "username",
			Message: "The sign-on is for another user. Leave the username out, or reset the session to sign on as somebody else.",
		}), nil
	}
	return k.judge(ctx, t, Attempt{UserID: t.User.ID, Password: in.Password})
}

func (k *Kind) judge(ctx context.Context, t *flow.Turn, a Attempt) (flow.Outcome, error) {
	a.Env, a.Effect, a.RemoteIP = t.Ref.Env, t.Effect(), t.Client.RemoteIP
	v, err := k.passwords.Check(ctx, a)
	if err != nil {
		return flow.Outcome{}, flow.Busy(fmt.Errorf("check password: %w", err))
	}
	switch v.Result {
	case Accepted:
		return accepted(t, v.Subject)
	case Refused:
		return reject(t, flow.PasswordRefused, flow.Detail{
			Code: flow.InvalidCredentials, Target: "password",
			Message: "Incorrect username or password. Please try again.",
		}), nil
	case LockedOut:
		return reject(t, flow.PasswordLocked, flow.Detail{
			Code: flow.PasswordLockedOut, Target: "password",
			Message: "Too many wrong passwords. Wait until the lock ends, then try again.",
			Inner:   map[string]any{"secondsUntilUnlock": int(math.Ceil(v.UnlockIn.Seconds()))},
		}), nil
	case Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	}
	return flow.Outcome{}, fmt.Errorf("password check with result %d", v.Result)
}

// reject goes on waiting in the same status.
func reject(t *flow.Turn, e flow.EventType, d flow.Detail) flow.Outcome {
	return flow.Reject(t.Status, flow.Invalid(d)).WithEvent(e)
}

// accepted makes the proof. A store that accepts a password for nobody, or for
// another user than the one the flow is bound to, is refused here.
func accepted(t *flow.Turn, u flow.Subject) (flow.Outcome, error) {
	if u.ID == "" || t.User.ID != "" && u.ID != t.User.ID {
		return flow.Outcome{}, fmt.Errorf("password of user %q accepted for user %q", u.ID, t.User.ID)
	}
	return flow.Result("AUTHENTICATED").WithUser(u).WithProof(flow.Proof{
		Subject: u.ID, Factors: flow.Knowledge, Method: "pwd", AMR: "pwd",
		Authenticator: "password", At: t.Now, Origin: flow.FromFlow,
	}).WithEvent(flow.PasswordAccepted), nil
}
