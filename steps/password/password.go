// Package password is the step kind PASSWORD: it asks for a password, and for
// the username too when nobody is named yet.
package password

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// Providers are the external identity providers of an environment.
type Providers interface {
	// Provider is one by its id, unless it is not there or switched off.
	Provider(env, id string) (flow.External, bool)
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
	Result     Result
	Subject    flow.Subject  // of Accepted
	State      State         // of Accepted
	Unverified bool          // of Accepted: the address is yet to be verified
	UnlockIn   time.Duration // of LockedOut, how long yet; 0: until an administrator unlocks
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

// State says whether a right password may be kept. Source: reference/flows.md 5.4.
type State uint8

// The states.
const (
	Current    State = iota
	Expired          // older than the password policy lets one become
	MustChange       // temporary: somebody else has set it
)

// The statuses. Source: reference/flows.md 3.1.
const (
	anybody = "USERNAME_PASSWORD_REQUIRED"
	bound   = "PASSWORD_REQUIRED"
	linking = "ACCOUNT_LINKING_REQUIRED" // whoever has signed on elsewhere says who they are here
)

// Kind is the step kind.
type Kind struct {
	passwords Passwords
	providers Providers
}

// New makes the kind. Without providers nobody is told which account they link.
func New(passwords Passwords, providers Providers) *Kind { return &Kind{passwords, providers} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	const name, key, label = "usernamePassword.check", "usernamePassword.check.submit", "Sign on"
	return flow.Meta{
		Name:    "PASSWORD",
		Doc:     "asks for the password, and for the username when nobody is named yet",
		Source:  "reference/flows.md 3.1, 4, 5.3",
		Results: []string{"AUTHENTICATED", "PASSWORD_EXPIRED", "MUST_CHANGE_PASSWORD", "VERIFICATION_REQUIRED"},
		Actions: []flow.Action{
			flow.On(name, k.check).In(anybody, linking).Labelled(key, label),
			flow.On(name, k.checkBound).In(bound).Labelled(key, label),
		},
		Factors: flow.Knowledge,
	}
}

// asked is the status that a node is configured with; empty: it follows from who is
// known.
type asked string

// Check takes {} or {"status":"ACCOUNT_LINKING_REQUIRED"}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Status asked `json:"status"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("PASSWORD takes a status: %w", err)
		}
	}
	if c.Status != "" && c.Status != linking {
		return nil, fmt.Errorf("PASSWORD takes the status %s, not %q", linking, string(c.Status))
	}
	return c.Status, nil
}

// Enter asks.
func (*Kind) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	if status, _ := t.Config.(asked); status != "" {
		return flow.Wait(string(status)), nil
	}
	if t.User.ID != "" || t.Person.Username != "" {
		return flow.Wait(bound), nil
	}
	return flow.Wait(anybody), nil
}

// Show names the provider whose account is to be linked.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	if t.Status != linking || k.providers == nil {
		return flow.Show{}
	}
	at, there := k.providers.Provider(t.Ref.Env, t.Foreign.Provider)
	if !there {
		return flow.Show{}
	}
	return flow.Show{External: &at}
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

// checkBound takes the password of the user the flow knows, or of the name that
// was typed before. Another username is an invalid value and no attempt: nothing
// is looked up and no failure counts. Case and spaces around a username do not
// make it another one, as they do not when nobody is named yet.
func (k *Kind) checkBound(ctx context.Context, t *flow.Turn, in secret) (flow.Outcome, error) {
	who, a := t.User.Username, Attempt{UserID: t.User.ID, Password: in.Password}
	if t.User.ID == "" {
		who, a.Username = t.Person.Username, t.Person.Username
	}
	if in.Username != "" && !strings.EqualFold(strings.TrimSpace(in.Username), strings.TrimSpace(who)) {
		return reject(t, flow.UsernameMismatch, flow.Detail{
			Code: flow.InvalidValue, Target: "username",
			Message: "The sign-on is for another user. Leave the username out, or reset the session to sign on as somebody else.",
		}), nil
	}
	return k.judge(ctx, t, a)
}

func (k *Kind) judge(ctx context.Context, t *flow.Turn, a Attempt) (flow.Outcome, error) {
	a.Env, a.Effect, a.RemoteIP = t.Ref.Env, t.Effect(), t.Client.RemoteIP
	v, err := k.passwords.Check(ctx, a)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check password: %w", err))
	}
	switch v.Result {
	case Accepted:
		return accepted(t, v)
	case Refused:
		return reject(t, flow.PasswordRefused, flow.Detail{
			Code: flow.InvalidCredentials, Target: "password",
			Message: "Incorrect username or password. Please try again.",
		}), nil
	case LockedOut:
		return reject(t, flow.PasswordLocked, flow.Locked("password", v.UnlockIn)), nil
	case Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	}
	return flow.Outcome{}, fmt.Errorf("password check with result %d", v.Result)
}

// reject goes on waiting in the same status.
func reject(t *flow.Turn, e flow.EventType, d flow.Detail) flow.Outcome {
	return flow.Reject(t.Status, flow.Invalid(d)).WithEvent(e)
}

// accepted makes the proof, also where the password has to be changed or the
// address verified before the person goes on. A store that accepts a password for
// nobody, or for another user than the one the flow is bound to, is refused here.
func accepted(t *flow.Turn, v Verdict) (flow.Outcome, error) {
	u := v.Subject
	if u.ID == "" || t.User.ID != "" && u.ID != t.User.ID {
		return flow.Outcome{}, fmt.Errorf("password of user %q accepted for user %q", u.ID, t.User.ID)
	}
	result := "AUTHENTICATED"
	switch {
	case v.State == Expired:
		result = "PASSWORD_EXPIRED"
	case v.State == MustChange:
		result = "MUST_CHANGE_PASSWORD"
	case v.Unverified:
		result = "VERIFICATION_REQUIRED"
	}
	return flow.Result(result).WithUser(u).WithProof(flow.PasswordProof(u.ID, t.Now)).WithEvent(flow.PasswordAccepted), nil
}
