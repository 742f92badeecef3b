package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// TestEveryKeyAndForm registers a credential and signs with it, in both forms.
func TestEveryKeyAndForm(t *testing.T) {
	for name, k := range map[string]key{
		"ES256": es256(t), "EdDSA": eddsa(t), "RS256": rsaKey(t, 2048, -257), "PS256": rsaKey(t, 2048, -37),
	} {
		for _, vendor := range []bool{false, true} {
			form := map[bool]string{false: "standard", true: "vendor"}[vendor]
			t.Run(name+" "+form, func(t *testing.T) {
				a := newAuthenticator(k, 1)
				as := func(p *parts) { p.vendor = vendor }
				made, err := passkey.Register(registration(a.registered(t, as, func(p *parts) { p.counter, p.flags = 4, p.flags|be }), policy(nil)))
				if err != nil {
					t.Fatal(err)
				}
				want := device.Credential{
					ID: a.id, PublicKey: a.cose, SignCount: 4, AAGUID: a.aaguid, Format: "none", Handle: handle(1), RPID: "auth.example",
					Verified: true, BackupEligible: true,
				}
				if !vendor {
					want.Transports, want.Attachment = []string{"internal", "hybrid"}, "platform"
				}
				if d := cmp.Diff(want, made); d != "" {
					t.Fatal(d)
				}
				v, err := passkey.Assert(assertion(a.asserted(t, as, func(p *parts) { p.counter, p.flags = 5, p.flags|be|bs }), policy(verified), made))
				if err != nil {
					t.Fatal(err)
				}
				want.SignCount, want.BackedUp = 5, true
				if d := cmp.Diff(passkey.Verdict{Credential: want, Verified: true}, v); d != "" {
					t.Fatal(d)
				}
			})
		}
	}
}

// TestVirtualAuthenticator lets somebody else's authenticator read our options and
// answer them.
func TestVirtualAuthenticator(t *testing.T) {
	for _, k := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2, virtualwebauthn.KeyTypeRSA} {
		t.Run(string(k), func(t *testing.T) {
			rp := virtualwebauthn.RelyingParty{ID: "auth.example", Origin: "https://auth.example"}
			auth := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(1)})
			cred := virtualwebauthn.NewCredential(k)
			direct := policy(func(p *mfapolicy.FIDO2Policy) { p.Attestation = mfapolicy.Direct })
			user := passkey.User{Handle: handle(1), Name: "ada", DisplayName: "Ada"}
			options, err := passkey.Creation(party(), direct, user, nil, "", challenge(1))
			if err != nil {
				t.Fatal(err)
			}
			asked, err := virtualwebauthn.ParseAttestationOptions(string(options.Standard))
			if err != nil {
				t.Fatal(err)
			}
			made, err := passkey.Register(registration(virtualwebauthn.CreateAttestationResponse(rp, auth, cred, *asked), direct))
			if err != nil {
				t.Fatal(err)
			}
			if made.Format != passkey.FormatSelf {
				t.Errorf("format %q", made.Format)
			}
			options, err = passkey.Request(party(), direct, []device.Credential{made}, challenge(2))
			if err != nil {
				t.Fatal(err)
			}
			question, err := virtualwebauthn.ParseAssertionOptions(string(options.Standard))
			if err != nil {
				t.Fatal(err)
			}
			if !cred.IsAllowedForAssertion(*question) {
				t.Error("is not among the credentials that are asked for")
			}
			in := assertion(virtualwebauthn.CreateAssertionResponse(rp, auth, cred, *question), direct, made)
			in.Challenge, in.Discoverable = challenge(2), true
			if v, err := passkey.Assert(in); err != nil || !v.Verified {
				t.Fatal(v, err)
			}
		})
	}
}

// TestNoAnswerIsGoodForAnotherQuestion is about challenges.
func TestNoAnswerIsGoodForAnotherQuestion(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, c := range map[string]struct {
		challenge []byte
		want      string
	}{
		"another":  {challenge(2), passkey.ReasonChallenge},
		"part":     {challenge(1)[:31], passkey.ReasonChallenge},
		"too few":  {challenge(1)[:15], passkey.ReasonSetup},
		"none":     {nil, passkey.ReasonSetup},
		"the same": {challenge(1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := assertion(a.asserted(t), policy(nil), a.stored(0))
			in.Challenge = c.challenge
			_, err := passkey.Assert(in)
			if got := reason(t, err); got != c.want {
				t.Errorf("assertion: %q, want %q", got, c.want)
			}
			reg := registration(a.registered(t), policy(nil))
			reg.Challenge = c.challenge
			_, err = passkey.Register(reg)
			if got := reason(t, err); got != c.want {
				t.Errorf("attestation: %q, want %q", got, c.want)
			}
		})
	}
	t.Run("an answer without one to a call without one", func(t *testing.T) {
		in := assertion(a.asserted(t, func(p *parts) { p.client["challenge"] = "" }), policy(nil), a.stored(0))
		in.Challenge = nil
		if _, err := passkey.Assert(in); reason(t, err) != passkey.ReasonSetup {
			t.Error(err)
		}
	})
}

func TestNamedSaysWhoseItClaimsToBe(t *testing.T) {
	a := newAuthenticator(es256(t), 7)
	id, user, err := passkey.Named(a.asserted(t))
	if err != nil || string(id) != string(a.id) || string(user) != string(handle(7)) {
		t.Fatal(id, user, err)
	}
	for _, nobody := range []any{nil, ""} {
		text := a.asserted(t, func(p *parts) { p.message = func(_, response map[string]any) { response["userHandle"] = nobody } })
		if _, user, err := passkey.Named(text); err != nil || user != nil {
			t.Errorf("%v: %v %v", nobody, user, err)
		}
	}
	if _, _, err := passkey.Named("{}"); reason(t, err) != passkey.ReasonMessage {
		t.Error(err)
	}
}

// TestErrorsSayNothingOfTheAnswer holds that a log gets a constant.
func TestErrorsSayNothingOfTheAnswer(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	_, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.client["origin"] = "https://evil.tld" }), policy(nil), a.stored(0)))
	if err == nil || strings.Contains(err.Error(), "evil") || err.Error() != "webauthn refused: origin" {
		t.Error(err)
	}
}

// TestNothingIsJudgedWithoutItsMeans is about callers that forget something.
func TestNothingIsJudgedWithoutItsMeans(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, change := range map[string]func(*passkey.Registration, *passkey.Assertion){
		"no policy": func(r *passkey.Registration, a *passkey.Assertion) { r.Policy, a.Policy = nil, nil },
		"no party":  func(r *passkey.Registration, a *passkey.Assertion) { r.Party.ID, a.Party.ID = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			reg, ass := registration(a.registered(t), policy(nil)), assertion(a.asserted(t), policy(nil), a.stored(0))
			change(&reg, &ass)
			if _, err := passkey.Register(reg); reason(t, err) != passkey.ReasonSetup {
				t.Error(err)
			}
			if _, err := passkey.Assert(ass); reason(t, err) != passkey.ReasonSetup {
				t.Error(err)
			}
		})
	}
	for _, n := range []int{0, 65} {
		reg := registration(a.registered(t), policy(nil))
		reg.User.Handle = make([]byte, n)
		if _, err := passkey.Register(reg); reason(t, err) != passkey.ReasonSetup {
			t.Error(n, err)
		}
	}
}

// edited changes a member of an answer and writes it again.
func edited(t *testing.T, text string, change func(m map[string]any)) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func raw64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
