package federation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/flow"
)

// Leg is what one sign-on elsewhere is made with.
type Leg struct {
	State    string // flow id, ".", and 256 bits as base64url
	Nonce    string // 256 bits as base64url
	Verifier string // of PKCE: 256 bits as base64url
}

// NewLeg is the Leg of an execution at a provider. The same challenge gives the same
// Leg, so that it is kept nowhere; another one, or another provider, gives a Leg that
// has no part in common with it but the flow id.
func NewLeg(flowID, provider string, challenge [32]byte) Leg {
	derive := func(purpose string) string {
		h := hmac.New(sha256.New, challenge[:])
		h.Write([]byte(purpose + "\x00" + flowID + "\x00" + provider))
		return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	return Leg{State: flowID + "." + derive("state"), Nonce: derive("nonce"), Verifier: derive("verifier")}
}

// The lengths of the two halves of a state.
const (
	uuidLength = 36
	hashLength = 43
)

// FlowOf finds the execution that a state claims to be of. It looks at the form alone:
// whoever asks compares the state with that of the execution's own Leg.
func FlowOf(state string) (flowID string, ok bool) {
	flowID, hash, found := strings.Cut(state, ".")
	if !found || !isUUID(flowID) || len(hash) != hashLength {
		return "", false
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(hash); err != nil || strings.ContainsAny(hash, "\r\n") {
		return "", false
	}
	return flowID, true
}

// isUUID reports whether s is a UUID in lower case.
func isUUID(s string) bool {
	if len(s) != uuidLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// Address is where the browser is sent: the provider's authorization endpoint with an
// authentication request. Where the sign-on there has to be a fresh one, that is asked
// for by max_age as well, for then the ID token has to say when it was.
// Source: OpenID Connect Core 3.1.2.1; RFC 7636 4.3.
func (p Provider) Address(l Leg, redirectURI string, x flow.External) string {
	u, err := url.Parse(p.AuthorizationEndpoint)
	if err != nil { // which the configuration does not take
		return ""
	}
	q := u.Query()
	set := func(name, value string) {
		if q.Del(name); value != "" {
			q.Set(name, value)
		}
	}
	set("response_type", "code")
	set("client_id", p.ClientID)
	set("redirect_uri", redirectURI)
	set("scope", strings.Join(p.scopes(), " "))
	set("state", l.State)
	set("nonce", l.Nonce)
	set("login_hint", x.LoginHint)
	set("ui_locales", locales(x.Locales))
	if p.PKCE {
		sum := sha256.Sum256([]byte(l.Verifier))
		set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		set("code_challenge_method", "S256")
	}
	switch {
	case x.Fresh:
		set("prompt", "login")
		set("max_age", "0")
	case x.MaxAge >= 0:
		set("max_age", strconv.FormatInt(x.MaxAge, 10))
	}
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String()
}

// scopes are those that are asked for, openid first.
func (p Provider) scopes() []string {
	out := []string{"openid"}
	for _, s := range p.Scopes {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// The limits of what a provider is told of languages.
const (
	maxLocales = 8
	maxTag     = 35 // characters. Source: RFC 5646 4.4.1
)

// locales are the languages of an Accept-Language that is in order, as ui_locales.
func locales(accept string) string {
	var out []string
	for one := range strings.SplitSeq(accept, ",") {
		tag, weight, _ := strings.Cut(one, ";")
		tag, weight = strings.TrimSpace(tag), strings.ReplaceAll(weight, " ", "")
		if isTag(tag) && !refusesLanguage(weight) && !slices.Contains(out, tag) && len(out) < maxLocales {
			out = append(out, tag)
		}
	}
	return strings.Join(out, " ")
}

// isTag reports whether s may be a language tag. Source: RFC 5646 2.1.
func isTag(s string) bool {
	return s != "" && len(s) <= maxTag && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// refusesLanguage reports whether a weight is 0: "q=0", "q=0.0". Source: RFC 9110 12.4.2.
func refusesLanguage(weight string) bool {
	value, ok := strings.CutPrefix(weight, "q=")
	return ok && strings.Trim(value, "0.") == ""
}
