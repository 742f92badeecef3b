package proof_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorward/devices/proof"
)

const device = "de000000-0000-4000-8000-000000000001"

var (
	now   = time.Unix(1_800_000_000, 0)
	asked = proof.Request{Method: "POST", URL: "https://a.example/e/devices/v1/pushes/1?wait=2", Body: []byte(`{"answer":"APPROVE"}`)}
)

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ed(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, key crypto.Signer, device string) string {
	t.Helper()
	s, err := proof.Sign(key, device, asked, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAProofIsBelieved(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"ES256": p256(t), "EdDSA": ed(t)} {
		t.Run(name, func(t *testing.T) {
			p, err := proof.Parse(sign(t, key, device))
			if err != nil || p.Device != device || p.Key != nil {
				t.Fatalf("%+v, %v", p, err)
			}
			der, err := proof.MarshalKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			public, err := proof.ParseKey(der)
			if err != nil {
				t.Fatal(err)
			}
			id, err := p.Verify(public, asked, now.Add(proof.Leeway))
			if err != nil || len(id) < 16 {
				t.Fatalf("%q, %v", id, err)
			}
			p, err = proof.Parse(sign(t, key, ""))
			if err != nil || p.Device != "" || p.Key == nil {
				t.Fatalf("unpaired: %+v, %v", p, err)
			}
			if _, err := p.Verify(p.Key, asked, now); err != nil {
				t.Errorf("unpaired: %v", err)
			}
		})
	}
}

func TestAProofIsOfOneRequestOneKeyAndOneTime(t *testing.T) {
	key := p256(t)
	token := sign(t, key, device)
	for name, row := range map[string]struct {
		key  crypto.PublicKey
		of   proof.Request
		at   time.Time
		want error
	}{
		"another key":            {p256(t).Public(), asked, now, proof.ErrNone},
		"a key of another kind":  {ed(t).Public(), asked, now, proof.ErrNone},
		"another method":         {key.Public(), proof.Request{Method: "GET", URL: asked.URL, Body: asked.Body}, now, proof.ErrNone},
		"another address":        {key.Public(), proof.Request{Method: asked.Method, URL: "https://b.example/e/devices/v1/pushes/1?wait=2", Body: asked.Body}, now, proof.ErrNone},
		"another query":          {key.Public(), proof.Request{Method: asked.Method, URL: asked.URL + "0", Body: asked.Body}, now, proof.ErrNone},
		"another body":           {key.Public(), proof.Request{Method: asked.Method, URL: asked.URL, Body: []byte(`{"answer":"REJECT"}`)}, now, proof.ErrNone},
		"no body":                {key.Public(), proof.Request{Method: asked.Method, URL: asked.URL}, now, proof.ErrNone},
		"too late":               {key.Public(), asked, now.Add(proof.Leeway + time.Second), proof.ErrStale},
		"too early":              {key.Public(), asked, now.Add(-proof.Leeway - time.Second), proof.ErrStale},
		"late, by another's key": {p256(t).Public(), asked, now.Add(time.Hour), proof.ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := proof.Parse(token)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Verify(row.key, row.of, row.at); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

// forge signs as an attacker may like.
func forge(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, embed bool, payload string) string {
	t.Helper()
	o := &jose.SignerOptions{EmbedJWK: embed, ExtraHeaders: header}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func part(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func good(t testing.TB) string {
	t.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(sign(t, p256(t), device), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(claims)
}

// TestNoOtherAlgorithmOrFormIsTaken: also where the signature is right.
func TestNoOtherAlgorithmOrFormIsTaken(t *testing.T) {
	key, claims := p256(t), good(t)
	der, err := proof.MarshalKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := map[jose.HeaderKey]any{"kid": device, "typ": "device+jwt"}
	with := func(name jose.HeaderKey, v any) map[jose.HeaderKey]any {
		return map[jose.HeaderKey]any{"kid": device, "typ": "device+jwt", name: v}
	}
	es := func(header map[jose.HeaderKey]any, claims string) string {
		return forge(t, jose.ES256, key, header, false, claims)
	}
	if _, err := proof.Parse(es(kid, claims)); err != nil {
		t.Fatalf("the forger's own form is not the right one: %v", err)
	}
	for name, token := range map[string]string{
		"nothing":                          "",
		"none":                             part(`{"alg":"none","kid":"`+device+`","typ":"device+jwt"}`) + "." + part(claims) + ".",
		"HS256 by the public key":          forge(t, jose.HS256, der, kid, false, claims),
		"RS256":                            forge(t, jose.RS256, rsaKey, kid, false, claims),
		"ES384":                            forge(t, jose.ES384, p384, kid, false, claims),
		"a key on P-384 embedded":          forge(t, jose.ES384, p384, map[jose.HeaderKey]any{"typ": "device+jwt"}, true, claims),
		"a key and an id":                  forge(t, jose.ES256, key, kid, true, claims),
		"neither":                          es(map[jose.HeaderKey]any{"typ": "device+jwt"}, claims),
		"of another type":                  es(map[jose.HeaderKey]any{"kid": device, "typ": "JWT"}, claims),
		"of no type":                       es(map[jose.HeaderKey]any{"kid": device}, claims),
		"an address of keys":               es(with("jku", "https://evil.example/keys"), claims),
		"a certificate":                    es(with("x5u", "https://evil.example/cert"), claims),
		"an id that is no text":            part(`{"alg":"ES256","kid":7,"typ":"device+jwt"}`) + "." + part(claims) + "." + part("x"),
		"a doubled claim":                  es(kid, strings.Replace(claims, `"htm":"POST"`, `"htm":"GET","htm":"POST"`, 1)),
		"a claim more":                     es(kid, strings.Replace(claims, `{`, `{"exp":9999999999,`, 1)),
		"a claim less":                     es(kid, `{"htm":"POST","htu":"x","body":"y","iat":1}`),
		"a time that is text":              es(kid, strings.Replace(claims, `1800000000`, `"1800000000"`, 1)),
		"half a second":                    es(kid, strings.Replace(claims, `1800000000`, `1800000000.5`, 1)),
		"a time before time":               es(kid, strings.Replace(claims, `1800000000`, `-1`, 1)),
		"a short id":                       es(kid, `{"htm":"POST","htu":"x","body":"y","iat":1,"jti":"abc"}`),
		"a long id":                        es(kid, `{"htm":"POST","htu":"x","body":"y","iat":1,"jti":"`+strings.Repeat("a", 65)+`"}`),
		"an id with a colon":               es(kid, `{"htm":"POST","htu":"x","body":"y","iat":1,"jti":"aaaaaaaaaaaaaaaa:b"}`),
		"claims that are a list":           es(kid, `[]`),
		"claims that are none":             es(kid, `POST`),
		"too long":                         es(kid, strings.Replace(claims, `POST`, strings.Repeat("P", 5000), 1)),
		"a blank before":                   " " + es(kid, claims),
		"the JSON form":                    `{"payload":"` + part(claims) + `","protected":"` + part(`{"alg":"ES256"}`) + `","signature":"AA"}`,
		"five parts":                       es(kid, claims) + ".a.b",
		"a critical member":                part(`{"alg":"ES256","crit":["b64"],"b64":false,"kid":"`+device+`","typ":"device+jwt"}`) + "." + part(claims) + "." + part("x"),
		"a private key embedded":           embedded(t, key, `"d":"AA",`, claims),
		"a point that is not on its curve": part(`{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"`+part(strings.Repeat("a", 32))+`","y":"`+part(strings.Repeat("b", 32))+`"},"typ":"device+jwt"}`) + "." + part(claims) + "." + part("x"),
		"a key with a use":                 embedded(t, key, `"use":"sig",`, claims),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := proof.Parse(token); !errors.Is(err, proof.ErrNone) {
				t.Errorf("taken: %+v, %v", p, err)
			}
		})
	}
}

// embedded has a key in its header with members more.
func embedded(t testing.TB, key *ecdsa.PrivateKey, more, claims string) string {
	t.Helper()
	jwk, err := json.Marshal(jose.JSONWebKey{Key: key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	return part(`{"alg":"ES256","jwk":{`+more+string(jwk[1:])+`,"typ":"device+jwt"}`) + "." + part(claims) + "." + part("x")
}

// TestAnAlgorithmIsThatOfItsKey: a header that names the other of the two is refused
// with either key.
func TestAnAlgorithmIsThatOfItsKey(t *testing.T) {
	ec, edKey := p256(t), ed(t)
	for _, key := range []crypto.Signer{ec, edKey} {
		p, err := proof.Parse(sign(t, key, device))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []crypto.PublicKey{ec.Public(), edKey.Public()} {
			_, err := p.Verify(other, asked, now)
			same := other.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public())
			if same != (err == nil) {
				t.Errorf("%T by %T: %v", key, other, err)
			}
		}
	}
}

func TestOnlyTwoKindsOfKeyAreKept(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{rsaKey, p384} {
		if _, err := proof.MarshalKey(key.Public()); err == nil {
			t.Errorf("%T is kept", key)
		}
		if _, err := proof.Sign(key, device, asked, now, rand.Reader); err == nil {
			t.Errorf("%T signs", key)
		}
	}
	if _, err := proof.ParseKey([]byte("no key")); err == nil {
		t.Error("no key is read as one")
	}
}

// FuzzParse: whatever is sent, reading it ends, and what is read was made by somebody
// who knows the form.
func FuzzParse(f *testing.F) {
	ec, edKey := p256(f), ed(f)
	for _, token := range []string{
		sign(f, ec, device), sign(f, edKey, ""), sign(f, ec, ""), "", ".", "..", "a.b.c",
		part(`{"alg":"none"}`) + "..", part(`{"alg":"ES256","jwk":null,"typ":"device+jwt"}`) + "." + part("{}") + ".AA",
		part(`{"alg":"ES256","jwk":{},"typ":"device+jwt"}`) + "." + part("{}") + ".AA",
		part(`{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":""},"typ":"device+jwt"}`) + "." + part("{}") + ".AA",
		part(`{"alg":"ES256","kid":"","typ":"device+jwt"}`) + "." + part("{}") + ".AA",
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := proof.Parse(token)
		if err != nil {
			if !errors.Is(err, proof.ErrNone) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		if (p.Device == "") == (p.Key == nil) {
			t.Errorf("both or neither: %+v", p)
		}
		if p.Key != nil {
			if _, err := proof.MarshalKey(p.Key); err != nil {
				t.Errorf("a key that is not kept: %v", err)
			}
			_, _ = p.Verify(p.Key, asked, now)
		}
		if _, err := p.Verify(ec.Public(), proof.Request{}, now); err == nil {
			t.Error("believed of an empty request")
		}
	})
}
