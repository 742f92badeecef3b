package oidc

import (
	"crypto/x509"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"doorward/configs"
	"doorward/runtime/flow"
)

// publicCache is how long clients and caches keep discovery and keys. A new key
// is published longer before it signs.
const publicCache = "public, max-age=300"

// metadata is the provider's description of itself: only what it does.
// Source: OpenID Connect Discovery 3, RFC 8414 2, RFC 9207 3.
type metadata struct {
	Issuer                 string   `json:"issuer"`
	Authorization          string   `json:"authorization_endpoint"`
	Token                  string   `json:"token_endpoint"`
	UserInfo               string   `json:"userinfo_endpoint"`
	EndSession             string   `json:"end_session_endpoint"`
	Keys                   string   `json:"jwks_uri"`
	ResponseTypes          []string `json:"response_types_supported"`
	ResponseModes          []string `json:"response_modes_supported"`
	GrantTypes             []string `json:"grant_types_supported"`
	SubjectTypes           []string `json:"subject_types_supported"`
	SigningAlgorithms      []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods       []string `json:"token_endpoint_auth_methods_supported"`
	Scopes                 []string `json:"scopes_supported"`
	Claims                 []string `json:"claims_supported"`
	PKCEMethods            []string `json:"code_challenge_methods_supported"`
	Prompts                []string `json:"prompt_values_supported"`
	IssuerInAnswers        bool     `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameter        bool     `json:"claims_parameter_supported"`
	RequestParameter       bool     `json:"request_parameter_supported"`
	RequestURIParameter    bool     `json:"request_uri_parameter_supported"`
	RequestURIRegistration bool     `json:"require_request_uri_registration"`
}

// discovery describes the environment's provider.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request, b *configs.Bundle) {
	issuer := b.Environment().Issuer()
	w.Header().Set("Cache-Control", publicCache)
	writeJSON(w, http.StatusOK, metadata{
		Issuer:            issuer,
		Authorization:     issuer + "/authorize",
		Token:             issuer + "/token",
		UserInfo:          issuer + "/userinfo",
		EndSession:        issuer + "/signoff",
		Keys:              issuer + "/jwks",
		ResponseTypes:     []string{"code"},
		ResponseModes:     []string{queryMode, piFlow},
		GrantTypes:        []string{"authorization_code", "client_credentials"},
		SubjectTypes:      []string{"public"},
		SigningAlgorithms: []string{string(jose.RS256), string(jose.ES256), string(jose.EdDSA)},
		TokenAuthMethods:  []string{"client_secret_basic", "client_secret_post", "none"},
		Scopes:            scopes(),
		Claims: []string{
			"iss", "sub", "aud", "exp", "iat", "acr", "amr", "auth_time", "nonce", "sid", "env",
			"name", "given_name", "family_name", "preferred_username", "locale", "updated_at", "email", "email_verified",
		},
		PKCEMethods:     []string{"S256"},
		Prompts:         []string{"none", "login", "select_account"},
		IssuerInAnswers: true,
	})
}

// jwks publishes the environment's keys, the coming and the going ones too.
// Source: RFC 7517 4, 5.
func (p *Provider) jwks(w http.ResponseWriter, r *http.Request, b *configs.Bundle) {
	all, err := p.SigningKeys.All(r.Context(), b.Environment().ID)
	if err != nil {
		p.Pages.Problem(w, r, b, flow.Busy(err))
		return
	}
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(all))}
	for _, k := range all {
		jwk := jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
		if cert, err := x509.ParseCertificate(k.Certificate); err == nil {
			jwk.Certificates = []*x509.Certificate{cert}
		}
		set.Keys = append(set.Keys, jwk)
	}
	w.Header().Set("Cache-Control", publicCache)
	writeJSON(w, http.StatusOK, set)
}
