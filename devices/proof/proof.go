// Package proof is how a device shows that a request is its own: the compact form of a
// JSON Web Signature over what the request asks for, made anew for each request.
//
// It says what a proof of RFC 9449 says, and of the body, which that leaves out, as
// well. Header: alg (ES256 or EdDSA, and nothing else), typ (device+jwt) and either
// kid, the device's id, or, of a device that is yet to be paired, jwk, its public key.
// Claims: htm and htu, the method and the whole address with its query; body, the
// SHA-256 of the body; iat, when, in seconds; jti, a name that is good once. No other
// member is taken, and none twice.
package proof

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Leeway is how far a device's clock may be from ours.
const Leeway = 60 * time.Second

const (
	typ      = "device+jwt"
	mostLong = 4096 // bytes of a proof
	idLeast  = 16   // characters of a jti
	idMost   = 64
)

// What may be wrong with a proof. What is malformed, is signed by another key and is
// of another request are told apart by nobody but the device's own author.
var (
	ErrNone  = errors.New("no proof of a device")
	ErrStale = errors.New("made at another time")
)

// Request is what a proof is of.
type Request struct {
	Method string
	URL    string // absolute, as the device asked for it, with its query
	Body   []byte
}

func (r Request) digest() string {
	sum := sha256.Sum256(r.Body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// claims are what is signed.
type claims struct {
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Body   string `json:"body"`
	At     int64  `json:"iat"`
	ID     string `json:"jti"`
}

// Sign makes the proof of a request by a *ecdsa.PrivateKey on P-256 or an
// ed25519.PrivateKey. device is empty while it is not paired.
func Sign(key crypto.Signer, device string, r Request, now time.Time, random io.Reader) (string, error) {
	alg, err := algorithmOf(key.Public())
	if err != nil {
		return "", err
	}
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{EmbedJWK: device == ""}).WithType(typ)
	if device != "" {
		options.WithHeader("kid", device)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims{r.Method, r.URL, r.digest(), now.Unix(), base64.RawURLEncoding.EncodeToString(nonce)})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Proof is one that has been read and not yet believed.
type Proof struct {
	Device string           // whose it says it is; empty: it has Key
	Key    crypto.PublicKey // of a device that is not paired
	signed *jose.JSONWebSignature
	claims claims
}

// Parse reads a proof. It fails with ErrNone.
func Parse(token string) (*Proof, error) {
	if len(token) > mostLong {
		return nil, ErrNone
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
	if err != nil {
		return nil, ErrNone
	}
	p := &Proof{signed: signed}
	if err := p.readHeader(token); err != nil {
		return nil, err
	}
	return p, p.readClaims(signed.UnsafePayloadWithoutVerification())
}

// Verify believes the proof, or does not: it must be signed by key, be of that very
// request and have been made within Leeway of now. The id is to be taken once.
func (p *Proof) Verify(key crypto.PublicKey, r Request, now time.Time) (id string, err error) {
	alg, err := algorithmOf(key)
	if err != nil || string(alg) != p.signed.Signatures[0].Protected.Algorithm {
		return "", ErrNone
	}
	if _, err := p.signed.Verify(key); err != nil {
		return "", ErrNone
	}
	if p.claims.Method != r.Method || p.claims.URL != r.URL || subtle.ConstantTimeCompare([]byte(p.claims.Body), []byte(r.digest())) != 1 {
		return "", ErrNone
	}
	if off := now.Sub(time.Unix(p.claims.At, 0)); off < -Leeway || off > Leeway {
		return "", ErrStale
	}
	return p.claims.ID, nil
}

// algorithmOf is the one algorithm that a key signs by.
func algorithmOf(key crypto.PublicKey) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return jose.ES256, nil
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return jose.EdDSA, nil
		}
	}
	return "", errors.New("the key of a device is on P-256 or Ed25519")
}

// MarshalKey writes a public key as it is kept: PKIX, ASN.1 DER.
func MarshalKey(key crypto.PublicKey) ([]byte, error) {
	if _, err := algorithmOf(key); err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(key)
}

// ParseKey is the reverse of MarshalKey.
func ParseKey(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	_, err = algorithmOf(key)
	return key, err
}
