package passkey_test

import (
	"testing"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// both judges the same change in an attestation and in an assertion.
func both(t *testing.T, pol *mfapolicy.FIDO2Policy, bodyOrigin, want string, c change) {
	t.Helper()
	a := newAuthenticator(es256(t), 1)
	reg := registration(a.registered(t, c), pol)
	reg.Origin = bodyOrigin
	if _, err := passkey.Register(reg); reason(t, err) != want {
		t.Errorf("attestation: %v, want %q", err, want)
	}
	in := assertion(a.asserted(t, c), pol, a.stored(0))
	in.Origin = bodyOrigin
	if _, err := passkey.Assert(in); reason(t, err) != want {
		t.Errorf("assertion: %v, want %q", err, want)
	}
}

// TestOrigin is about where an answer was given. Source: WebAuthn level 3, 7.2 steps
// 11 to 14, 13.4.9.
func TestOrigin(t *testing.T) {
	const right = "https://auth.example"
	for name, c := range map[string]struct {
		origin any
		body   string
		want   string
	}{
		"right":                            {right, "", ""},
		"right, and the body agrees":       {right, right, ""},
		"of an application":                {apkOrigin, "", ""},
		"right, and the body does not":     {right, "https://evil.tld", passkey.ReasonOrigin},
		"wrong, and the body says right":   {"https://evil.tld", right, passkey.ReasonOrigin},
		"both wrong":                       {"https://evil.tld", "https://evil.tld", passkey.ReasonOrigin},
		"body is another one of the party": {right, apkOrigin, passkey.ReasonOrigin},
		"other site":                       {"https://evil.tld", "", passkey.ReasonOrigin},
		"begins like it":                   {"https://auth.example.evil.tld", "", passkey.ReasonOrigin},
		"below it":                         {"https://evil.auth.example", "", passkey.ReasonOrigin},
		"not encrypted":                    {"http://auth.example", "", passkey.ReasonOrigin},
		"other port":                       {"https://auth.example:444", "", passkey.ReasonOrigin},
		"usual port written out":           {"https://auth.example:443", "", passkey.ReasonOrigin},
		"upper case":                       {"https://AUTH.example", "", passkey.ReasonOrigin},
		"scheme in upper case":             {"HTTPS://auth.example", "", passkey.ReasonOrigin},
		"dot at the end":                   {"https://auth.example.", "", passkey.ReasonOrigin},
		"slash at the end":                 {"https://auth.example/", "", passkey.ReasonOrigin},
		"path":                             {"https://auth.example/login", "", passkey.ReasonOrigin},
		"user before it":                   {"https://evil@auth.example", "", passkey.ReasonOrigin},
		"null":                             {nil, "", passkey.ReasonOrigin},
		"the text null":                    {"null", "", passkey.ReasonOrigin},
		"empty":                            {"", "", passkey.ReasonClientData},
		"no text":                          {[]string{right}, "", passkey.ReasonClientData},
		"other application":                {"android:apk-key-hash:AAIDBAUGBwgJCgsMDQ4PEBESExQ", "", passkey.ReasonOrigin},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, policy(nil), c.body, c.want, func(p *parts) { p.client["origin"] = c.origin })
		})
	}
	t.Run("left out", func(t *testing.T) {
		both(t, policy(nil), "https://auth.example", passkey.ReasonOrigin, func(p *parts) { delete(p.client, "origin") })
	})
	t.Run("in another member", func(t *testing.T) { // encoding/json would take it
		both(t, policy(nil), "", passkey.ReasonOrigin, func(p *parts) { p.client["origin"], p.client["Origin"] = "https://evil.tld", right })
	})
	t.Run("and another member beside it", func(t *testing.T) {
		both(t, policy(nil), "", "", func(p *parts) { p.client["ORIGIN"] = "https://evil.tld" })
	})
}

// TestCrossOrigin is about pages within pages of somebody else.
func TestCrossOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		member string
		value  any
		want   string
	}{
		"crossOrigin true":      {"crossOrigin", true, passkey.ReasonCrossOrigin},
		"crossOrigin null":      {"crossOrigin", nil, ""},
		"crossOrigin as text":   {"crossOrigin", "true", passkey.ReasonClientData},
		"foreign topOrigin":     {"topOrigin", "https://evil.tld", passkey.ReasonCrossOrigin},
		"topOrigin of our own":  {"topOrigin", "https://auth.example", passkey.ReasonCrossOrigin},
		"topOrigin of any sort": {"topOrigin", []int{1}, passkey.ReasonCrossOrigin},
		"an old token binding":  {"tokenBinding", map[string]any{"status": "present", "id": "x"}, ""},
		"members that nobody knows": {
			"extraData", "clientDataJSON may be extended with additional fields in the future", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, policy(nil), "", c.want, func(p *parts) { p.client[c.member] = c.value })
		})
	}
}

// TestCeremony is about answers of one ceremony in the other.
func TestCeremony(t *testing.T) {
	for _, of := range []string{"payment.get", "webauthn.Get", "WEBAUTHN.GET", "webauthn.get ", "webauthn"} {
		both(t, policy(nil), "", passkey.ReasonType, func(p *parts) { p.client["type"] = of })
	}
	a := newAuthenticator(es256(t), 1)
	_, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.client["type"] = "webauthn.create" }), policy(nil), a.stored(0)))
	if reason(t, err) != passkey.ReasonType {
		t.Error(err)
	}
	_, err = passkey.Register(registration(a.registered(t, func(p *parts) { p.client["type"] = "webauthn.get" }), policy(nil)))
	if reason(t, err) != passkey.ReasonType {
		t.Error(err)
	}
}

// TestFlags is about authenticator data. Source: WebAuthn level 3, 6.1, 6.1.3.
func TestFlags(t *testing.T) {
	flags := func(set, unset byte) change { return func(p *parts) { p.flags = p.flags&^unset | set } }
	for name, c := range map[string]struct {
		change change
		want   string
	}{
		"right":                       {flags(0, 0), ""},
		"other relying party":         {func(p *parts) { p.rp = "evil.tld" }, passkey.ReasonParty},
		"nobody touched it":           {flags(0, up), passkey.ReasonPresence},
		"nobody was verified":         {flags(0, uv), passkey.ReasonVerification},
		"backed up, not to be":        {flags(bs, be), passkey.ReasonBackup},
		"extensions missing":          {flags(ed, 0), passkey.ReasonData},
		"extensions":                  {func(p *parts) { p.flags, p.tail = p.flags|ed, []byte{0xa1, 0x61, 'x', 1} }, ""},
		"extensions, and more":        {func(p *parts) { p.flags, p.tail = p.flags|ed, []byte{0xa1, 0x61, 'x', 1, 0} }, passkey.ReasonData},
		"extensions are no map":       {func(p *parts) { p.flags, p.tail = p.flags|ed, []byte{1} }, passkey.ReasonData},
		"extensions without the flag": {func(p *parts) { p.tail = []byte{0xa1, 0x61, 'x', 1} }, passkey.ReasonData},
		"a byte behind":               {func(p *parts) { p.tail = []byte{0} }, passkey.ReasonData},
		"36 bytes":                    {func(p *parts) { p.data = make([]byte, 36) }, passkey.ReasonData},
		"flags without the rest":      {func(p *parts) { p.data = append(make([]byte, 32), up|uv|at|ed, 0, 0, 0, 0) }, passkey.ReasonData},
	} {
		t.Run(name, func(t *testing.T) { both(t, policy(verified), "", c.want, c.change) })
	}
	a := newAuthenticator(es256(t), 1)
	t.Run("assertion with a key in it", func(t *testing.T) {
		text := a.asserted(t, func(p *parts) {
			p.flags |= at
			p.attested = append(append(make([]byte, 16), 0, 1, 'x'), a.cose...)
		})
		if _, err := passkey.Assert(assertion(text, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonData {
			t.Error(err)
		}
	})
	t.Run("attestation without a key in it", func(t *testing.T) {
		text := a.registered(t, func(p *parts) { p.flags, p.attested = p.flags&^at, nil })
		if _, err := passkey.Register(registration(text, policy(nil))); reason(t, err) != passkey.ReasonData {
			t.Error(err)
		}
	})
}

// TestVerified is about when the verification of the person counts as a factor. Source:
// WebAuthn level 3, 4 (uvInitialized), 7.2 step 17.
func TestVerified(t *testing.T) {
	set := func(option mfapolicy.Requirement, enforced bool) *mfapolicy.FIDO2Policy {
		return policy(func(p *mfapolicy.FIDO2Policy) {
			p.UserVerification.Option, p.UserVerification.Enforced = option, enforced
		})
	}
	for name, c := range map[string]struct {
		policy            *mfapolicy.FIDO2Policy
		flag, before      bool
		verified, claimed bool
		want              string
	}{
		"required, and was":                    {set(mfapolicy.Required, true), true, true, true, false, ""},
		"required, and was not":                {set(mfapolicy.Required, true), false, true, false, false, passkey.ReasonVerification},
		"required of new devices only":         {set(mfapolicy.Required, false), false, true, false, false, ""},
		"preferred, and was":                   {set(mfapolicy.Preferred, true), true, true, true, false, ""},
		"preferred, and was not":               {set(mfapolicy.Preferred, true), false, true, false, false, ""},
		"discouraged, and was not":             {set(mfapolicy.Discouraged, true), false, true, false, false, ""},
		"discouraged, and was":                 {set(mfapolicy.Discouraged, true), true, true, true, false, ""},
		"never was at registration, now is":    {set(mfapolicy.Preferred, true), true, false, false, true, ""},
		"never was, though now it is required": {set(mfapolicy.Required, true), true, false, false, true, ""},
		"never was at registration, nor now":   {set(mfapolicy.Preferred, true), false, false, false, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthenticator(es256(t), 1)
			stored := a.stored(0)
			stored.Verified = c.before
			v, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) {
				if !c.flag {
					p.flags &^= uv
				}
			}), c.policy, stored))
			if reason(t, err) != c.want || v.Verified != c.verified || v.Claimed != c.claimed {
				t.Error(v.Verified, v.Claimed, err)
			}
			if c.want == "" && v.Credential.Verified != c.before {
				t.Error("was set by the assertion itself")
			}
		})
	}
	t.Run("new device, not verified", func(t *testing.T) {
		a := newAuthenticator(es256(t), 1)
		text := a.registered(t, func(p *parts) { p.flags &^= uv })
		if _, err := passkey.Register(registration(text, set(mfapolicy.Required, false))); reason(t, err) != passkey.ReasonVerification {
			t.Error(err)
		}
		if c, err := passkey.Register(registration(text, set(mfapolicy.Preferred, true))); err != nil || c.Verified {
			t.Error(c.Verified, err)
		}
	})
}

// TestBackup is about keys that may be in several places. Source: WebAuthn level 3,
// 6.1.3, 7.2 steps 18 to 20.
func TestBackup(t *testing.T) {
	set := func(allowed, enforced bool) *mfapolicy.FIDO2Policy {
		return policy(func(p *mfapolicy.FIDO2Policy) { p.Backup.Allowed, p.Backup.Enforced = allowed, enforced })
	}
	for name, c := range map[string]struct {
		policy   *mfapolicy.FIDO2Policy
		eligible bool
		flags    byte
		register bool // the same flags when it is registered
		want     string
	}{
		"backed up since":              {set(true, true), true, be | bs, false, ""},
		"no longer backed up":          {set(true, true), true, be, false, ""},
		"became eligible":              {set(true, true), false, be, false, passkey.ReasonBackup},
		"ceased to be eligible":        {set(true, true), true, 0, false, passkey.ReasonBackup},
		"forbidden, and was before":    {set(false, false), true, be, false, ""},
		"forbidden from now on":        {set(false, true), true, be, false, passkey.ReasonBackup},
		"forbidden, and is not":        {set(false, true), false, 0, false, ""},
		"new device, forbidden":        {set(false, false), false, be, true, passkey.ReasonBackup},
		"new device, allowed":          {set(true, false), false, be | bs, true, ""},
		"new device, is not of a sort": {set(false, false), false, 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthenticator(es256(t), 1)
			flags := func(p *parts) { p.flags |= c.flags }
			if c.register {
				if _, err := passkey.Register(registration(a.registered(t, flags), c.policy)); reason(t, err) != c.want {
					t.Error(err)
				}
				return
			}
			stored := a.stored(0)
			stored.BackupEligible, stored.BackedUp = c.eligible, c.eligible
			v, err := passkey.Assert(assertion(a.asserted(t, flags), c.policy, stored))
			if reason(t, err) != c.want {
				t.Error(err)
			}
			if c.want == "" && v.Credential.BackedUp != (c.flags&bs != 0) {
				t.Error("backup state is not that of the assertion")
			}
		})
	}
}
