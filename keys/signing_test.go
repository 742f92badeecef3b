package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorward/keys"
)

func TestSigningKeySignsAndIsCertified(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			k, err := keys.NewSigningKey(algorithm, "https://auth.example/e/as", now)
			if err != nil {
				t.Fatal(err)
			}
			if k.Algorithm != algorithm || len(k.ID) != 43 || !k.CreatedAt.Equal(now) || !k.ActiveAt.Equal(now) || !k.RetiresAt.IsZero() {
				t.Errorf("made %+v", k)
			}
			der, err := k.MarshalPrivate()
			if err != nil {
				t.Fatal(err)
			}
			private, err := keys.ParsePrivate(der)
			if err != nil {
				t.Fatal(err)
			}
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: private}, nil)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := signer.Sign([]byte("payload"))
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(k.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := signed.Verify(cert.PublicKey); err != nil {
				t.Errorf("the certificate's key does not check the signature: %v", err)
			}
			if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
				t.Errorf("not self-signed: %v", err)
			}
			if cert.Subject.CommonName != "https://auth.example/e/as" || now.Before(cert.NotBefore) || !cert.NotAfter.After(now.AddDate(9, 0, 0)) {
				t.Errorf("certificate of %q, %v to %v", cert.Subject.CommonName, cert.NotBefore, cert.NotAfter)
			}
		})
	}
}

func TestNewSigningKeyRefusesOtherAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"", "none", "HS256", "rs256", "PS256", "ES384"} {
		if _, err := keys.NewSigningKey(algorithm, "s", time.Now()); !errors.Is(err, keys.ErrAlgorithm) {
			t.Errorf("%q: %v", algorithm, err)
		}
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil && !strings.Contains(err.Error(), "1024") {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	candidates := map[string]crypto.PrivateKey{"P-384": other}
	if weak != nil {
		candidates["RSA of 1024 bits"] = weak
	}
	for name, key := range candidates {
		t.Run(name, func(t *testing.T) {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := keys.ParsePrivate(der); !errors.Is(err, keys.ErrAlgorithm) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("garbage", func(t *testing.T) {
		if _, err := keys.ParsePrivate([]byte("x")); err == nil {
			t.Error("parsed")
		}
	})
	t.Run("a public key", func(t *testing.T) {
		public, _, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.ParsePrivate(der); err == nil {
			t.Error("parsed")
		}
	})
}
