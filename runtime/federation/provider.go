package federation

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OpenIDConnect is the one Provider.Type that is spoken.
const OpenIDConnect = "OPENID_CONNECT"

// How a client shows at the token endpoint who it is: Provider.AuthMethod.
const (
	SecretBasic = "CLIENT_SECRET_BASIC"
	SecretPost  = "CLIENT_SECRET_POST"
	NoSecret    = "NONE"
)

// Provider is an external OpenID provider as it is configured.
// Source: reference/management.md 5.6.
type Provider struct {
	ID, Name, Type string // Type: OpenIDConnect
	Enabled        bool

	Issuer                string // compared letter by letter
	AuthorizationEndpoint string
	TokenEndpoint         string
	JWKSEndpoint          string
	UserInfoEndpoint      string // empty: not asked

	ClientID, ClientSecret string
	AuthMethod             string   // SecretBasic, SecretPost or NoSecret
	PKCE                   bool     // pkceMethod S256
	Scopes                 []string // openid is asked for besides
	Mappings               []Mapping
	Population             string // registration.population.id; empty: none
}

// Mapping says which attribute of a user here is made from what the provider tells.
// Source: reference/management.md 5.6, attribute mapping.
type Mapping struct {
	Name   string // dotted, as flow.UserAttribute knows it
	Value  string // text that CheckValue takes
	Always bool   // update ALWAYS: it replaces what a user has; else EMPTY_ONLY
}

// The limits of a Mapping's Value, in characters.
const (
	maxValue = 1024
	maxClaim = 256
)

// opening begins the place of a claim in a Value; closing ends it.
const (
	opening = "${providerAttributes."
	closing = "}"
)

// CheckValue says why a Mapping cannot have this Value, as the end of a sentence that
// begins with its name. A Value is text of 1 to 1024 characters in which
// ${providerAttributes.claim} stands for a claim, and a dot leads into an object.
func CheckValue(value string) error {
	switch {
	case value == "":
		return errors.New("is empty")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("holds a character that cannot be printed")
	case utf8.RuneCountInString(value) > maxValue:
		return fmt.Errorf("is longer than %d characters", maxValue)
	}
	_, err := parts(value)
	return err
}

// part is text, or the name of a claim.
type part struct{ text, claim string }

// parts takes a Value apart.
func parts(value string) ([]part, error) {
	var out []part
	for value != "" {
		text, rest, found := strings.Cut(value, "${")
		if text != "" {
			out = append(out, part{text: text})
		}
		if !found {
			return out, nil
		}
		inside, after, closed := strings.Cut("${"+rest, closing)
		claim, ours := strings.CutPrefix(inside, opening)
		switch {
		case !closed:
			return nil, errors.New("opens ${ without a } behind it")
		case !ours:
			return nil, errors.New("refers to something other than ${providerAttributes.claim}")
		case !claimName(claim):
			return nil, errors.New("refers to a claim whose name is empty, too long or not one word")
		}
		out, value = append(out, part{claim: claim}), after
	}
	return out, nil
}

// claimName reports whether a claim can be found by this name.
func claimName(name string) bool {
	return utf8.RuneCountInString(name) <= maxClaim &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '$' || r == '{' || unicode.IsSpace(r) }) &&
		!strings.Contains("."+name+".", "..")
}
