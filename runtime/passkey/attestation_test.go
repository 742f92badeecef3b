package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"testing"
	"time"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

func direct(p *mfapolicy.FIDO2Policy) { p.Attestation = mfapolicy.Direct }

func audit(p *mfapolicy.FIDO2Policy) { direct(p); p.Authenticators.Option = mfapolicy.AuditOnly }

// specific lets in some models, always.
func specific(models ...[16]byte) func(*mfapolicy.FIDO2Policy) {
	return func(p *mfapolicy.FIDO2Policy) {
		direct(p)
		p.Authenticators.Option, p.Authenticators.Allowed, p.Authenticators.Enforced = mfapolicy.Specific, models, true
	}
}

// TestAttestation is about what is asked of the word of an authenticator's maker.
func TestAttestation(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	m := newMaker(t, a.aaguid, nil)
	forged := func(p *parts) {
		m.packed(p)
		p.statement = func(_, hash []byte) any {
			return map[string]any{"alg": -7, "sig": m.key.sign(hash), "x5c": []any{m.cert}}
		}
	}
	named := func(format string, statement any) change {
		return func(p *parts) { p.format, p.statement = format, func(_, _ []byte) any { return statement } }
	}
	refused, other := passkey.ReasonAttestation, passkey.ReasonAuthenticator
	for name, c := range map[string]struct {
		change                            change
		none, direct, audit, mine, others string // the format that is stored, or why it is refused
	}{
		"none":                      {func(*parts) {}, "none", refused, "none", refused, refused},
		"none, with a statement":    {named("none", map[string]any{"alg": -7}), refused, refused, refused, refused, refused},
		"none, with a list":         {named("none", []any{1}), refused, refused, refused, refused, refused},
		"by its own key":            {self(a), "none", "self", "self", other, other},
		"by a certificate":          {m.packed, "none", "packed", "packed", "packed", other},
		"older device":              {m.u2f(a), "none", "fido-u2f", "fido-u2f", other, other},
		"chip of a computer":        {newMaker(t, a.aaguid, chip("id:414D4400")).tpm(a), "none", "tpm", "tpm", "tpm", other},
		"chip of nobody":            {newMaker(t, a.aaguid, chip("id:00000000")).tpm(a), "none", refused, refused, refused, refused},
		"chip for another key":      {newMaker(t, a.aaguid, chip("id:414D4400")).tpm(newAuthenticator(es256(t), 1)), "none", refused, refused, refused, refused},
		"false":                     {forged, "none", refused, refused, refused, refused},
		"of another model":          {newMaker(t, [16]byte{9}, nil).packed, "none", refused, refused, refused, refused},
		"by an authority":           {newMaker(t, a.aaguid, func(c *x509.Certificate) { c.IsCA = true }).packed, "none", refused, refused, refused, refused},
		"expired":                   {newMaker(t, a.aaguid, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }).packed, "none", refused, refused, refused, refused},
		"not for authenticators":    {newMaker(t, a.aaguid, func(c *x509.Certificate) { c.Subject.OrganizationalUnit = nil }).packed, "none", refused, refused, refused, refused},
		"packed, with nothing":      {named("packed", map[string]any{}), "none", refused, refused, refused, refused},
		"packed, with no chain":     {named("packed", map[string]any{"alg": -7, "sig": []byte{1}, "x5c": []any{}}), "none", refused, refused, refused, refused},
		"tpm, with nothing":         {named("tpm", map[string]any{}), "none", refused, refused, refused, refused},
		"apple, with nothing":       {named("apple", map[string]any{}), "none", refused, refused, refused, refused},
		"android-key, with nothing": {named("android-key", map[string]any{}), "none", refused, refused, refused, refused},
		"no longer made":            {named("android-safetynet", map[string]any{}), "none", refused, "none", refused, refused},
		"unknown":                   {named("packed ", map[string]any{"alg": -7}), "none", refused, "none", refused, refused},
	} {
		for policyName, p := range map[string]struct {
			policy *mfapolicy.FIDO2Policy
			want   string
		}{
			"not asked": {policy(nil), c.none}, "asked": {policy(direct), c.direct}, "recorded": {policy(audit), c.audit},
			"this model": {policy(specific([16]byte{7}, a.aaguid)), c.mine}, "other models": {policy(specific([16]byte{7}, [16]byte{})), c.others},
		} {
			t.Run(name+", "+policyName, func(t *testing.T) {
				made, err := passkey.Register(registration(a.registered(t, c.change), p.policy))
				if got := reason(t, err) + made.Format; got != p.want {
					t.Errorf("%q, want %q", got, p.want)
				}
			})
		}
	}
}

// TestModelsAtSignOn is about models that a policy no longer lets in.
func TestModelsAtSignOn(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, c := range map[string]struct {
		format   string
		models   [16]byte
		enforced bool
		want     string
	}{
		"let in":                           {"packed", a.aaguid, true, ""},
		"no longer let in":                 {"packed", [16]byte{7}, true, passkey.ReasonAuthenticator},
		"no longer let in, of new devices": {"packed", [16]byte{7}, false, ""},
		"let in by its own word":           {"none", a.aaguid, true, passkey.ReasonAuthenticator},
		"let in by its own key":            {passkey.FormatSelf, a.aaguid, true, passkey.ReasonAuthenticator},
	} {
		t.Run(name, func(t *testing.T) {
			stored := a.stored(0)
			stored.Format = c.format
			pol := policy(specific(c.models))
			pol.Authenticators.Enforced = c.enforced
			if _, err := passkey.Assert(assertion(a.asserted(t), pol, stored)); reason(t, err) != c.want {
				t.Error(err)
			}
		})
	}
}

// TestAttestationObject is about its CBOR.
func TestAttestationObject(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, change := range map[string]func(map[string]any){
		"no format":               func(o map[string]any) { delete(o, "fmt") },
		"no statement":            func(o map[string]any) { delete(o, "attStmt") },
		"no data":                 func(o map[string]any) { delete(o, "authData") },
		"one member more":         func(o map[string]any) { o["epAtt"] = true },
		"other case":              func(o map[string]any) { o["AuthData"] = o["authData"]; delete(o, "authData") },
		"format is a number":      func(o map[string]any) { o["fmt"] = 1 },
		"format is bytes":         func(o map[string]any) { o["fmt"] = []byte("none") },
		"statement is text":       func(o map[string]any) { o["attStmt"] = "" },
		"data is text":            func(o map[string]any) { o["authData"] = "" },
		"format is null":          func(o map[string]any) { o["fmt"] = nil },
		"statement is null":       func(o map[string]any) { o["attStmt"] = nil },
		"a list for its compound": func(o map[string]any) { o["fmt"], o["attStmt"] = "compound", []any{1} },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := passkey.Register(registration(a.registered(t, func(p *parts) { p.object = change }), policy(nil)))
			if reason(t, err) != passkey.ReasonAttestation {
				t.Error(err)
			}
		})
	}
	for name, raw := range map[string][]byte{
		"one byte": {0xa0}, "not CBOR": {0xff}, "endless": {0xbf, 0xff}, "a tag": {0xd9, 0xd9, 0xf7, 0xa0},
	} {
		t.Run(name, func(t *testing.T) {
			text := edited(t, a.registered(t), func(m map[string]any) { m["response"].(map[string]any)["attestationObject"] = raw64(raw) })
			if _, err := passkey.Register(registration(text, policy(nil))); reason(t, err) != passkey.ReasonAttestation {
				t.Error(err)
			}
		})
	}
}

// TestCostlyCertificates holds that nobody makes us work for long: verifying by a key of
// 64 Ki bits would take more than a tenth of a second.
func TestCostlyCertificates(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	m := newMaker(t, a.aaguid, nil)
	huge, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &rsa.PublicKey{N: new(big.Int).SetBytes(odd(8192)), E: 1<<31 - 1}, huge)
	if err != nil {
		t.Fatal(err)
	}
	statement := func(s map[string]any) change {
		return func(p *parts) { p.format, p.statement = "packed", func(_, _ []byte) any { return s } }
	}
	for name, c := range map[string]change{
		"a large key":  statement(map[string]any{"alg": -257, "sig": append([]byte{0}, odd(8191)...), "x5c": []any{der}}),
		"a long chain": statement(map[string]any{"alg": -7, "sig": []byte{1}, "x5c": slices.Repeat([]any{m.cert}, 9)}),
	} {
		t.Run(name, func(t *testing.T) {
			in := registration(a.registered(t, c), policy(direct))
			best := time.Hour
			for range 5 {
				start := time.Now()
				if _, err := passkey.Register(in); reason(t, err) != passkey.ReasonAttestation {
					t.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			if best > 50*time.Millisecond {
				t.Error("takes", best)
			}
		})
	}
}

// vector is one of those of the standard.
type vector struct {
	Section, Name, Credential    string
	Registration, Authentication map[string]string
}

// TestVectorsOfTheStandard judges what the standard gives as examples. Source: WebAuthn
// level 3, 16; testdata/vectors.json.
func TestVectorsOfTheStandard(t *testing.T) {
	var vectors []vector
	readFile(t, "testdata/vectors.json", &vectors)
	want := map[string]string{ // where an attestation is asked for
		"16.2": passkey.ReasonAttestation, "16.3": passkey.FormatSelf, "16.6": passkey.ReasonAttestation,
		"16.4": passkey.ReasonCrossOrigin, "16.5": passkey.ReasonCrossOrigin,
		"16.7": "packed", "16.8": passkey.ReasonKey, "16.9": passkey.ReasonKey, // ES384 and ES512 are not offered
		"16.10": "packed", "16.11": "packed", "16.16": "fido-u2f",
		"16.13": passkey.ReasonAttestation,                                     // by a maker that is none
		"16.14": passkey.ReasonAttestation, "16.15": passkey.ReasonAttestation, // by the root of the standard, not those of the makers
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			in := registration(v.message(t, v.Registration), policy(direct))
			in.Party, in.Challenge = passkey.Party{ID: "example.org", Origins: []string{"https://example.org"}}, bytesOf(t, v.Registration["challenge"])
			made, err := passkey.Register(in)
			if got := reason(t, err) + made.Format; got != want[v.Section] {
				t.Fatalf("%q, want %q", got, want[v.Section])
			}
			in.Policy = policy(nil)
			made, err = passkey.Register(in)
			if w := want[v.Section]; w == passkey.ReasonCrossOrigin || w == passkey.ReasonKey {
				if reason(t, err) != w {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ass := assertion(v.message(t, v.Authentication), policy(nil), made)
			ass.Party, ass.Challenge = in.Party, bytesOf(t, v.Authentication["challenge"])
			if _, err := passkey.Assert(ass); err != nil {
				t.Error(err)
			}
		})
	}
	if len(vectors) != len(want) {
		t.Error(len(vectors), "vectors")
	}
}

func (v vector) message(t *testing.T, response map[string]string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"id": v.Credential, "rawId": v.Credential, "type": "public-key", "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDevicesOfTheirMakers judges what an iPhone and an Android phone have said, by the
// roots of their makers. Source: the test data of github.com/go-webauthn/webauthn.
func TestDevicesOfTheirMakers(t *testing.T) {
	var devices map[string]json.RawMessage
	readFile(t, "testdata/devices.json", &devices)
	for format, c := range map[string]struct{ id, origin, challenge string }{
		"apple":       {"6cc3c9e7967a.ngrok.io", "https://6cc3c9e7967a.ngrok.io", "kOwMvE2mQO6ou0B0jjD0VA"},
		"android-key": {"localhost", "http://localhost:8000", "t4LWI0iYJSTWPl9WXUdNhdHAnrPDLF9eWAP9lHgmHP8"},
	} {
		t.Run(format, func(t *testing.T) {
			in := registration(string(devices[format]), policy(direct))
			in.Party, in.Challenge = passkey.Party{ID: c.id, Origins: []string{c.origin}}, bytesOf(t, c.challenge)
			made, err := passkey.Register(in)
			if err != nil || made.Format != format {
				t.Fatal(made.Format, err)
			}
			in.Policy = policy(specific(made.AAGUID))
			if _, err := passkey.Register(in); err != nil {
				t.Error(err)
			}
		})
	}
}

func readFile(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}
