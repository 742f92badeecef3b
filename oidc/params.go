package oidc

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"doorward/runtime/flow"
	"doorward/wire"
)

// maxForm is the longest query or form body taken, in bytes.
const maxForm = 16 << 10

// oauthError is a refusal in OAuth's own words. Both parts are constants of ours
// or carry nothing of the request but names of parameters we know.
// Source: RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6.
type oauthError struct {
	Code        string
	Description string
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(format string, args ...any) *oauthError {
	return &oauthError{Code: "invalid_request", Description: fmt.Sprintf(format, args...)}
}

// malformed is the fault of a request whose parameters cannot be read.
func malformed(message string) *flow.Fault {
	return &flow.Fault{Code: flow.InvalidRequest, Message: message}
}

// readParams reads the query of a GET or the form of a POST, never both.
func readParams(r *http.Request) (url.Values, *flow.Fault) {
	if r.Method != http.MethodPost {
		return parseParams(r.URL.RawQuery)
	}
	if r.URL.RawQuery != "" {
		return nil, malformed("A POST takes its parameters in the body only.")
	}
	if !wire.IsForm(r.Header.Values("Content-Type")) {
		return nil, &flow.Fault{Code: flow.UnsupportedMedia, Message: "A POST takes application/x-www-form-urlencoded."}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return nil, malformed("The body ended early.")
	}
	return parseParams(string(body))
}

func parseParams(raw string) (url.Values, *flow.Fault) {
	if len(raw) > maxForm {
		return nil, &flow.Fault{Code: flow.TooLarge, Message: fmt.Sprintf("The parameters take more than %d bytes.", maxForm)}
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, malformed("The parameters are not correctly encoded.")
	}
	return v, nil
}

// single returns the value of a parameter; false when it was sent twice.
func single(v url.Values, name string) (string, bool) {
	if len(v[name]) > 1 {
		return "", false
	}
	return v.Get(name), true
}

// maxLength is the longest value taken of a parameter, in bytes.
func maxLength(name string) int {
	switch name {
	case "state":
		return 4096
	case "nonce", "acr_values", "login_hint", "ui_locales":
		return 512
	case "scope":
		return 1024
	case "id_token_hint":
		return 8192
	case "login_hint_token":
		return 4096
	}
	return 2048
}

// checkParams refuses what is wrong in any parameter, whatever it means: sent
// twice, too long, not UTF-8, or with control characters. A name is repeated in
// the refusal only when it is one of OAuth's.
func checkParams(v url.Values) *oauthError {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		values, shown := v[name], "a parameter"
		if isOurs(name) {
			shown = name
		}
		switch {
		case len(values) > 1:
			return invalidRequest("%s was sent more than once", shown)
		case len(values[0]) > maxLength(name):
			return invalidRequest("%s takes at most %d bytes", shown, maxLength(name))
		case !utf8.ValidString(name) || !utf8.ValidString(values[0]) || strings.ContainsFunc(values[0], isControl):
			return invalidRequest("%s has characters that are not allowed", shown)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isOurs(name string) bool {
	switch name {
	case "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "acr_values", "login_hint",
		"login_hint_token", "id_token_hint", "code_challenge", "code_challenge_method", "display", "ui_locales", "claims", "request", "request_uri",
		"grant_type", "code", "code_verifier", "redirect_uri", "client_id", "client_secret":
		return true
	}
	return false
}
