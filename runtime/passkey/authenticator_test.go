package passkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// The flags of authenticator data. Source: WebAuthn level 3, 6.1.
const (
	up = 1 << 0
	uv = 1 << 2
	be = 1 << 3
	bs = 1 << 4
	at = 1 << 6
	ed = 1 << 7
)

const apkOrigin = "android:apk-key-hash:AQIDBAUGBwgJCgsMDQ4PEBESExQ"

func party() passkey.Party {
	return passkey.Party{ID: "auth.example", Name: "Example", Origins: []string{"https://auth.example", apkOrigin}}
}

func policy(change func(*mfapolicy.FIDO2Policy)) *mfapolicy.FIDO2Policy {
	p := mfapolicy.DefaultFIDO2("auth.example")
	if change != nil {
		change(p)
	}
	return p
}

// verified is a policy that asks for the person to be verified, always.
func verified(p *mfapolicy.FIDO2Policy) {
	p.UserVerification.Option, p.UserVerification.Enforced = mfapolicy.Required, true
}

func challenge(n byte) []byte { return slices.Repeat([]byte{n}, 32) }

func handle(n byte) []byte { return slices.Repeat([]byte{n}, 64) }

// key is that of a credential: how it is written, and how it signs.
type key struct {
	cose []byte
	sign func(message []byte) []byte
}

func cose(m map[int]any) []byte {
	b, err := webauthncbor.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

func es256(t testing.TB) key {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return key{cose(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}), signer(t, k, crypto.SHA256)}
}

func eddsa(t testing.TB) key {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{cose(map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(public)}), func(m []byte) []byte { return ed25519.Sign(private, m) }}
}

// rsaKey is one of so many bits under the name of some algorithm.
func rsaKey(t testing.TB, bits, alg int) key {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	sign := signer(t, k, crypto.SHA256)
	if alg == -37 {
		sign = signer(t, k, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	return key{cose(map[int]any{1: 3, 3: alg, -1: k.N.Bytes(), -2: []byte{1, 0, 1}}), sign}
}

func signer(t testing.TB, k crypto.Signer, with crypto.SignerOpts) func([]byte) []byte {
	t.Helper()
	return func(m []byte) []byte {
		sum := sha256.Sum256(m)
		sig, err := k.Sign(rand.Reader, sum[:], with)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
}

// authenticator holds one credential and does as it is told, right or wrong.
type authenticator struct {
	key
	id, handle []byte
	aaguid     [16]byte
}

func newAuthenticator(k key, owner byte) authenticator {
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return authenticator{key: k, id: id, handle: handle(owner), aaguid: [16]byte{1, 2, 3}}
}

// parts is what an answer is made of; tests change them before it is signed.
type parts struct {
	client     map[string]any
	clientText []byte // instead of client
	rp         string
	flags      byte
	counter    uint32
	attested   []byte
	tail       []byte // behind authenticator data, such as extensions
	data       []byte // instead of all of it
	format     string
	statement  func(data, clientHash []byte) any // of the attestation; nil: empty
	object     func(map[string]any)              // changes the attestation object
	signature  func([]byte) []byte               // changes the signature
	message    func(m, response map[string]any)  // changes the JSON
	vendor     bool                              // in the vendor's form
}

type change func(*parts)

// registered is the answer to creation options, asked with challenge(1).
func (a authenticator) registered(t testing.TB, changes ...change) string {
	t.Helper()
	attested := binary.BigEndian.AppendUint16(a.aaguid[:], uint16(len(a.id)))
	p := parts{
		client: client("webauthn.create"), rp: "auth.example", flags: up | uv | at, format: "none",
		attested: slices.Concat(attested, a.id, a.cose),
	}
	data, clientText := p.make(t, changes)
	object := map[string]any{"fmt": p.format, "attStmt": map[string]any{}, "authData": data}
	if p.statement != nil {
		hash := sha256.Sum256(clientText)
		object["attStmt"] = p.statement(data, hash[:])
	}
	if p.object != nil {
		p.object(object)
	}
	raw, err := webauthncbor.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return p.write(t, a, map[string][]byte{"clientDataJSON": clientText, "attestationObject": raw}, []string{"internal", "hybrid"})
}

// asserted is the answer to request options, asked with challenge(1).
func (a authenticator) asserted(t testing.TB, changes ...change) string {
	t.Helper()
	p := parts{client: client("webauthn.get"), rp: "auth.example", flags: up | uv}
	data, clientText := p.make(t, changes)
	hash := sha256.Sum256(clientText)
	sig := a.sign(slices.Concat(data, hash[:]))
	if p.signature != nil {
		sig = p.signature(sig)
	}
	return p.write(t, a, map[string][]byte{"clientDataJSON": clientText, "authenticatorData": data, "signature": sig, "userHandle": a.handle}, nil)
}

func client(ceremony string) map[string]any {
	return map[string]any{
		"type": ceremony, "challenge": base64.RawURLEncoding.EncodeToString(challenge(1)), "origin": "https://auth.example", "crossOrigin": false,
	}
}

func (p *parts) make(t testing.TB, changes []change) (data, clientText []byte) {
	t.Helper()
	for _, c := range changes {
		c(p)
	}
	hash := sha256.Sum256([]byte(p.rp))
	data = append(hash[:], p.flags)
	data = binary.BigEndian.AppendUint32(data, p.counter)
	data = slices.Concat(data, p.attested, p.tail)
	if p.data != nil {
		data = p.data
	}
	if p.clientText != nil {
		return data, p.clientText
	}
	clientText, err := json.Marshal(p.client)
	if err != nil {
		t.Fatal(err)
	}
	return data, clientText
}

func (p *parts) write(t testing.TB, a authenticator, members map[string][]byte, transports []string) string {
	t.Helper()
	encoding := base64.RawURLEncoding
	response := map[string]any{}
	if p.vendor {
		encoding = base64.StdEncoding
	} else if transports != nil { // of toJSON
		response["transports"], response["publicKeyAlgorithm"], response["authenticatorData"] = transports, -7, "AAAA"
	}
	for name, b := range members {
		response[name] = encoding.EncodeToString(b)
	}
	m := map[string]any{
		"id": base64.RawURLEncoding.EncodeToString(a.id), "rawId": encoding.EncodeToString(a.id), "type": "public-key",
		"response": response, "clientExtensionResults": map[string]any{},
	}
	if !p.vendor {
		m["authenticatorAttachment"] = "platform"
	}
	if p.message != nil {
		p.message(m, response)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stored is the credential as a right registration leaves it.
func (a authenticator) stored(counter uint32) device.Credential {
	return device.Credential{
		ID: a.id, PublicKey: a.cose, SignCount: counter, AAGUID: a.aaguid, Format: "none", Handle: a.handle, RPID: "auth.example", Verified: true,
	}
}

func registration(text string, pol *mfapolicy.FIDO2Policy) passkey.Registration {
	return passkey.Registration{
		Party: party(), Policy: pol, Challenge: challenge(1), Attestation: text, User: passkey.User{Handle: handle(1), Name: "ada"},
	}
}

func assertion(text string, pol *mfapolicy.FIDO2Policy, of ...device.Credential) passkey.Assertion {
	return passkey.Assertion{Party: party(), Policy: pol, Challenge: challenge(1), Assertion: text, Credentials: of}
}

// reason is why something was refused; empty: it was not.
func reason(t testing.TB, err error) string {
	t.Helper()
	var e *passkey.Error
	if err == nil {
		return ""
	}
	if !errors.As(err, &e) {
		t.Fatalf("is no *passkey.Error: %v", err)
	}
	return e.Reason
}
