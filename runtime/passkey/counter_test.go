package passkey_test

import (
	"strconv"
	"testing"

	"doorward/runtime/passkey"
)

// TestCounter is about there being two of an authenticator. Source: WebAuthn level 3,
// 6.1.1, 7.2 step 22.
func TestCounter(t *testing.T) {
	const last = 1<<32 - 1
	for _, c := range []struct {
		stored, sent uint32
		ok           bool
	}{
		{10, 11, true},
		{10, last, true},
		{0, 0, true},
		{0, 1, true},
		{0, last, true},
		{10, 10, false},
		{10, 9, false},
		{10, 0, false},
		{last, 5, false},
		{last, last, false},
		{last, 0, false},
		{12, 13, true},
		{13, 12, false},
	} {
		t.Run(strconv.Itoa(int(c.stored))+" then "+strconv.Itoa(int(c.sent)), func(t *testing.T) {
			a := newAuthenticator(es256(t), 1)
			v, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.counter = c.sent }), policy(nil), a.stored(c.stored)))
			if (reason(t, err) == "") != c.ok || v.Cloned == c.ok || v.Credential.Suspected == c.ok {
				t.Errorf("%v %+v", err, v)
			}
			if !c.ok && (reason(t, err) != passkey.ReasonCounter || v.Credential.SignCount != c.stored) {
				t.Errorf("%v %+v", err, v)
			}
			if c.ok && v.Credential.SignCount != c.sent {
				t.Error("stores", v.Credential.SignCount)
			}
		})
	}
	t.Run("nobody is suspected over a signature that does not hold", func(t *testing.T) {
		a := newAuthenticator(es256(t), 1)
		text := a.asserted(t, func(p *parts) {
			p.counter, p.signature = 1, func(s []byte) []byte { return newAuthenticator(es256(t), 1).sign(s) }
		})
		v, err := passkey.Assert(assertion(text, policy(nil), a.stored(10)))
		if reason(t, err) != passkey.ReasonSignature || v.Cloned || v.Credential.Suspected {
			t.Error(v, err)
		}
	})
	t.Run("a suspicion stays", func(t *testing.T) {
		a := newAuthenticator(es256(t), 1)
		stored := a.stored(1)
		stored.Suspected = true
		if v, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.counter = 2 }), policy(nil), stored)); err != nil || !v.Credential.Suspected {
			t.Error(v, err)
		}
	})
}
