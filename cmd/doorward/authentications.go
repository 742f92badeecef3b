package main

import (
	"context"

	"doorward/devices/authentications"
	"doorward/oidc"
	"doorward/runtime/httpapi"
)

// showAuthentications puts the API on the server by which applications have people asked
// for their devices.
func (h *house) showAuthentications(server *httpapi.Server, provider *oidc.Provider, engine flows) {
	authentications.New(authentications.Parts{
		Tenants: h.registry, Workers: provider, Engine: engine, Users: authenticated{owners{catalogue{users: h.users, now: h.now}}},
		Events: h.events, Log: h.log, Now: h.now,
	}).Register(server)
}

// authenticated fills authentications.Users.
type authenticated struct{ owners }

// Account implements authentications.Users.
func (a authenticated) Account(ctx context.Context, env, userID string) (authentications.Account, error) {
	if _, err := a.users.Get(ctx, env, userID); err != nil { // flow.ErrUnknown
		return authentications.Account{}, err
	}
	is, err := a.stands(ctx, env, userID)
	return authentications.Account{Subject: is.Subject, Enabled: !is.Disabled, Locked: is.Locked, UnlockIn: is.UnlockIn}, err
}
