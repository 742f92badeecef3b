package passkey_test

import (
	"testing"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// TestNobodyIsThereOnlyWhereNobodyWasAsked: a credential that the client makes without
// asking has neither flag, and is taken where the options said so. It counts as verified:
// another factor was proven a moment before. Source: WebAuthn level 3, 7.1.
func TestNobodyIsThereOnlyWhereNobodyWasAsked(t *testing.T) {
	required := policy(func(p *mfapolicy.FIDO2Policy) { p.UserVerification.Option = mfapolicy.Required })
	direct := policy(func(p *mfapolicy.FIDO2Policy) { p.Attestation = mfapolicy.Direct })
	for name, tt := range map[string]struct {
		flags byte
		pol   *mfapolicy.FIDO2Policy
		asked string // why it is refused where the person was asked
		quiet string // and where not
	}{
		"neither touched nor verified":           {at, policy(nil), passkey.ReasonPresence, ""},
		"the same, where verification is needed": {at, required, passkey.ReasonPresence, ""},
		"touched and not verified":               {at | up, required, passkey.ReasonVerification, ""},
		"verified and not touched":               {at | uv, policy(nil), passkey.ReasonPresence, ""},
		"both":                                   {at | up | uv, required, "", ""},
		"backed up and not eligible":             {at | bs, policy(nil), passkey.ReasonPresence, passkey.ReasonBackup},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthenticator(es256(t), 1)
			in := registration(a.registered(t, func(p *parts) { p.flags = tt.flags }), tt.pol)
			if _, err := passkey.Register(in); reason(t, err) != tt.asked {
				t.Errorf("where the person was asked: %v", err)
			}
			in.Conditional = true
			made, err := passkey.Register(in)
			if reason(t, err) != tt.quiet || err == nil && !made.Verified {
				t.Errorf("where they were not: %v, verified %t", err, made.Verified)
			}
		})
	}
	t.Run("signed by its own key", func(t *testing.T) {
		a := newAuthenticator(es256(t), 1)
		in := registration(a.registered(t, self(a), func(p *parts) { p.flags = at }), direct)
		in.Conditional = true
		if made, err := passkey.Register(in); err != nil || made.Format != passkey.FormatSelf {
			t.Errorf("%v %v", made.Format, err)
		}
	})
	t.Run("an assertion is never taken from nobody", func(t *testing.T) {
		a := newAuthenticator(es256(t), 1)
		_, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.flags = uv }), policy(nil), a.stored(0)))
		if reason(t, err) != passkey.ReasonPresence {
			t.Error(err)
		}
	})
}
