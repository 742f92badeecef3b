package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// rsaBits is the least that RFC 7518 section 3.3 allows.
const rsaBits = 2048

// certificateLife is how long the self-signed certificate says it is good. It is
// longer than any key lives: clients that look at x5c look at the key in it.
const certificateLife = 10 * 365 * 24 * time.Hour

// ErrAlgorithm says that an algorithm is none of RS256, ES256 and EdDSA.
var ErrAlgorithm = errors.New("unknown signature algorithm")

// SigningKey signs tokens of one environment. Its public half is published from
// CreatedAt on, it signs from ActiveAt on, and stays published until RetiresAt,
// when the last token it signed has expired; zero: while it is in use.
type SigningKey struct {
	ID          string // kid: base64url SHA-256 of the public key (SubjectPublicKeyInfo)
	Algorithm   string // RS256, ES256 or EdDSA. Source: RFC 7518 section 3.1, RFC 8037
	Private     crypto.Signer
	Certificate []byte // DER, self-signed, for x5c. Source: RFC 7517 section 4.7
	CreatedAt   time.Time
	ActiveAt    time.Time
	RetiresAt   time.Time
}

// NewSigningKey makes a key that is active at once. The certificate's common name
// is subject, the issuer address.
func NewSigningKey(algorithm, subject string, now time.Time) (*SigningKey, error) {
	private, err := newSigner(algorithm)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	sum := sha256.Sum256(public)
	now = now.UTC()
	template := x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:16]),
		Subject:      pkix.Name{CommonName: subject},
		NotBefore:    now,
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &SigningKey{
		ID: base64.RawURLEncoding.EncodeToString(sum[:]), Algorithm: algorithm,
		Private: private, Certificate: der, CreatedAt: now, ActiveAt: now,
	}, nil
}

func newSigner(algorithm string) (key crypto.Signer, err error) {
	switch algorithm {
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("%w: %q", ErrAlgorithm, algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	return key, nil
}

// MarshalPrivate returns the private key as PKCS #8, for Seal.
func (k *SigningKey) MarshalPrivate() ([]byte, error) {
	b, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return b, nil
}

// ParsePrivate reads the PKCS #8 of a key that NewSigningKey can make.
func ParsePrivate(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() >= rsaBits {
			return k, nil
		}
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P256() {
			return k, nil
		}
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("private key: %w", ErrAlgorithm)
}
