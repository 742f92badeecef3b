package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/oidc"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/runtime/passwordpolicy"
	"doorward/steps/password"
	"doorward/wire"
)

// The adapters fill an interface that one package declares with what another
// one offers. They translate words and decide nothing.

// passwordVerdicts gives the step PASSWORD the directory's verdicts.
type passwordVerdicts struct{ directory *directory.Passwords }

func (p passwordVerdicts) Check(ctx context.Context, a password.Attempt) (password.Verdict, error) {
	in := directory.Check{Env: a.Env, UserID: a.UserID, Username: a.Username, Password: a.Password, Effect: a.Effect}
	if a.RemoteIP.IsValid() {
		in.RemoteIP = a.RemoteIP.String()
	}
	v, err := p.directory.Check(ctx, in)
	if err != nil {
		return password.Verdict{}, err
	}
	out := password.Verdict{Subject: v.Subject, State: stateOf(v.State), Unverified: v.Unverified, UnlockIn: v.UnlockIn}
	switch v.Result {
	case directory.Accepted:
		out.Result = password.Accepted
	case directory.LockedOut:
		out.Result = password.LockedOut
	case directory.Disabled:
		out.Result = password.Disabled
	case directory.Refused:
		out.Result = password.Refused
	}
	return out, nil
}

// passwordPolicies reads a population's password policy live.
func passwordPolicies(r *configs.Registry) directory.Policies {
	return func(env, population string) passwordpolicy.Policy {
		b, ok := r.Bundle(env)
		if !ok { // unknown: the answer is no
			var none passwordpolicy.Policy
			none.MinLength, none.Lockout.Failures, none.Lockout.Duration = math.MaxInt32, 1, time.Hour
			return none
		}
		return b.PasswordPolicy(population)
	}
}

// userFacts answers conditions about a user.
// Source: reference/management.md 4.4, Variables.
type userFacts struct{ users *directory.Users }

func (f userFacts) Facts(ctx context.Context, env, id string) (map[string]any, error) {
	u, err := f.users.Get(ctx, env, id)
	if errors.Is(err, flow.ErrUnknown) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, err
	}
	facts := map[string]any{
		"id": u.ID, "username": u.Username, "email": u.Email, "emailVerified": u.EmailVerified,
		"enabled": u.Enabled, "type": u.Type, "locale": u.Locale, "population.id": u.Population,
		"name.given": u.Given, "name.family": u.Family,
	}
	if ip, err := netip.ParseAddr(u.LastSignOnIP); err == nil {
		facts["lastSignOn.remoteIp"] = ip
	}
	if !u.LastSignOnAt.IsZero() {
		facts["lastSignOn.at"] = u.LastSignOnAt
	}
	return facts, nil
}

// Standing reads live whether a user may still sign on.
func (f userFacts) Standing(ctx context.Context, env, id string) (flow.Standing, error) {
	return f.users.Standing(ctx, env, id)
}

// seeds creates the users of configuration files.
type seeds struct {
	users   *directory.Users
	devices *directory.Devices
}

// Seed makes a user once, with the devices that they have from the start. A node may die
// over it: the next one goes on.
func (s seeds) Seed(ctx context.Context, u configs.User) error {
	open, err := s.users.Seed(ctx, directory.User{
		ID: u.ID, Env: u.Env, Username: u.Username, Population: u.Population, Type: u.Type, Enabled: u.Enabled,
		Email: u.Email, EmailVerified: u.EmailVerified, Given: u.Given, Family: u.Family, Locale: u.Locale,
		PreferredLanguage: u.PreferredLanguage, Unverified: u.Unverified,
		MustChange: u.ForceChange, PasswordChangedAt: u.PasswordChangedAt,
	}, u.Password)
	if err != nil || !open {
		return err
	}
	if err := s.equip(ctx, u); err != nil {
		return err
	}
	return s.users.Seeded(ctx, u.Env, u.ID)
}

// equip gives a user the devices that they lack yet, in their order.
func (s seeds) equip(ctx context.Context, u configs.User) error {
	held, err := s.devices.List(ctx, u.Env, u.ID)
	if err != nil {
		return fmt.Errorf("devices of user %s: %w", u.ID, err)
	}
	order := make([]string, len(u.Devices))
	for i, d := range u.Devices {
		if d.Email != "" {
			if d.Email, err = directory.NormalEmail(d.Email); err != nil {
				return fmt.Errorf("user %s, device %d: %w", u.ID, i+1, err)
			}
		}
		if n := slices.IndexFunc(held, func(h device.Device) bool { return h.Type == d.Type && h.Email == d.Email && h.Phone == d.Phone }); n >= 0 {
			order[i] = held[n].ID
			continue
		}
		made, err := s.devices.Create(ctx, directory.NewDevice{Device: d, MFAEnabled: true, Effect: fmt.Sprint("seed/", u.Env, "/", u.ID, "/", i)})
		if err != nil {
			return fmt.Errorf("user %s, device %d: %w", u.ID, i+1, err)
		}
		order[i] = made.ID
	}
	if len(order) < 2 {
		return nil
	}
	return s.devices.Reorder(ctx, u.Env, u.ID, order)
}

// oidcPages lets the provider answer in the words of the HTTP face.
type oidcPages struct{ server *httpapi.Server }

func (p oidcPages) Flow(w http.ResponseWriter, _ *http.Request, b *configs.Bundle, v flow.View, a *oidc.Answer) {
	if a == nil {
		p.server.Flow(w, b, v)
		return
	}
	p.server.Flow(w, b, v, wire.AuthorizeResponse(a.Code, a.State, a.Issuer))
}

func (p oidcPages) Problem(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault) {
	p.server.Problem(w, r, b, f)
}

func (p oidcPages) SignOff(w http.ResponseWriter, b *configs.Bundle, page oidc.SignOffPage) {
	p.server.PageToward(w, b, http.StatusOK, page.ReturnTo, page.Languages, func(pages *forms.Pages, set forms.Setting) []byte {
		if page.Done {
			return pages.SignedOff(set)
		}
		return pages.SignOff(set, page.Action, page.Fields)
	})
}
