package federation

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
)

// How far a provider's clock may be from ours: ahead, when it issues a token, and either
// way, when it tells of a sign-on.
const (
	maxAhead = 5 * time.Minute
	maxApart = time.Minute
)

// maxSubject is the length of the longest sub, in characters.
// Source: OpenID Connect Core 2.
const maxSubject = 255

// algorithms are the signatures that are taken: those that need a key which only the
// provider has.
func algorithms() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
	}
}

// judge judges an ID token.
type judge struct {
	provider *Provider
	answer   *Answer
	access   string // the access token that came with it
	now      time.Time
}

// judged are the claims of an ID token that is the provider's, and of this sign-on.
// Source: OpenID Connect Core 3.1.3.7.
func (j *judge) judged(ctx context.Context, raw string, keys oidc.KeySet) (map[string]any, error) {
	header, claims, err := decoded(raw)
	if err != nil {
		return nil, err
	}
	algorithm, err := headed(header)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(map[string]any) *Refusal{j.issued, j.timed, j.asked, subject} {
		if r := check(claims); r != nil {
			return nil, r
		}
	}
	for name, of := range map[string]string{"at_hash": j.access, "c_hash": j.answer.Code} {
		if hash, there := claims[name]; there && hash != hashOf(algorithm, of) {
			return nil, refuse(WrongHash, name)
		}
	}
	return claims, j.signed(ctx, raw, keys)
}

// signed has the signature verified. What has been looked at already is looked at once
// more there.
func (j *judge) signed(ctx context.Context, raw string, keys oidc.KeySet) error {
	seen := &witness{KeySet: keys}
	_, err := oidc.NewVerifier(j.provider.Issuer, seen, &oidc.Config{
		ClientID: j.provider.ClientID, SupportedSigningAlgs: algorithms(), Now: func() time.Time { return j.now },
	}).Verify(ctx, raw)
	at := (*url.Error)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(seen.err, &at):
		return unreachable(ctx.Err(), "jwks", at.Err)
	case ctx.Err() != nil:
		return unreachable(ctx.Err(), "jwks", ctx.Err())
	case seen.err != nil:
		return refuse(BadSignature, "it was made with none of the provider's keys")
	}
	return &Refusal{Reason: BadIDToken, cause: err}
}

// witness remembers what a verifier only tells in words.
type witness struct {
	oidc.KeySet
	err error
}

// VerifySignature verifies a signature.
func (w *witness) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := w.KeySet.VerifySignature(ctx, raw)
	w.err = err
	return payload, err
}

// decoded takes a token apart, of which nothing is known yet.
func decoded(raw string) (header, claims map[string]any, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || strings.ContainsAny(raw, "\r\n") {
		return nil, nil, refuse(BadIDToken, "it is no signed token")
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err != nil {
			return nil, nil, refuse(BadIDToken, "it is not base64url")
		}
		o, ok := object(text)
		if !ok {
			return nil, nil, refuse(BadIDToken, "it does not hold one JSON object")
		}
		*into = o
	}
	return header, claims, nil
}

// headed finds the algorithm in a header. One that says where keys are, or that there
// is more to know, is refused.
func headed(header map[string]any) (algorithm string, err error) {
	for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"} {
		if _, there := header[name]; there {
			return "", refuse(BadIDToken, "its header has the member "+name)
		}
	}
	if kind, there := header["typ"]; there {
		if s, ok := kind.(string); !ok || !strings.EqualFold(s, "JWT") {
			return "", refuse(BadIDToken, "it is a token of another type")
		}
	}
	algorithm, _ = header["alg"].(string)
	if !slices.Contains(algorithms(), algorithm) {
		return "", refuse(BadIDToken, "it is signed in a way that is not taken")
	}
	return algorithm, nil
}

// issued judges by whom and for whom the token is.
func (j *judge) issued(claims map[string]any) *Refusal {
	if claims["iss"] != j.provider.Issuer {
		return refuse(WrongIssuer, "of the ID token")
	}
	var audiences []any
	switch aud := claims["aud"].(type) {
	case string:
		audiences = []any{aud}
	case []any:
		audiences = aud
	}
	party, named := claims["azp"]
	switch {
	case !slices.Contains(audiences, any(j.provider.ClientID)):
		return refuse(WrongAudience, "it is not for this client")
	case named && party != j.provider.ClientID:
		return refuse(WrongAudience, "it was made for another client")
	case !named && len(audiences) > 1:
		return refuse(WrongAudience, "it is for several, and does not say for whom it was made")
	}
	return nil
}

// timed judges when the token holds.
func (j *judge) timed(claims map[string]any) *Refusal {
	until, ends := moment(claims["exp"])
	from, issued := moment(claims["iat"])
	before, waits := moment(claims["nbf"])
	_, there := claims["nbf"]
	switch {
	case !ends || !issued || there && !waits:
		return refuse(BadIDToken, "it does not say when it holds")
	case !j.now.Before(until):
		return refuse(Expired, "")
	case from.After(j.now.Add(maxAhead)), there && before.After(j.now.Add(maxAhead)):
		return refuse(NotYetIssued, "")
	}
	return nil
}

// asked judges whether the token answers what was asked.
func (j *judge) asked(claims map[string]any) *Refusal {
	nonce, _ := claims["nonce"].(string)
	if j.answer.Leg.Nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(j.answer.Leg.Nonce)) != 1 {
		return refuse(WrongNonce, "")
	}
	if j.answer.Since.IsZero() {
		return nil
	}
	at, told := moment(claims["auth_time"])
	switch {
	case !told:
		return refuse(TooOld, "it does not say when the sign-on was")
	case at.Before(j.answer.Since.Add(-maxApart)), at.After(j.now.Add(maxAhead)):
		return refuse(TooOld, "")
	}
	return nil
}

// subject judges who the token is of.
func subject(claims map[string]any) *Refusal {
	sub, ok := claims["sub"].(string)
	if n := utf8.RuneCountInString(sub); !ok || n == 0 || n > maxSubject || strings.ContainsFunc(sub, unicode.IsControl) {
		return refuse(NoSubject, "")
	}
	return nil
}

// moment reads a NumericDate, which lies in the years 1970 to 9999.
// Source: RFC 7519 2.
func moment(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds >= 253402300800 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Floor(seconds * 1000))), true
}

// hashOf is the hash of a token that an ID token of this algorithm holds: the left half,
// as base64url. Source: OpenID Connect Core 3.1.3.6.
func hashOf(algorithm, token string) string {
	var sum []byte
	switch {
	case strings.HasSuffix(algorithm, "256"):
		s := sha256.Sum256([]byte(token))
		sum = s[:]
	case strings.HasSuffix(algorithm, "384"):
		s := sha512.Sum384([]byte(token))
		sum = s[:]
	default: // 512, and EdDSA with Ed25519
		s := sha512.Sum512([]byte(token))
		sum = s[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
