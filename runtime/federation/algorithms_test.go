package federation_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"doorward/internal/optest"
	"doorward/runtime/federation"
)

// TestEveryAlgorithmThatIsTaken signs a token by each, with the at_hash that goes with
// it, and then with that of another.
func TestEveryAlgorithmThatIsTaken(t *testing.T) {
	r := newRig(t)
	curve := func(c elliptic.Curve) any {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	short := func(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:16] }
	middle := func(s string) []byte { sum := sha512.Sum384([]byte(s)); return sum[:24] }
	long := func(s string) []byte { sum := sha512.Sum512([]byte(s)); return sum[:32] }
	for algorithm, row := range map[jose.SignatureAlgorithm]struct {
		key  any
		hash func(string) []byte
	}{
		jose.RS256: {r.op.Key(), short}, jose.RS384: {r.op.Key(), middle}, jose.RS512: {r.op.Key(), long},
		jose.PS256: {r.op.Key(), short}, jose.PS384: {r.op.Key(), middle}, jose.PS512: {r.op.Key(), long},
		jose.ES256: {curve(elliptic.P256()), short}, jose.ES384: {curve(elliptic.P384()), middle}, jose.ES512: {curve(elliptic.P521()), long},
		jose.EdDSA: {ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), long},
	} {
		t.Run(string(algorithm), func(t *testing.T) {
			r := newRig(t)
			key := jose.JSONWebKey{Key: row.key, KeyID: "k"}
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
			if err != nil {
				t.Fatal(err)
			}
			keys := marshalled(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
			r.op.Instead(optest.JWKS, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keys) })
			signed := func(of string) {
				r.op.Spoil(func(tok *optest.Token) {
					tok.Claims["at_hash"] = base64.RawURLEncoding.EncodeToString(row.hash(tok.Access + of))
					made, err := signer.Sign(marshalled(tok.Claims))
					if err != nil {
						t.Error(err)
						return
					}
					tok.Raw, err = made.CompactSerialize()
					if err != nil {
						t.Error(err)
					}
				})
			}
			signed("")
			if who, err := r.signOn(); err != nil || who.ID != "ada" {
				t.Errorf("%+v, %v", who, err)
			}
			signed("x")
			_, err = r.signOn()
			refused(t, err, federation.WrongHash)
		})
	}
}
