// Package passkey is the step kind PASSKEY: a door beside the forms of a sign-on, for
// whoever has a passkey and needs to name nobody.
package passkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	webauthn "doorward/runtime/passkey"
)

// Passkeys offers passkeys and judges what authenticators say.
type Passkeys interface {
	// Discovers reports whether there are passkeys under the policy. It is read from memory.
	Discovers(env, policy string) bool
	// Discover is what a browser needs to offer the passkeys that it knows of; not ok:
	// there are none under the policy. It is read from memory.
	Discover(env, policy string, bytes []byte) (o webauthn.Options, ok bool, err error)
	CheckDiscovered(ctx context.Context, in mfa.Discovered) (mfa.Verdict, error)
}

// Users knows accounts.
type Users interface {
	// Account is as it stands now.
	Account(ctx context.Context, env, userID string) (Account, error)
}

// Account is whose passkey it is.
type Account struct {
	Subject    flow.Subject
	Disabled   bool          // they may not sign on, or are not there any more
	Locked     bool          // nobody signs on to it for now
	UnlockIn   time.Duration // of Locked, how long yet; 0: until an administrator unlocks
	MustChange bool          // the password is good for one sign-on only
	Unverified bool          // the address is yet to be verified
}

// The statuses that the door stands beside. Source: reference/flows.md 3.1.
const (
	anybody = "USERNAME_PASSWORD_REQUIRED"
	unnamed = "SIGN_ON_REQUIRED"
	bound   = "PASSWORD_REQUIRED"
)

// The results.
const (
	authenticated = "AUTHENTICATED"
	password      = "PASSWORD_REQUIRED" // the authenticator has not verified the person
	mustChange    = "MUST_CHANGE_PASSWORD"
	verification  = "VERIFICATION_REQUIRED"
)

// Kind is the step kind.
type Kind struct {
	passkeys Passkeys
	users    Users
}

// New makes the kind. Where passkeys is nil its door stays closed.
func New(passkeys Passkeys, users Users) *Kind { return &Kind{passkeys, users} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "PASSKEY",
		Doc:     "signs on whoever has a passkey, without asking who they are",
		Source:  "docs/decisions/0012-devices.md; reference/flows.md 5.2, 8.4",
		Results: []string{authenticated, password, mustChange, verification},
		Factors: flow.Possession,
		Actions: []flow.Action{
			flow.On("assertion.check", k.check).Opening(anybody, unnamed, bound).Labelled("passkey.submit", "Sign on with a passkey"),
		},
	}
}

// Told is what each result proves: an authenticator that has not verified the person
// proves that they have it, and nothing else.
func (*Kind) Told() []flow.StepResult {
	has := []flow.Taken{{Factors: flow.Possession, Authenticator: "device", AMR: "hwk"}}
	both := []flow.Taken{{Factors: flow.Possession | flow.Inherence, Authenticator: "device", AMR: "hwk"}}
	return []flow.StepResult{
		{Name: authenticated, Takes: both, Confirms: true},
		{Name: password, Takes: has, Confirms: true},
		{Name: mustChange, Takes: both, Confirms: true},
		{Name: verification, Takes: both, Confirms: true},
	}
}

// alone is the configuration of a node: whether to have the passkey is enough.
type alone bool

// Check takes {} or {"alone":true}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c struct {
		Alone bool `json:"alone"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("PASSKEY takes alone: %w", err)
		}
	}
	return alone(c.Alone), nil
}

// Enter has nothing to do: the kind is a door.
func (*Kind) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Outcome{}, errors.New("PASSKEY is entered by its action alone")
}

// Opens reports whether the environment's default policy has passkeys.
func (k *Kind) Opens(t *flow.Turn) bool {
	return k.passkeys != nil && k.passkeys.Discovers(t.Ref.Env, "")
}

func (k *Kind) discover(t *flow.Turn) (webauthn.Options, bool) {
	if k.passkeys == nil {
		return webauthn.Options{}, false
	}
	o, ok, err := k.passkeys.Discover(t.Ref.Env, "", t.Challenge())
	return o, ok && err == nil
}

// Show is what a browser needs to offer the passkeys that it knows of: as the
// documents write it, and as browsers take it. It is the same for everybody.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	o, ok := k.discover(t)
	if !ok {
		return flow.Show{}
	}
	return flow.Show{Members: []flow.Member{
		{Name: "publicKeyCredentialRequestOptions", JSON: o.VendorText()},
		{Name: "publicKeyCredentialRequestOptionsJSON", JSON: o.Standard},
	}}
}

type signed struct {
	Origin        string `json:"origin" required:"true" max:"2048" label:"assertion.origin.label=Origin"`
	Assertion     string `json:"assertion" required:"true" max:"16384" type:"credential" label:"assertion.assertion.label=Assertion"`
	Compatibility string `json:"compatibility" max:"32" label:"mfa.compatibility.label=What the browser can do"`
}

// check signs on whoever the passkey is of. Where the flow is somebody's already it
// takes no other one's.
func (k *Kind) check(ctx context.Context, t *flow.Turn, in signed) (flow.Outcome, error) {
	v, err := k.passkeys.CheckDiscovered(ctx, mfa.Discovered{
		Who: mfa.Who{
			Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(), Client: t.Client,
			Unproven: true,
		},
		Bytes: t.Challenge(), Origin: in.Origin, Assertion: in.Assertion,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("check passkey: %w", err))
	}
	out := flow.Reject(t.Status, refusal(v))
	if v.OK {
		if out, err = k.accepted(ctx, t, v); err != nil {
			return flow.Outcome{}, err
		}
	}
	for _, e := range v.Events {
		out = out.WithEvent(e)
	}
	return out, nil
}

func refusal(v mfa.Verdict) *flow.Fault {
	if v.Fault != nil {
		return v.Fault
	}
	return wrong("The passkey or security key was not accepted. Try it again, or use another way.")
}

func wrong(message string) *flow.Fault {
	return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "assertion", Message: message})
}

// accepted is where a right answer leads. One for nobody, for another user than the
// flow's, or for nothing that the person has, is refused here, whoever made it.
func (k *Kind) accepted(ctx context.Context, t *flow.Turn, v mfa.Verdict) (flow.Outcome, error) {
	p := v.Proof
	if p.Subject == "" || p.Subject != v.Device.UserID || t.User.ID != "" && p.Subject != t.User.ID || !p.Factors.Has(flow.Possession) || p.Authenticator == "" {
		return flow.Outcome{}, fmt.Errorf("passkey of user %q accepted for user %q", p.Subject, t.User.ID)
	}
	a, err := k.users.Account(ctx, t.Ref.Env, p.Subject)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read account: %w", err))
	case a.Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	case a.Subject.ID != p.Subject:
		return flow.Outcome{}, fmt.Errorf("account %q read for user %q", a.Subject.ID, p.Subject)
	case a.Locked:
		return flow.Reject(t.Status, flow.Invalid(flow.Locked("assertion", a.UnlockIn))).WithEvent(flow.PasswordLocked), nil
	case t.User.ID == "" && t.Person.Username != "" && !sameName(t.Person.Username, a.Subject.Username):
		return flow.Reject(t.Status, wrong("The sign-on is for another user. Reset the session to sign on as somebody else.")).WithEvent(flow.UsernameMismatch), nil
	}
	may, _ := t.Config.(alone)
	return flow.Result(result(a, p, bool(may))).WithUser(a.Subject).WithProof(p), nil
}

// result is by which outlet a right answer leaves. Who is asked for the password as
// well has the rest judged by that step.
func result(a Account, p flow.Proof, alone bool) string {
	switch {
	case p.Factors&(p.Factors-1) == 0 && !alone:
		return password
	case a.MustChange:
		return mustChange
	case a.Unverified:
		return verification
	}
	return authenticated
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }
