package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/google/uuid"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
	"doorward/session"
)

// What a second factor adds to an action: the judging of a code that was sent, and of
// an assertion by ES256, each with a database file and a memory store as the embedded
// server has them, and the library's own verification of the same assertion. What the
// action around them costs is measured with the server, by actions that judge nothing.
const (
	codeCheck      = "code that was sent, judged"
	assertionCheck = "assertion ES256, judged"
	assertionBare  = "assertion ES256, library alone"
)

func factorRows() []row {
	action := stepOf(embedded, 8)
	return []row{{
		name: "OTP check against a bare action, CPU", unit: "us", arms: []string{codeCheck, action}, target: atMost(1.3),
		values: func(r results) (sample, sample) {
			return r[codeCheck].value.plus(r[action].total()), r[action].total()
		},
	}, {
		name: "assertion check against library and bare action, CPU", unit: "us", arms: []string{assertionCheck, assertionBare, action}, target: atMost(1.5),
		values: func(r results) (sample, sample) {
			return r[assertionCheck].value.plus(r[action].total()), r[assertionBare].value.plus(r[action].total())
		},
	}}
}

func factorArms() []arm {
	return []arm{
		{name: codeCheck, run: func(ctx context.Context) (window, error) { return judging(ctx, (*factors).codes) }},
		{name: assertionCheck, run: func(ctx context.Context) (window, error) { return judging(ctx, (*factors).assertions) }},
		{name: assertionBare, run: func(ctx context.Context) (window, error) { return judging(ctx, (*factors).bare) }},
	}
}

// judged is how many answers are judged in one round, judges how many at a time: as many
// as there are clients of the action beside it.
const (
	judged = 2000
	judges = 8
)

// judging is the CPU of one answer, in microseconds.
func judging(ctx context.Context, of func(f *factors, ctx context.Context) ([]func() error, error)) (w window, err error) {
	dir, err := os.MkdirTemp("", "doorward-factors")
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f, err := newFactors(ctx, dir)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, f.db.Close(), f.memory.Close()) }()
	answers, err := of(f, ctx)
	if err != nil {
		return w, err
	}
	failed := make(chan error, judges)
	before := burnt()
	for judge := range judges {
		go func() {
			var err error
			for i := judge; i < len(answers); i += judges {
				err = errors.Join(err, answers[i]())
			}
			failed <- err
		}()
	}
	for range judges {
		err = errors.Join(err, <-failed)
	}
	w.value = float64((burnt() - before).Microseconds()) / float64(len(answers))
	return w, err
}

// factors is a service whose person has an address and a passkey.
type factors struct {
	*mfa.Service
	db     *directory.DB
	memory *session.Memory
	key    *ecdsa.PrivateKey
	user   string
	mail   device.Device
	token  device.Device
	code   string // that was sent last

	policy   *mfapolicy.Policy
	passkeys *mfapolicy.FIDO2Policy
	settings *mfapolicy.Settings
}

const (
	factorEnv    = "f0000000-0000-4000-8000-000000000001"
	factorOrigin = "https://bench.example"
	factorParty  = "bench.example"
)

func newFactors(ctx context.Context, dir string) (*factors, error) {
	ring, err := keys.Generate()
	if err != nil {
		return nil, err
	}
	db, err := directory.Open(ctx, directory.Options{Path: filepath.Join(dir, "doorward.db"), Now: time.Now})
	if err != nil {
		return nil, err
	}
	f := &factors{
		db: db, memory: session.NewMemory(session.DefaultMemory, time.Now),
		policy: mfapolicy.Default(), passkeys: mfapolicy.DefaultFIDO2(factorParty), settings: mfapolicy.DefaultSettings(),
	}
	devices := directory.NewDevices(db, ring, time.Now)
	f.Service = mfa.New(mfa.Options{
		Store: factorStore{devices: devices}, Secrets: factorSecrets{f.memory}, Tries: f.memory, Messages: f, People: f, Policies: f, Keys: ring,
		NormalEmail: directory.NormalEmail, NormalName: directory.NormalName, Random: rand.Reader, Now: time.Now,
	})
	hasher := directory.NewHasher(directory.Params{Memory: 64, Time: 1, Threads: 1}, 1, time.Now)
	u, err := directory.NewUsers(db, hasher, time.Now).Create(ctx, directory.User{Env: factorEnv, Username: "ada", Enabled: true, Population: uuid.NewString()}, "", "")
	if err != nil {
		return nil, err
	}
	f.user = u.ID
	if f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	handle, err := devices.Handle(ctx, factorEnv, f.user)
	if err != nil {
		return nil, err
	}
	add := func(d device.Device) (device.Device, error) {
		d.Env, d.UserID, d.Status = factorEnv, f.user, device.Active
		return devices.Create(ctx, directory.NewDevice{Device: d})
	}
	if f.mail, err = add(device.Device{Type: device.Email, Email: "ada@bench.example"}); err != nil {
		return nil, err
	}
	f.token, err = add(device.Device{Type: device.FIDO2, Credential: &device.Credential{
		ID: []byte("credential of the bench"), PublicKey: cose(f.key), Handle: handle, RPID: factorParty, Verified: true, Format: "none",
	}})
	return f, err
}

// cose is a public key of P-256 as a COSE_Key. Source: RFC 9053 7.1.1.
func cose(key *ecdsa.PrivateKey) []byte {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err) // of a key that was made a moment ago
	}
	out := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, point[1:33]...)
	return append(append(out, 0x22, 0x58, 0x20), point[33:]...)
}

func (f *factors) who(i int) mfa.Who {
	return mfa.Who{Env: factorEnv, UserID: f.user, Username: "ada", Flow: fmt.Sprint("flow-", i), Effect: fmt.Sprint("flow-", i, "/challenge/0")}
}

// codes are right answers to as many questions.
func (f *factors) codes(ctx context.Context) (out []func() error, err error) {
	for i := range judged {
		c, err := f.Challenge(ctx, mfa.Start{Who: f.who(i), Device: f.mail})
		if err != nil {
			return nil, err
		}
		who, code := f.who(i), f.code
		who.Effect += "/answer"
		out = append(out, func() error { return right(f.CheckOTP(ctx, mfa.OTP{Who: who, Challenge: c, Code: code})) })
	}
	return out, nil
}

func (f *factors) assertions(ctx context.Context) (out []func() error, err error) {
	for i := range judged {
		c, err := f.Challenge(ctx, mfa.Start{Who: f.who(i), Device: f.token})
		if err != nil {
			return nil, err
		}
		of := random()
		challenge, err := f.asked(c, of)
		if err != nil {
			return nil, err
		}
		in := mfa.Assertion{Who: f.who(i), Challenge: c, Bytes: of, Origin: factorOrigin, Assertion: f.sign(challenge)}
		in.Effect += "/answer"
		out = append(out, func() error { return right(f.CheckAssertion(ctx, in)) })
	}
	return out, nil
}

// bare is what the library takes to read and verify the same.
func (f *factors) bare(context.Context) (out []func() error, err error) {
	for range judged {
		challenge := random()
		signed := f.sign(challenge)
		out = append(out, func() error {
			p, err := protocol.ParseCredentialRequestResponseBytes([]byte(signed))
			if err != nil {
				return err
			}
			return p.Verify(base64.RawURLEncoding.EncodeToString(challenge), factorParty, "", []string{factorOrigin}, nil, nil,
				protocol.TopOriginExplicitVerificationMode, false, true, true, f.token.Credential.PublicKey, protocol.SignaturePolicy{})
		})
	}
	return out, nil
}

// asked is the challenge that a browser is shown.
func (f *factors) asked(c mfa.Challenge, of []byte) ([]byte, error) {
	options, err := f.RequestOptions(factorEnv, c, of)
	if err != nil {
		return nil, err
	}
	var shown struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(options.Standard, &shown); err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.DecodeString(shown.Challenge)
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return b
}

// sign answers a challenge as a browser does whose passkeys are synced: they do not
// count.
func (f *factors) sign(challenge []byte) (assertion string) {
	client, _ := json.Marshal(map[string]any{
		"type": "webauthn.get", "challenge": base64.RawURLEncoding.EncodeToString(challenge), "origin": factorOrigin, "crossOrigin": false,
	})
	party := sha256.Sum256([]byte(factorParty))
	data := binary.BigEndian.AppendUint32(append(party[:], 0x05), 0) // present and verified
	digest := sha256.Sum256(client)
	digest = sha256.Sum256(append(data[:len(data):len(data)], digest[:]...))
	signature, _ := ecdsa.SignASN1(rand.Reader, f.key, digest[:])
	text := base64.RawURLEncoding.EncodeToString
	id := text(f.token.Credential.ID)
	out, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": map[string]string{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text(f.token.Credential.Handle),
	}})
	return string(out)
}

// right fails for an answer that was refused: what is measured is the way of one that
// is right.
func right(v mfa.Verdict, err error) error {
	if err == nil && !v.OK {
		err = fmt.Errorf("a right answer was refused: %w", v.Fault)
	}
	return err
}

// Post implements mfa.Messages.
func (f *factors) Post(_ context.Context, m mfa.Message) (string, error) {
	f.code = m.Params["code"]
	return "sent", nil
}

// Attributes implements mfa.People.
func (*factors) Attributes(context.Context, string, string) (map[string]any, error) { return nil, nil } //nolint:nilnil // nobody has any

// Contact implements mfa.People.
func (*factors) Contact(context.Context, string, string) (mfa.Contact, error) {
	return mfa.Contact{}, nil
}

// Policy implements mfa.Policies, as the methods below do.
func (f *factors) Policy(string, string) (*mfapolicy.Policy, error) { return f.policy, nil }

// FIDO2 is that of the party of the bench.
func (f *factors) FIDO2(string, string) (*mfapolicy.FIDO2Policy, error) {
	return f.passkeys, nil
}

// Settings are the built-in ones.
func (f *factors) Settings(string) *mfapolicy.Settings { return f.settings }

// Party is that of the bench.
func (*factors) Party(string) passkey.Party {
	return passkey.Party{ID: factorParty, Name: "Bench", Origins: []string{factorOrigin}}
}

// factorStore is the part of mfa.Store that right answers need.
type factorStore struct {
	mfa.Store
	devices *directory.Devices
}

func (s factorStore) List(ctx context.Context, env, userID string) ([]device.Device, error) {
	return s.devices.List(ctx, env, userID)
}

func (s factorStore) Answering(ctx context.Context, env, userID, id string) (device.Device, error) {
	return s.devices.Answering(ctx, env, userID, id)
}

func (s factorStore) AnsweringCredential(ctx context.Context, env string, id []byte) (device.Device, error) {
	return s.devices.AnsweringCredential(ctx, env, id)
}

func (s factorStore) Get(ctx context.Context, env, userID, id string) (device.Device, error) {
	return s.devices.Get(ctx, env, userID, id)
}

func (s factorStore) Succeed(ctx context.Context, a mfa.Success) (mfa.Standing, error) {
	st, err := s.devices.Succeed(ctx, directory.Success{
		Judged: directory.Judged{Env: a.Env, UserID: a.UserID, ID: a.ID, Effect: a.Effect, Failure: directory.Failure(a.Failure), Account: directory.Failure(a.Account)},
		Seen:   a.Seen, Credential: a.Credential, Challenge: a.Challenge,
	})
	return mfa.Standing(st), err
}

// factorSecrets are those of the memory store.
type factorSecrets struct{ *session.Memory }

func (s factorSecrets) UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (mfa.SecretVerdict, error) {
	v, err := s.Memory.UseSecret(ctx, name, hash, effect)
	return mfa.SecretVerdict{OK: v.Outcome == session.OK, Wrong: v.Outcome == session.Wrong, Left: v.Left}, err
}
