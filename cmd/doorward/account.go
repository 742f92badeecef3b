package main

import (
	"context"

	"doorward/account"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
)

// showAccounts puts the pages on the server where people see what is theirs.
func (h *house) showAccounts(server *httpapi.Server, engine flows) {
	face := account.New(account.Parts{
		Tenants: h.registry, Engine: accountFlows{engine, h.engine}, Factors: h.factors, Devices: h.devices, Users: h.users,
		Addresses: h.accounts, Phones: h.phones,
		Sessions: h.sessions, Grants: h.codes, Forms: h.ring, Pages: server, Events: h.events, Now: h.now, Posted: h.wakeMail,
		Passkeys: h.factors, Offers: h.devices, Executions: engine,
	})
	face.Register(server)
	server.Offers = face
}

// accountFlows fill account.Engine: executions are traced like those of others, and who
// is signed on is nobody's execution.
type accountFlows struct {
	flows
	engine *engine.Engine
}

// Present implements account.Engine.
func (a accountFlows) Present(ctx context.Context, env string, c flow.Caller) (*flow.Session, error) {
	return a.engine.Present(ctx, env, c)
}
