package main

import (
	"context"
	"fmt"

	"doorward/certificates"
	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/steps/windowslogin"
)

// authorityPlaces fill certificate.Places.
type authorityPlaces struct{ registry func() *configs.Registry }

// Place implements certificate.Places.
func (p authorityPlaces) Place(env string) (name, base string, err error) {
	b, served := p.registry().Bundle(env)
	if !served {
		return "", "", fmt.Errorf("environment %s is not served", env)
	}
	e := b.Environment()
	return e.Name, e.AuthBase + "/" + e.ID, nil
}

// phoneOwners fill windowslogin.Users.
type phoneOwners struct{ owners }

// Account implements windowslogin.Users.
func (o phoneOwners) Account(ctx context.Context, env, userID string) (windowslogin.Account, error) {
	a, err := o.stands(ctx, env, userID)
	return windowslogin.Account{Subject: a.Subject, Disabled: a.Disabled || a.Locked, Unverified: a.Unverified}, err
}

// ensureAuthority makes the certificate authority of an environment from which people
// sign on to Windows, and the one after it in time.
func (h *house) ensureAuthority(ctx context.Context, b *configs.Bundle) error {
	if !b.Runs(windowslogin.Name) {
		return nil
	}
	env := b.Environment().ID
	made, err := h.authority.Ensure(ctx, env)
	if err != nil {
		return fmt.Errorf("certificate authority of environment %s: %w", env, err)
	}
	if made {
		h.events.Record(ctx, flow.Event{Type: flow.AuthorityCreated, Env: env, At: h.now()})
	}
	return nil
}

// showAuthorities publishes the certificate authorities.
func (h *house) showAuthorities(server *httpapi.Server) {
	certificates.New(h.registry, h.authority, server, h.now).Register(server)
}
