package optest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Token is an ID token that is about to be signed. Nothing in it is judged.
type Token struct {
	Header map[string]any
	Claims map[string]any
	// Key signs: *rsa.PrivateKey as RS256, *ecdsa.PrivateKey of P-256 as ES256,
	// ed25519.PrivateKey as EdDSA, []byte as HS256, and nil not at all. What the header
	// says of it is not changed.
	Key    any
	Access string // the access token that it is sent with

	Payload []byte // instead of Claims
	Raw     string // instead of everything
}

// signed is the token as it is sent.
func (t *Token) signed() (string, error) {
	if t.Raw != "" {
		return t.Raw, nil
	}
	header, err := json.Marshal(t.Header)
	if err != nil {
		return "", err
	}
	payload := t.Payload
	if payload == nil {
		if payload, err = json.Marshal(t.Claims); err != nil {
			return "", err
		}
	}
	text := encoded(header) + "." + encoded(payload)
	signature, err := t.sign(text)
	return text + "." + encoded(signature), err
}

func (t *Token) sign(text string) ([]byte, error) {
	sum := sha256.Sum256([]byte(text))
	switch k := t.Key.(type) {
	case nil:
		return nil, nil
	case []byte:
		h := hmac.New(sha256.New, k)
		h.Write([]byte(text))
		return h.Sum(nil), nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			return nil, err
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(text)), nil
	}
	return nil, fmt.Errorf("a key of type %T", t.Key)
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
