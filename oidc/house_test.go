package oidc_test

import (
	"strings"
	"testing"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"
)

type tenants map[string]*configs.Bundle

func (m tenants) Resolve(host, path string) (*configs.Bundle, string, error) {
	env, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if b := m[env]; b != nil {
		return b, "/" + rest, nil
	}
	return nil, "", flow.Gone()
}

func (h *house) tenants() tenants {
	base := configs.Application{Enabled: true, Protocol: "OPENID_CONNECT", RedirectURIs: []string{back, back + "2"}, PostLogoutRedirectURIs: []string{"https://ok.example/bye"}, GrantTypes: []string{"AUTHORIZATION_CODE"}, ResponseTypes: []string{"CODE"}, SigningAlgorithm: "RS256", ResponseModes: []string{"query"}, TokenEndpointAuthMethod: "CLIENT_SECRET_BASIC", PKCEEnforcement: "OPTIONAL", Secret: secret}
	var apps []*configs.Application
	for _, id := range []string{web, native, strict, off, custom, modern, worker} {
		a := base
		a.ID = id
		switch id {
		case native:
			a.TokenEndpointAuthMethod, a.Secret = "NONE", ""
			a.RedirectURIs = []string{"http://127.0.0.1/callback", "http://[::1]/callback?x=1", "http://localhost/callback", "app.example:/cb"}
			a.ResponseModes, a.FlowTokenEnabled = []string{"query", "pi.flow"}, true
			a.CORSSettings = configs.CORSSettings{Behavior: "ALLOW_SPECIFIC_ORIGINS", Origins: []string{"https://login.app.example"}}
		case strict:
			a.PKCEEnforcement, a.TokenEndpointAuthMethod = "S256_REQUIRED", "CLIENT_SECRET_POST"
		case off:
			a.Enabled = false
		case custom:
			a.LoginPageURL, a.SigningAlgorithm = "https://login.example/page?x=1", "ES256"
		case modern:
			a.SigningAlgorithm = "EdDSA"
		case worker:
			a.RedirectURIs, a.ResponseTypes, a.GrantTypes = nil, nil, []string{"CLIENT_CREDENTIALS"}
		}
		apps = append(apps, &a)
	}
	all := tenants{}
	for _, id := range []string{envID, otherEnv} {
		all[id] = configs.NewBundle(configs.Environment{ID: id, AuthBase: h.URL, APIBase: h.URL + "/v1"}, apps...)
	}
	return all
}

// signingKeys are real ones: all three algorithms here, one in the other
// environment.
func signingKeys(t testing.TB, db *directory.DB, ring *keys.Ring, now func() time.Time) *directory.SigningKeys {
	t.Helper()
	s := directory.NewSigningKeys(db, ring, now)
	for _, k := range [][2]string{{envID, "RS256"}, {envID, "ES256"}, {otherEnv, "ES256"}} {
		if _, err := s.Ensure(t.Context(), k[0], k[1]); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
