package passkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// policies are those that lead down different ways.
func policies() []*mfapolicy.FIDO2Policy {
	return []*mfapolicy.FIDO2Policy{policy(nil), policy(direct), policy(audit), policy(specific([16]byte{1, 2, 3}))}
}

// tryRegister fails when a credential is made that could not sign anybody on.
func tryRegister(t *testing.T, text string) {
	t.Helper()
	for _, id := range []string{"auth.example", "example.org"} { // the latter is that of the vectors
		for _, pol := range policies() {
			in := registration(text, pol)
			in.Party.ID = id
			c, err := passkey.Register(in)
			if err != nil {
				reason(t, err)
				continue
			}
			if _, err := webauthncose.ParsePublicKey(c.PublicKey); err != nil || len(c.ID) == 0 || len(c.ID) > 1023 || !bytes.Equal(c.Handle, handle(1)) {
				t.Fatalf("%v %+v", err, c)
			}
		}
	}
}

// FuzzAttestation reads any text as the answer to creation options.
func FuzzAttestation(f *testing.F) {
	a := newAuthenticator(es256(f), 1)
	for _, vendor := range []bool{false, true} {
		f.Add(a.registered(f, func(p *parts) { p.vendor = vendor }))
	}
	f.Add(`{"id":"AA","rawId":"AA==","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`)
	f.Fuzz(tryRegister)
}

// FuzzAttestationObject goes deeper: any bytes as client data and attestation object.
func FuzzAttestationObject(f *testing.F) {
	a := newAuthenticator(es256(f), 1)
	m := newMaker(f, a.aaguid, nil)
	chip := newMaker(f, a.aaguid, chip("id:414D4400"))
	for _, c := range []change{func(*parts) {}, self(a), m.packed, m.u2f(a), chip.tpm(a), func(p *parts) { p.flags, p.tail = p.flags|ed, []byte{0xa0} }} {
		response := response(f, a.registered(f, c))
		f.Add(a.id, response["clientDataJSON"], response["attestationObject"], false)
	}
	var vectors []vector
	readFile(f, "testdata/vectors.json", &vectors)
	for _, v := range vectors {
		f.Add(bytesOf(f, v.Credential), response(f, a.registered(f))["clientDataJSON"], bytesOf(f, v.Registration["attestationObject"]), true)
	}
	f.Fuzz(func(t *testing.T, id, clientText, object []byte, vendor bool) {
		tryRegister(t, message(t, id, vendor, map[string][]byte{"clientDataJSON": clientText, "attestationObject": object}))
	})
}

// FuzzAssertion reads any text as the answer to request options. The key that would
// have to sign it is thrown away.
func FuzzAssertion(f *testing.F) {
	a, other := newAuthenticator(es256(f), 1), es256(f)
	for _, vendor := range []bool{false, true} {
		f.Add(a.asserted(f, func(p *parts) { p.vendor = vendor }))
	}
	stored := a.stored(0)
	stored.PublicKey = other.cose
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := passkey.Assert(assertion(text, policy(nil), stored)); err == nil {
			t.Fatalf("%+v", v)
		}
		if id, user, err := passkey.Named(text); err == nil && (len(id) == 0 || len(user) > 64) {
			t.Fatal(id, user)
		}
	})
}

// FuzzAssertionData goes deeper, in the same way.
func FuzzAssertionData(f *testing.F) {
	a, other := newAuthenticator(es256(f), 1), es256(f)
	for _, c := range []change{func(*parts) {}, func(p *parts) { p.flags |= at | ed }, func(p *parts) { p.flags, p.tail = p.flags|ed, []byte{0xa0} }} {
		response := response(f, a.asserted(f, c))
		f.Add(response["clientDataJSON"], response["authenticatorData"], response["signature"], other.cose, false)
	}
	f.Fuzz(func(t *testing.T, clientText, data, sig, public []byte, vendor bool) {
		stored := a.stored(0)
		stored.PublicKey = public
		if bytes.Equal(public, a.cose) {
			t.Skip("the right key")
		}
		text := message(t, a.id, vendor, map[string][]byte{"clientDataJSON": clientText, "authenticatorData": data, "signature": sig})
		if v, err := passkey.Assert(assertion(text, policy(nil), stored)); err == nil {
			t.Fatalf("%+v", v)
		}
	})
}

func response(t testing.TB, text string) map[string][]byte {
	t.Helper()
	var m struct{ Response map[string]any }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, v := range m.Response {
		if s, ok := v.(string); ok {
			out[name] = bytesOf(t, s)
		}
	}
	return out
}

func message(t testing.TB, id []byte, vendor bool, of map[string][]byte) string {
	t.Helper()
	encoding := base64.RawURLEncoding
	if vendor {
		encoding = base64.StdEncoding
	}
	response := map[string]string{}
	for name, b := range of {
		response[name] = encoding.EncodeToString(b)
	}
	b, err := json.Marshal(map[string]any{"id": raw64(id), "rawId": encoding.EncodeToString(id), "type": "public-key", "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
