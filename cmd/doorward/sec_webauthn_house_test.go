package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"

	visit "doorward/internal/journey"
)

// The flags of authenticator data. Source: WebAuthn level 3, 6.1.
const (
	present  = 1 << 0
	verified = 1 << 2
	eligible = 1 << 3 // for a backup
	backedUp = 1 << 4
	attested = 1 << 6
	extended = 1 << 7
)

// stick is an authenticator with one credential, which does as it is told.
type stick struct {
	x          *trial
	device     string // id
	private    *ecdsa.PrivateKey
	id, handle []byte
	rp, page   string
	counter    uint32
	flags      byte
}

// signing is what an answer is made of; tests change it before it is signed.
type signing struct {
	*stick
	client     map[string]any
	clientText []byte // instead of client
	tail       []byte // behind the authenticator data
	data       []byte // instead of all of it
	signature  func([]byte) []byte
	message    func(m, response map[string]any) // changes the JSON
	origin     string                           // that the body claims
}

type change func(*signing)

// newStick makes a credential of the guarded environment, on its pages.
func (x *trial) newStick() *stick {
	x.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		x.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id) // cannot fail
	return &stick{x: x, private: k, id: id, rp: guardedRP, page: guardedPage, flags: present | verified}
}

func plain(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *stick) bytes(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		k.x.Fatal(err)
	}
	return b
}

// make is the authenticator data and what the client signs over.
func (s *signing) make(ceremony, challenge string, behind []byte, changes []change) (data, clientText []byte) {
	s.client = map[string]any{"type": ceremony, "challenge": challenge, "origin": s.page, "crossOrigin": false}
	s.origin = s.page
	for _, c := range changes {
		c(s)
	}
	party := sha256.Sum256([]byte(s.rp))
	data = append(party[:], s.flags)
	if behind != nil {
		data[32] |= attested
	}
	data = slices.Concat(binary.BigEndian.AppendUint32(data, s.counter), behind, s.tail)
	if s.data != nil {
		data = s.data
	}
	if s.clientText != nil {
		return data, s.clientText
	}
	return data, s.x.json(s.client)
}

func (s *signing) write(response map[string]any) map[string]any {
	m := map[string]any{
		"id": plain(s.id), "rawId": plain(s.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	}
	if s.message != nil {
		s.message(m, response)
	}
	return m
}

// attestation is the body that answers creation options. Source: WebAuthn level 3,
// 6.5; RFC 8949; RFC 9052 (the key, of the parameters 1, 3, -1, -2, -3).
func (k *stick) attestation(o visit.Options, changes ...change) map[string]any {
	k.x.Helper()
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		k.x.Fatal(err)
	}
	k.handle = k.bytes(o.User.ID)
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20}, point[1:33], []byte{0x22, 0x58, 0x20}, point[33:])
	copied := *k
	s := &signing{stick: &copied}
	data, clientText := s.make("webauthn.create", o.Challenge, slices.Concat(make([]byte, 16), []byte{0, byte(len(k.id))}, k.id, cose), changes)
	object := slices.Concat([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), []byte{byte(len(data))}, data)
	return map[string]any{"origin": s.origin, "attestation": s.write(map[string]any{
		"clientDataJSON": plain(clientText), "attestationObject": plain(object), "transports": []string{"internal"},
	})}
}

// assertion is the body that answers request options.
func (k *stick) assertion(o visit.Options, changes ...change) map[string]any {
	k.x.Helper()
	copied := *k
	s := &signing{stick: &copied}
	data, clientText := s.make("webauthn.get", o.Challenge, nil, changes)
	hash := sha256.Sum256(clientText)
	sum := sha256.Sum256(slices.Concat(data, hash[:]))
	sig, err := ecdsa.SignASN1(rand.Reader, s.private, sum[:])
	if err != nil {
		k.x.Fatal(err)
	}
	if s.signature != nil {
		sig = s.signature(sig)
	}
	return map[string]any{"origin": s.origin, "assertion": s.write(map[string]any{
		"clientDataJSON": plain(clientText), "authenticatorData": plain(data), "signature": plain(sig), "userHandle": plain(s.handle),
	})}
}

// key is a passkey of a lodger, made by the management API.
func (r *lodger) key(changes ...change) *stick {
	r.x.Helper()
	k := r.x.newStick()
	if r.app.Env == twinEnv {
		k.rp, k.page = twinRP, twinPage
	}
	return r.register(k, changes...)
}

// register adds a credential to the devices of a lodger.
func (r *lodger) register(k *stick, changes ...change) *stick {
	r.x.Helper()
	made := r.add(map[string]any{"type": "FIDO2"})
	k.device, _ = made["id"].(string)
	text, _ := made["publicKeyCredentialCreationOptions"].(string)
	var vendor struct { // bytes are lists of numbers there
		Challenge []int8
		User      struct{ ID []int8 }
	}
	if err := json.Unmarshal([]byte(text), &vendor); err != nil {
		r.x.Fatal(err)
	}
	var o visit.Options
	o.Challenge, o.User.ID = plain(unsigned(vendor.Challenge)), plain(unsigned(vendor.User.ID))
	r.admin.act(http.MethodPost, r.devices()+"/"+k.device, "device.activate", k.attestation(o, changes...)).Is(200)
	return k
}

func unsigned(list []int8) []byte {
	out := make([]byte, len(list))
	for i, n := range list {
		out[i] = byte(n)
	}
	return out
}

// options are what a flow asks an authenticator with now.
func options(f *visit.Flow) visit.Options { return f.Get().Flow().Request }

// signs answers what a flow asks now.
func (k *stick) signs(f *visit.Flow, changes ...change) *visit.Answer {
	k.x.Helper()
	k.counter++
	return f.Act("assertion.check", k.assertion(options(f), changes...))
}

// signCount is the counter that is kept of a credential.
func (k *stick) signCount() (n int64) {
	k.x.Helper()
	if err := k.x.db.QueryRowContext(k.x.Context(), `SELECT sign_count FROM devices WHERE id = $1`, k.device).Scan(&n); err != nil {
		k.x.Fatal(err)
	}
	return n
}
