package passkey_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

func user() passkey.User {
	return passkey.User{Handle: []byte{0, 127, 128, 255}, Name: "ada", DisplayName: "Ada \"L\" <ada@example.com>"}
}

// known is a credential that the person has.
func known(id ...byte) device.Credential {
	return device.Credential{ID: id, RPID: "auth.example", Transports: []string{"usb"}}
}

func TestCreationOptions(t *testing.T) {
	pol := policy(func(p *mfapolicy.FIDO2Policy) {
		p.Attestation, p.Attachment, p.Discoverable = mfapolicy.Direct, mfapolicy.CrossPlatform, mfapolicy.Required
		p.Hints, p.Timeout = []string{"security-key"}, 2*time.Minute
	})
	got, err := passkey.Creation(party(), pol, user(), []device.Credential{known(251, 255)}, "", slices.Repeat([]byte{255, 1}, 8))
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(got.Standard), `{
		"rp":{"id":"auth.example","name":"Example"},
		"user":{"id":"AH-A_w","name":"ada","displayName":"Ada \"L\" \u003cada@example.com\u003e"},
		"challenge":"_wH_Af8B_wH_Af8B_wH_AQ",
		"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-8},{"type":"public-key","alg":-37},{"type":"public-key","alg":-257}],
		"timeout":120000,
		"excludeCredentials":[{"type":"public-key","id":"-_8","transports":["usb"]}],
		"authenticatorSelection":{"authenticatorAttachment":"cross-platform","residentKey":"required","requireResidentKey":true,"userVerification":"preferred"},
		"hints":["security-key"],
		"attestation":"direct",
		"extensions":{"credProps":true}}`)
	same(t, got.Vendor, `{
		"rp":{"id":"auth.example","name":"Example"},
		"user":{"id":[0,127,-128,-1],"name":"ada","displayName":"Ada \"L\" \u003cada@example.com\u003e"},
		"challenge":[-1,1,-1,1,-1,1,-1,1,-1,1,-1,1,-1,1,-1,1],
		"pubKeyCredParams":[{"type":"public-key","alg":"-7"},{"type":"public-key","alg":"-8"},{"type":"public-key","alg":"-37"},{"type":"public-key","alg":"-257"}],
		"timeout":120000,
		"excludeCredentials":[{"type":"public-key","id":[-5,-1],"transports":["usb"]}],
		"authenticatorSelection":{"authenticatorAttachment":"cross-platform","residentKey":"required","requireResidentKey":true,"userVerification":"preferred"},
		"hints":["security-key"],
		"attestation":"direct",
		"extensions":{"credProps":true}}`)
}

// TestSpecificModelsAreAsked holds that a policy that lets in some models asks for their
// word, whatever else it says.
func TestSpecificModelsAreAsked(t *testing.T) {
	pol := policy(func(p *mfapolicy.FIDO2Policy) {
		specific([16]byte{1, 2, 3})(p)
		p.Attestation = mfapolicy.NoAttestation
	})
	got, err := passkey.Creation(party(), pol, user(), nil, "", challenge(1))
	if err != nil || !strings.Contains(string(got.Standard), `"attestation":"direct"`) {
		t.Error(string(got.Standard), err)
	}
	a := newAuthenticator(es256(t), 1)
	if _, err := passkey.Register(registration(a.registered(t), pol)); reason(t, err) != passkey.ReasonAttestation {
		t.Error(err)
	}
	if c, err := passkey.Register(registration(a.registered(t, newMaker(t, a.aaguid, nil).packed), pol)); err != nil {
		t.Error(c.Format, err)
	}
}

func TestRequestOptions(t *testing.T) {
	pol := policy(func(p *mfapolicy.FIDO2Policy) {
		p.UserVerification.Option, p.Timeout = mfapolicy.Discouraged, time.Minute
	})
	of := []device.Credential{known(128), {ID: []byte{2}, RPID: "other.example"}, {ID: []byte{3}, RPID: "auth.example"}}
	got, err := passkey.Request(party(), pol, of, slices.Repeat([]byte{128}, 16))
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(got.Standard), `{
		"challenge":"gICAgICAgICAgICAgICAgA","timeout":60000,"rpId":"auth.example",
		"allowCredentials":[{"type":"public-key","id":"gA","transports":["usb"]},{"type":"public-key","id":"Aw"}],
		"userVerification":"discouraged"}`)
	same(t, got.Vendor, `{
		"challenge":[-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128,-128],"timeout":60000,"rpId":"auth.example",
		"allowCredentials":[{"type":"public-key","id":[-128],"transports":["usb"]},{"type":"public-key","id":[3]}],
		"userVerification":"discouraged"}`)
	got, err = passkey.Request(party(), pol, nil, challenge(1))
	if err != nil || strings.Contains(string(got.Standard)+got.Vendor, "allowCredentials") {
		t.Error("for anybody:", string(got.Standard), err)
	}
}

// same compares JSON but for blanks between members.
func same(t *testing.T, got, want string) {
	t.Helper()
	var blankless strings.Builder
	for line := range strings.Lines(want) {
		blankless.WriteString(strings.TrimSpace(line))
	}
	if got != blankless.String() {
		t.Errorf("\n%s\nwant\n%s", got, blankless.String())
	}
	if !json.Valid([]byte(got)) {
		t.Error("is no JSON")
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	create := func(change func(*passkey.Party, *passkey.User, *[]byte), pol *mfapolicy.FIDO2Policy, attachment string) error {
		p, u, c := party(), user(), challenge(1)
		if change != nil {
			change(&p, &u, &c)
		}
		_, err := passkey.Creation(p, pol, u, nil, attachment, c)
		return err
	}
	machine := policy(func(p *mfapolicy.FIDO2Policy) { p.Attachment = mfapolicy.PlatformOnly })
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no challenge":          {create(func(_ *passkey.Party, _ *passkey.User, c *[]byte) { *c = nil }, policy(nil), ""), passkey.ReasonSetup},
		"no party":              {create(func(p *passkey.Party, _ *passkey.User, _ *[]byte) { p.ID = "" }, policy(nil), ""), passkey.ReasonSetup},
		"no handle":             {create(func(_ *passkey.Party, u *passkey.User, _ *[]byte) { u.Handle = nil }, policy(nil), ""), passkey.ReasonSetup},
		"no policy":             {create(nil, nil, ""), passkey.ReasonSetup},
		"narrower than allowed": {create(nil, policy(nil), "cross-platform"), ""},
		"as allowed":            {create(nil, machine, "platform"), ""},
		"other than allowed":    {create(nil, machine, "cross-platform"), passkey.ReasonAttachment},
		"a word of nobody":      {create(nil, policy(nil), "usb"), passkey.ReasonAttachment},
	} {
		t.Run(name, func(t *testing.T) {
			if reason(t, c.err) != c.want {
				t.Error(c.err)
			}
		})
	}
	other := device.Credential{ID: []byte{1}, RPID: "other.example"}
	for name, c := range map[string]struct {
		party     passkey.Party
		policy    *mfapolicy.FIDO2Policy
		of        []device.Credential
		challenge []byte
		want      string
	}{
		"no policy":                   {party(), nil, nil, challenge(1), passkey.ReasonSetup},
		"no party":                    {passkey.Party{}, policy(nil), nil, challenge(1), passkey.ReasonSetup},
		"no challenge":                {party(), policy(nil), nil, nil, passkey.ReasonSetup},
		"only those of another party": {party(), policy(nil), []device.Credential{other}, challenge(1), passkey.ReasonCredential},
	} {
		t.Run("request, "+name, func(t *testing.T) {
			if _, err := passkey.Request(c.party, c.policy, c.of, c.challenge); reason(t, err) != c.want {
				t.Error(err)
			}
		})
	}
}
