// Package external is the step kind EXTERNAL: it has somebody sign on at the identity
// provider that a discovery rule names, and takes what that provider says of them.
package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"doorward/runtime/flow"
)

// Providers are the external identity providers of an environment.
type Providers interface {
	// Provider describes one that people may sign on at; false: there is none.
	Provider(env, id string) (flow.External, bool)
	// Exchange asks the provider who has signed on. The error is ErrRefused when what
	// came, or what the provider says of it, is no good.
	Exchange(ctx context.Context, a Answer) (Identity, error)
}

// ErrRefused says that a sign-on elsewhere came to nothing. The reason is logged by
// whoever returns it.
var ErrRefused = errors.New("the sign-on at the provider came to nothing")

// Answer is what a provider sent the browser back with.
type Answer struct {
	Env, Provider string
	Flow          string // execution id
	Challenge     [32]byte
	Code          string
	Issuer        string    // empty: it did not say
	Since         time.Time // of the sign-on there, at the earliest; zero: any time
}

// Identity is who has signed on there.
type Identity struct {
	ID            string          // by which the provider knows the account
	Attributes    flow.Attributes // of a user here, as far as it tells
	Always        []string        // those that hold whatever a user has already
	EmailVerified bool
}

// Accounts are the users that accounts elsewhere belong to.
type Accounts interface {
	// Elsewhere is the provider, one of those given, at which a user of ours without a
	// password signs on; empty: there is none.
	Elsewhere(ctx context.Context, env, user string, providers []string) (string, error)
	// SignOn finds the user that an account belongs to, brings their attributes up to
	// date, and makes one where Arrival or the provider lets it, nobody is known yet, and
	// nobody has the name or the address. For another than Arrival.User it changes nothing.
	SignOn(ctx context.Context, a Arrival) (Standing, error)
}

// Arrival is somebody who has signed on elsewhere.
type Arrival struct {
	Env, Provider string
	Identity      Identity
	User          string // the execution's, which wants nobody else; empty: it has none yet
	Registers     bool   // the action makes accounts
	Population    string // that they are made in; empty: the provider's own, or the default one
	Locales       string // flow.Turn.Locales
	Effect        string // flow.Turn.Effect: the same request makes one account
}

// Standing is how the user is to be treated. Without a Subject the account is nobody's.
type Standing struct {
	Subject  flow.Subject
	Created  bool
	Disabled bool
	Locked   bool
	Barred   bool          // of Locked: by an administrator, and not by wrong passwords alone
	UnlockIn time.Duration // of Locked, how long yet; 0: until an administrator unlocks
	// Unverified says that the address is yet to be verified.
	Unverified bool
}

// required is the status in which the kind waits. Source: reference/flows.md 3.1.
const required = "EXTERNAL_AUTHENTICATION_REQUIRED"

// Kind is the step kind.
type Kind struct {
	providers Providers
	accounts  Accounts
}

// New makes the kind.
func New(providers Providers, accounts Accounts) *Kind { return &Kind{providers, accounts} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "EXTERNAL",
		Doc:     "sends to an external identity provider whomever a discovery rule names",
		Source:  "reference/flows.md 3.1, 9; reference/management.md 4.3",
		Results: []string{"LOCAL", "AUTHENTICATED", "VERIFICATION_REQUIRED", "UNLINKED"},
		Actions: []flow.Action{flow.On(flow.CallbackAction, k.answered).In(required)},
		Factors: flow.Knowledge,
	}
}

// state is what a node keeps: the provider that it waits for.
type state struct{ Provider string }

// Enter sends on who is to sign on elsewhere, and lets pass everybody else. The rules
// are asked for all names alike: asking them only for names that are nobody's, as
// documented, would tell which those are.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	c, _ := t.Config.(config)
	at := c.matches(t.Person.Username)
	if t.User.ID != "" {
		var err error
		if at, err = k.accounts.Elsewhere(ctx, t.Ref.Env, t.User.ID, c.providers()); err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("find where the user signs on: %w", err))
		}
	}
	if _, there := k.providers.Provider(t.Ref.Env, at); at == "" || !there {
		return flow.Result("LOCAL"), nil
	}
	if err := t.Keep(state{at}); err != nil {
		return flow.Outcome{}, err
	}
	return flow.Wait(required), nil
}

// Show tells where to sign on.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	s, err := flow.State[state](t)
	at, there := k.providers.Provider(t.Ref.Env, s.Provider)
	if err != nil || !there || t.Status != required {
		return flow.Show{}
	}
	at.LoginHint = t.Person.Username
	if t.User.ID != "" {
		at.LoginHint = t.User.Username
	}
	copy(at.Challenge[:], t.Challenge())
	return flow.Show{External: &at}
}

type answer struct {
	Code   string `json:"code" max:"2048"`
	Issuer string `json:"iss" max:"2048"`
	Error  string `json:"error" max:"255"`
	Since  string `json:"since" max:"20"` // of the sign-on there, in seconds since 1970
}

// answered judges what the browser came back with. What is no good leaves the person
// where they were, to try again.
func (k *Kind) answered(ctx context.Context, t *flow.Turn, in answer) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if in.Error != "" || in.Code == "" {
		return refused(t), nil
	}
	if !flow.CallTime(ctx) {
		return flow.Outcome{}, flow.Busy(errors.New("too little time is left to ask the provider"))
	}
	a := Answer{Env: t.Ref.Env, Provider: s.Provider, Flow: t.Ref.ID, Code: in.Code, Issuer: in.Issuer}
	copy(a.Challenge[:], t.Challenge())
	if since, err := strconv.ParseInt(in.Since, 10, 64); err == nil {
		a.Since = time.Unix(since, 0)
	}
	who, err := k.providers.Exchange(ctx, a)
	switch {
	case errors.Is(err, ErrRefused):
		return refused(t), nil
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("ask the provider: %w", err))
	}
	return k.arrived(ctx, t, s.Provider, who)
}

// refused goes on waiting.
func refused(t *flow.Turn) flow.Outcome {
	const message = "The sign-on there was not completed. Try again, or start again to sign on in another way."
	return flow.Reject(t.Status, &flow.Fault{
		Code: flow.RequestFailed, Message: message, Details: []flow.Detail{{Code: flow.ExternalFailed, Message: message}},
	}).WithEvent(flow.ExternalRefused)
}

func (k *Kind) arrived(ctx context.Context, t *flow.Turn, provider string, who Identity) (flow.Outcome, error) {
	c, _ := t.Config.(config)
	user, err := k.accounts.SignOn(ctx, Arrival{
		Env: t.Ref.Env, Provider: provider, Identity: who, Locales: t.Locales, Effect: t.Effect(),
		User: t.User.ID, Registers: c.Registers, Population: c.Population,
	})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("find the user of the account: %w", err))
	}
	switch {
	case t.User.ID != "" && user.Subject.ID != t.User.ID: // another account, or one of nobody
		return refused(t), nil
	case user.Subject.ID == "":
		return flow.Result("UNLINKED").WithForeign(flow.ForeignAccount{Provider: provider, ID: who.ID}).WithEvent(flow.ExternalUnknown), nil
	case user.Disabled:
		return flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled), nil
	case user.Locked && (user.Barred || c.EnforceLockout):
		d := flow.Locked("", user.UnlockIn)
		return flow.FailWith(flow.Failure{Code: d.Code, Message: d.Message, Details: []flow.Detail{d}}).WithEvent(flow.PasswordLocked), nil
	}
	result := "AUTHENTICATED"
	if user.Unverified {
		result = "VERIFICATION_REQUIRED"
	}
	out := flow.Result(result).WithUser(user.Subject).WithProof(flow.ExternalProof(user.Subject.ID, provider)).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted)
	if user.Created {
		out = out.WithEvent(flow.UserRegistered).WithEvent(flow.AccountLinked)
	}
	return out, nil
}

// Check takes {"rules":[{"contains":"<text>","provider":"<id>"}],"registers":true,
// "population":"<id>","enforceLockout":true}; anything may be left out. The error says
// which member is another or of another type.
func (*Kind) Check(raw json.RawMessage) (any, error) { return read(raw) }
