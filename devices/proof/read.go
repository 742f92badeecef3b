package proof

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"doorward/runtime/document"
)

// readHeader takes a header of exactly the members that there are, and the key in it.
func (p *Proof) readHeader(token string) error {
	encoded, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return ErrNone
	}
	header, err := object(raw)
	if err != nil || header["typ"] != typ {
		return ErrNone
	}
	switch {
	case has(header, "alg", "kid", "typ"):
		p.Device, _ = header["kid"].(string)
		if p.Device == "" {
			return ErrNone
		}
		return nil
	case has(header, "alg", "jwk", "typ"):
		jwk, _ := header["jwk"].(map[string]any)
		if !has(jwk, "crv", "kty", "x", "y") && !has(jwk, "crv", "kty", "x") {
			return ErrNone
		}
		embedded := p.signed.Signatures[0].Protected.JSONWebKey // valid and public, or it would not have been parsed
		if embedded == nil {
			return ErrNone
		}
		p.Key = embedded.Key
		if _, err := algorithmOf(p.Key); err != nil {
			return ErrNone
		}
		return nil
	}
	return ErrNone
}

// readClaims takes exactly the members that there are.
func (p *Proof) readClaims(payload []byte) error {
	v, err := object(payload)
	if err != nil || !has(v, "body", "htm", "htu", "iat", "jti") {
		return ErrNone
	}
	at, isNumber := v["iat"].(float64)
	if !isNumber || at != math.Trunc(at) || at < 0 || at > 1<<40 || json.Unmarshal(payload, &p.claims) != nil {
		return ErrNone
	}
	if len(p.claims.ID) < idLeast || len(p.claims.ID) > idMost || strings.ContainsFunc(p.claims.ID, notBase64) {
		return ErrNone
	}
	return nil
}

// object reads one JSON object without doubled names.
func object(raw []byte) (map[string]any, error) {
	v, err := document.Decode(raw, func(number string) (any, error) {
		var n float64
		err := json.Unmarshal([]byte(number), &n)
		return n, err
	})
	o, is := v.(map[string]any)
	if err != nil || !is {
		return nil, ErrNone
	}
	return o, nil
}

// has reports whether those are the names of an object's members, in order.
func has(o map[string]any, names ...string) bool {
	return slices.Equal(slices.Sorted(maps.Keys(o)), names)
}

// notBase64 reports whether c is no character of base64url.
func notBase64(c rune) bool {
	return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
}
