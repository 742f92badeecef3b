package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// TestCredentialOfSomebodyElse is about whose credential has answered. Source: WebAuthn
// level 3, 7.2 steps 5 and 6.
func TestCredentialOfSomebodyElse(t *testing.T) {
	ada, mallory := newAuthenticator(es256(t), 1), newAuthenticator(es256(t), 2)
	newer := newAuthenticator(es256(t), 1)
	says := func(user any) change {
		return func(p *parts) { p.message = func(_, response map[string]any) { response["userHandle"] = user } }
	}
	for name, c := range map[string]struct {
		text         string
		of           []device.Credential
		discoverable bool
		want         string
	}{
		"her own":                            {ada.asserted(t), creds(ada), false, ""},
		"her own, and nobody was known":      {ada.asserted(t), creds(ada), true, ""},
		"her own, one of several":            {newer.asserted(t), creds(ada, newer), false, ""},
		"her own, without her handle":        {ada.asserted(t, says(nil)), creds(ada), false, ""},
		"her own, with an empty handle":      {ada.asserted(t, says("")), creds(ada), false, ""},
		"without a handle, nobody was known": {ada.asserted(t, says(nil)), creds(ada), true, passkey.ReasonHandle},
		"empty handle, nobody was known":     {ada.asserted(t, says("")), creds(ada), true, passkey.ReasonHandle},
		"his":                                {mallory.asserted(t), creds(ada), false, passkey.ReasonCredential},
		"his, and nobody was known":          {mallory.asserted(t), creds(mallory), true, ""},
		"her id with his signature":          {authenticator{mallory.key, ada.id, ada.handle, ada.aaguid}.asserted(t), creds(ada), false, passkey.ReasonSignature},
		"hers with his handle":               {ada.asserted(t, says(raw64(handle(2)))), creds(ada), false, passkey.ReasonHandle},
		"his with her handle":                {mallory.asserted(t, says(raw64(handle(1)))), creds(mallory), true, passkey.ReasonHandle},
		"hers with a part of her handle":     {ada.asserted(t, says(raw64(handle(1)[:32]))), creds(ada), false, passkey.ReasonHandle},
		"a newer one that was not asked for": {newer.asserted(t), creds(ada), false, passkey.ReasonCredential},
		"one that was deleted":               {ada.asserted(t), nil, false, passkey.ReasonCredential},
		"of another relying party":           {ada.asserted(t), changed(ada, func(c *device.Credential) { c.RPID = "other.example" }), false, passkey.ReasonCredential},
		"of nobody":                          {ada.asserted(t, says(nil)), changed(ada, func(c *device.Credential) { c.Handle = nil }), false, passkey.ReasonHandle},
		"of which no key is stored":          {ada.asserted(t), changed(ada, func(c *device.Credential) { c.PublicKey = nil }), false, passkey.ReasonSignature},
		"of which no key can be read":        {ada.asserted(t), changed(ada, func(c *device.Credential) { c.PublicKey = []byte{0xa0} }), false, passkey.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			in := assertion(c.text, policy(nil), c.of...)
			in.Discoverable = c.discoverable
			v, err := passkey.Assert(in)
			if reason(t, err) != c.want {
				t.Error(err)
			}
			if c.want != "" && (v.Verified || v.Credential.ID != nil) {
				t.Error("says something of a credential", v)
			}
		})
	}
}

func creds(of ...authenticator) []device.Credential {
	var out []device.Credential
	for _, a := range of {
		out = append(out, a.stored(0))
	}
	return out
}

func changed(a authenticator, change func(*device.Credential)) []device.Credential {
	c := a.stored(0)
	change(&c)
	return []device.Credential{c}
}

// TestSignature is about what was signed, and by whom.
func TestSignature(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, alter := range map[string]func([]byte) []byte{
		"cut off":         func(s []byte) []byte { return s[:len(s)-1] },
		"one byte":        func(s []byte) []byte { return s[:1] },
		"with more of it": func(s []byte) []byte { return append(s, 0) },
		"not ASN.1":       func([]byte) []byte { return make([]byte, 64) },
		"zeros":           func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} },
		"changed":         func(s []byte) []byte { s = slices.Clone(s); s[len(s)-1] ^= 1; return s },
	} {
		t.Run(name, func(t *testing.T) {
			text := a.asserted(t, func(p *parts) { p.signature = alter })
			if _, err := passkey.Assert(assertion(text, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonSignature {
				t.Error(err)
			}
		})
	}
	t.Run("over other client data", func(t *testing.T) {
		text := edited(t, a.asserted(t), func(m map[string]any) {
			response, _ := m["response"].(map[string]any)
			response["clientDataJSON"] = raw64([]byte(`{"type":"webauthn.get","challenge":"` + raw64(challenge(1)) + `","origin":"https://auth.example"}`))
		})
		if _, err := passkey.Assert(assertion(text, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonSignature {
			t.Error(err)
		}
	})
	t.Run("over other flags", func(t *testing.T) {
		text := edited(t, a.asserted(t, func(p *parts) { p.flags &^= uv }), func(m map[string]any) {
			response, _ := m["response"].(map[string]any)
			sum := sha256.Sum256([]byte("auth.example"))
			response["authenticatorData"] = raw64(append(sum[:], up|uv, 0, 0, 0, 0))
		})
		if _, err := passkey.Assert(assertion(text, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonSignature {
			t.Error(err)
		}
	})
}

// TestKeys is about what is taken as a public key.
func TestKeys(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := p384.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	with := func(c []byte) key { return key{c, nil} }
	for name, k := range map[string]key{
		"none":                          with(nil),
		"empty":                         with(cose(map[int]any{})),
		"without a point":               with(cose(map[int]any{1: 2, 3: -7, -1: 1})),
		"a point off the curve":         with(cose(map[int]any{1: 2, 3: -7, -1: 1, -2: make([]byte, 32), -3: make([]byte, 32)})),
		"a short point":                 with(cose(map[int]any{1: 2, 3: -7, -1: 1, -2: []byte{1}, -3: []byte{1}})),
		"ES384, which is not offered":   with(cose(map[int]any{1: 2, 3: -35, -1: 2, -2: point[1:49], -3: point[49:]})),
		"P-384 under the name of ES256": with(cose(map[int]any{1: 2, 3: -7, -1: 2, -2: point[1:49], -3: point[49:]})),
		"EdDSA without its curve":       with(cose(map[int]any{1: 1, 3: -8, -2: make([]byte, 32)})),
		"EdDSA too short":               with(cose(map[int]any{1: 1, 3: -8, -1: 6, -2: make([]byte, 31)})),
		"RSA of 1024 bits":              rsaKey(t, 1024, -257),
		"RSA under the name of ES256":   rsaKey(t, 2048, -7),
		"RSA with SHA-1":                rsaKey(t, 2048, -65535),
		"RSA of exponent 1":             with(cose(map[int]any{1: 3, 3: -257, -1: odd(256), -2: []byte{1}})),
		"RSA of an even exponent":       with(cose(map[int]any{1: 3, 3: -257, -1: odd(256), -2: []byte{4}})),
		"RSA of an even modulus":        with(cose(map[int]any{1: 3, 3: -257, -1: append(odd(256), 0), -2: []byte{3}})),
		"RSA of 8192 bits":              with(cose(map[int]any{1: 3, 3: -257, -1: odd(1024), -2: []byte{3}})),
		"a symmetric one":               with(cose(map[int]any{1: 4, 3: 5, -1: make([]byte, 32)})),
		"a type as text":                with(cose(map[int]any{1: "EC2", 3: "ES256"})),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := passkey.Register(registration(newAuthenticator(k, 1).registered(t), policy(nil)))
			if got := reason(t, err); got != passkey.ReasonKey && got != passkey.ReasonData {
				t.Error(err)
			}
		})
	}
}

func odd(n int) []byte { return slices.Repeat([]byte{0xff}, n) }

// TestRegistered is about what a new credential may be.
func TestRegistered(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	says := func(change func(m map[string]any)) change {
		return func(p *parts) { p.message = func(m, _ map[string]any) { change(m) } }
	}
	rk := func(v any) change {
		return says(func(m map[string]any) {
			m["clientExtensionResults"] = map[string]any{"credProps": map[string]any{"rk": v}}
		})
	}
	attached := func(v any) change { return says(func(m map[string]any) { m["authenticatorAttachment"] = v }) }
	only := func(at mfapolicy.Attachment) *mfapolicy.FIDO2Policy {
		return policy(func(p *mfapolicy.FIDO2Policy) { p.Attachment = at })
	}
	must := policy(func(p *mfapolicy.FIDO2Policy) { p.Discoverable = mfapolicy.Required })
	for name, c := range map[string]struct {
		change  change
		policy  *mfapolicy.FIDO2Policy
		exclude []device.Credential
		want    string
	}{
		"one more":                       {nil, policy(nil), creds(newAuthenticator(es256(t), 1)), ""},
		"the same again":                 {nil, policy(nil), creds(newAuthenticator(es256(t), 1), a), passkey.ReasonRegistered},
		"can be found":                   {rk(true), must, nil, ""},
		"cannot be found":                {rk(false), must, nil, passkey.ReasonDiscoverable},
		"cannot be found, and need not":  {rk(false), policy(nil), nil, ""},
		"does not say":                   {nil, must, nil, ""},
		"says something else":            {rk("yes"), policy(nil), nil, passkey.ReasonMessage},
		"of the machine":                 {attached("platform"), only(mfapolicy.PlatformOnly), nil, ""},
		"of the machine, but carried":    {attached("cross-platform"), only(mfapolicy.PlatformOnly), nil, passkey.ReasonAttachment},
		"carried, but of the machine":    {attached("platform"), only(mfapolicy.CrossPlatform), nil, passkey.ReasonAttachment},
		"does not say where it is":       {attached(nil), only(mfapolicy.CrossPlatform), nil, ""},
		"somewhere that nobody knows of": {attached("elsewhere"), policy(nil), nil, passkey.ReasonAttachment},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*parts) {}
			}
			in := registration(a.registered(t, change), c.policy)
			in.Exclude = c.exclude
			if _, err := passkey.Register(in); reason(t, err) != c.want {
				t.Error(err)
			}
		})
	}
	t.Run("id is not the one in its data", func(t *testing.T) {
		text := edited(t, a.registered(t), func(m map[string]any) { m["id"], m["rawId"] = raw64([]byte("other")), raw64([]byte("other")) })
		if _, err := passkey.Register(registration(text, policy(nil))); reason(t, err) != passkey.ReasonData {
			t.Error(err)
		}
	})
	for n, want := range map[int]string{1023: "", 1024: passkey.ReasonMessage} {
		a := newAuthenticator(es256(t), 1)
		a.id = make([]byte, n)
		if _, err := passkey.Register(registration(a.registered(t), policy(nil))); reason(t, err) != want {
			t.Error(n, err)
		}
	}
}
