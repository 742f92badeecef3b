package main

import (
	"net/http"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/httpapi"
	"doorward/runtime/passkey"
)

// relatedOrigins tells browsers which pages of other hosts may use the passkeys of this
// one. It belongs to a host, and to no environment. Source: WebAuthn level 3, 5.11.
type relatedOrigins struct {
	registry *configs.Registry
	server   *httpapi.Server
}

func (o relatedOrigins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, origins := o.registry.RelatedOrigins(r.Host)
	doc, err := passkey.Party{ID: id, Origins: origins}.Related()
	if err != nil || doc == nil {
		o.server.Problem(w, r, nil, &flow.Fault{Code: flow.NotFound, Err: err, Message: "No other pages use the passkeys of this host."})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(doc)
}
