package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
	"doorward/runtime/invoke"
	"doorward/steps/external"
	"doorward/steps/userpatch"
)

// providerTimeout is how long one call of an identity provider may take; a sign-on there
// takes three at most.
const providerTimeout = 3 * time.Second

// providerClient asks the identity providers of an environment, each at its own origins
// and trusted as external services are.
func providerClient(out *invoke.Invoker, authorities *authorities) func(env string, p federation.Provider) *http.Client {
	return func(env string, p federation.Provider) *http.Client {
		target := invoke.Target{Env: env, Name: "identityProvider/" + p.ID, Timeout: providerTimeout, TLS: authorities.tls()}
		for _, at := range []string{p.TokenEndpoint, p.JWKSEndpoint, p.UserInfoEndpoint} {
			if u, err := url.Parse(at); err == nil && at != "" && !slices.Contains(target.Origins, u.Scheme+"://"+u.Host) {
				target.Origins = append(target.Origins, u.Scheme+"://"+u.Host)
			}
		}
		return out.HTTP(target)
	}
}

// identityProviders fills external.Providers.
type identityProviders struct {
	registry func() *configs.Registry
	client   *federation.Client
	log      *slog.Logger
}

func (c identityProviders) find(env, id string) (*configs.Bundle, federation.Provider, bool) {
	b, ok := c.registry().Bundle(env)
	if !ok {
		return nil, federation.Provider{}, false
	}
	p, ok := b.IdentityProvider(id)
	return b, p, ok && p.Enabled
}

func (c identityProviders) Provider(env, id string) (flow.External, bool) {
	_, p, ok := c.find(env, id)
	return flow.External{Provider: p.ID, Name: p.Name, Type: p.Type}, ok
}

func (c identityProviders) Exchange(ctx context.Context, a external.Answer) (external.Identity, error) {
	b, p, ok := c.find(a.Env, a.Provider)
	if !ok {
		return external.Identity{}, fmt.Errorf("%w: the provider is gone", external.ErrRefused)
	}
	in := federation.Answer{
		Code: a.Code, Issuer: a.Issuer, Leg: federation.NewLeg(a.Flow, p.ID, a.Challenge), RedirectURI: b.Environment().ProviderCallbackURL(), Since: a.Since,
	}
	who, err := c.client.Exchange(ctx, a.Env, p, in)
	var no *federation.Refusal
	if errors.As(err, &no) {
		c.log.WarnContext(ctx, "a sign-on at an identity provider came to nothing", "environment", a.Env, "provider", p.ID, "flow", a.Flow, "reason", no.Reason, "error", no.Error())
		return external.Identity{}, fmt.Errorf("%w: %s", external.ErrRefused, no.Reason)
	}
	return external.Identity(who), err
}

// externalAccounts fills external.Accounts and link.Links.
type externalAccounts struct {
	catalogue
	links *directory.Links
}

func (c externalAccounts) Elsewhere(ctx context.Context, env, user string, providers []string) (string, error) {
	who, err := c.links.SignOn(ctx, env, user)
	switch {
	case errors.Is(err, flow.ErrUnknown), err == nil && who.HasPassword:
		return "", nil
	case err != nil:
		return "", err
	}
	list, err := c.links.Of(ctx, env, user)
	for _, a := range list {
		if slices.Contains(providers, a.Provider) {
			return a.Provider, nil
		}
	}
	return "", err
}

func (c externalAccounts) SignOn(ctx context.Context, a external.Arrival) (external.Standing, error) {
	user, err := c.links.Find(ctx, a.Env, a.Provider, a.Identity.ID)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return c.create(ctx, a)
	case err != nil:
		return external.Standing{}, err
	case a.User != "" && a.User != user:
		return external.Standing{}, nil
	}
	if err := c.update(ctx, a, user); err != nil {
		return external.Standing{}, err
	}
	return c.standing(ctx, a.Env, user)
}

func (c externalAccounts) standing(ctx context.Context, env, user string) (external.Standing, error) {
	s, err := c.links.SignOn(ctx, env, user)
	if err != nil {
		return external.Standing{}, err
	}
	return external.Standing{Subject: s.Subject, Disabled: !s.Enabled, Locked: s.Locked, Barred: s.Locked && !s.PasswordOnly, UnlockIn: s.UnlockIn, Unverified: s.Unverified}, nil
}

// create makes an account where the action or the provider lets it, and nobody is known
// whose it would have to be. One whose name or address is somebody's is not made: whose
// it is shows by a proof.
func (c externalAccounts) create(ctx context.Context, a external.Arrival) (external.Standing, error) {
	if a.User != "" {
		return external.Standing{}, nil
	}
	b, err := c.bundle(a.Env)
	if err != nil {
		return external.Standing{}, err
	}
	p, ok := b.IdentityProvider(a.Provider)
	if !ok || !a.Registers && p.Population == "" {
		return external.Standing{}, nil
	}
	in := a.Population
	if in == "" {
		in = p.Population
	}
	if taken, err := c.taken(ctx, a.Env, a.Identity.Attributes["email"], ""); taken || err != nil {
		return external.Standing{}, err
	}
	population, ok := b.Population(in)
	if !ok {
		return external.Standing{}, errors.New("the population that users are created in is gone")
	}
	who, made, err := c.links.Create(ctx, directory.NewLinked{
		Env: a.Env, Population: population.ID, Provider: a.Provider, ExternalID: a.Identity.ID, Attributes: believed(a.Identity),
		EmailVerified: a.Identity.EmailVerified, Locales: a.Locales, MFAEnabled: b.MFASettings().MFAEnabledByDefault, Effect: a.Effect,
	})
	switch {
	case errors.Is(err, directory.ErrLinked): // by the same person, in another tab
		user, err := c.links.Find(ctx, a.Env, a.Provider, a.Identity.ID)
		if err != nil {
			return external.Standing{}, err
		}
		return c.standing(ctx, a.Env, user)
	case err != nil || !made:
		return external.Standing{}, err
	}
	out, err := c.standing(ctx, a.Env, who.ID)
	out.Created = true
	return out, err
}

// taken reports whether an address is somebody's here, other than the user's of the id.
func (c externalAccounts) taken(ctx context.Context, env, email, user string) (bool, error) {
	if !isEmail(email) {
		return false, nil
	}
	return c.users.EmailTaken(ctx, env, email, user)
}

// believed is what a provider says of somebody, without an address that it has not
// verified: that would keep its owner from having it here.
func believed(who external.Identity) flow.Attributes {
	out := maps.Clone(who.Attributes)
	if !who.EmailVerified {
		delete(out, "email")
	}
	return out
}

// update gives a user what the provider says: of attributes that are to be set once,
// those that the user does not have. An address that is somebody else's stays theirs.
func (c externalAccounts) update(ctx context.Context, a external.Arrival, user string) error {
	u, err := c.users.Get(ctx, a.Env, user)
	if err != nil {
		return err
	}
	has, err := userAttributes(u)
	if err != nil {
		return err
	}
	next := believed(a.Identity)
	maps.DeleteFunc(next, func(name, value string) bool {
		there := attributeOf(has, name)
		return there == value || there != nil && !slices.Contains(a.Identity.Always, name)
	})
	if taken, err := c.taken(ctx, a.Env, next["email"], user); err != nil {
		return err
	} else if taken {
		delete(next, "email")
	}
	for _, name := range slices.Sorted(maps.Keys(next)) { // one that cannot be is no reason to keep the person out
		if _, err := (userPatches{c.catalogue}).Patch(ctx, userpatch.Patch{Env: a.Env, UserID: user, Attributes: flow.Attributes{name: next[name]}}); err != nil {
			return err
		}
	}
	return nil
}

// attributeOf is what a user has under a dotted name; nil: nothing.
func attributeOf(user map[string]any, name string) any {
	outer, inner, dotted := strings.Cut(name, ".")
	if !dotted {
		return user[name]
	}
	inside, _ := user[outer].(map[string]any)
	return attributeOf(inside, inner)
}

func (c externalAccounts) Link(ctx context.Context, env, user string, a flow.ForeignAccount) (bool, error) {
	p, _ := c.providers.Provider(env, a.Provider)
	_, err := c.links.Add(ctx, directory.NewLink{Env: env, UserID: user, Provider: a.Provider, ProviderName: p.Name, ExternalID: a.ID})
	if !errors.Is(err, directory.ErrLinked) {
		c.wake()
		return err == nil, err
	}
	whose, err := c.links.Find(ctx, env, a.Provider, a.ID)
	return err == nil && whose == user, err
}
