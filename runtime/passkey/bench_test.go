package passkey_test

import (
	"testing"

	"github.com/go-webauthn/webauthn/protocol"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// BenchmarkAssert judges one assertion by ES256, beside what the library takes to read
// and verify the same.
func BenchmarkAssert(b *testing.B) {
	a := newAuthenticator(es256(b), 1)
	in := assertion(a.asserted(b), policy(verified), a.stored(0))
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := passkey.Assert(in); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := protocol.ParseCredentialRequestResponseBytes([]byte(in.Assertion))
			if err != nil {
				b.Fatal(err)
			}
			err = p.Verify(raw64(in.Challenge), in.Party.ID, "", in.Party.Origins, nil, nil, protocol.TopOriginExplicitVerificationMode,
				false, true, true, in.Credentials[0].PublicKey, protocol.SignaturePolicy{})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRegister makes a credential, without and with an attestation.
func BenchmarkRegister(b *testing.B) {
	a := newAuthenticator(es256(b), 1)
	for name, c := range map[string]struct {
		policy *mfapolicy.FIDO2Policy
		change change
	}{"none": {policy(nil), func(*parts) {}}, "packed": {policy(direct), newMaker(b, a.aaguid, nil).packed}} {
		in := registration(a.registered(b, c.change), c.policy)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := passkey.Register(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRequest makes the options that every page with a passkey has.
func BenchmarkRequest(b *testing.B) {
	challenge := make([]byte, 32)
	for i := range challenge {
		challenge[i] = byte(i * 8)
	}
	b.ReportAllocs()
	for b.Loop() {
		o, err := passkey.Request(party(), policy(verified), nil, challenge)
		if err != nil || len(o.VendorText()) == 0 {
			b.Fatal(err)
		}
	}
}
