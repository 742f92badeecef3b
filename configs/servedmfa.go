package configs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
)

// RelyingParty is whom passkeys of an environment are made for. Source: WebAuthn
// level 3, 5.4.2.
type RelyingParty struct {
	ID      string   // host that they are bound to, unless a FIDO2 policy names another
	Name    string   // as people are shown it
	Origins []string // of the pages and applications that may use them, each exactly
}

// factors are what an environment says of second factors. The default policies have
// an empty id where the environment has none, and are what is built in.
type factors struct {
	policies map[string]*mfapolicy.Policy // by id
	passkeys map[string]*mfapolicy.FIDO2Policy
	settings *mfapolicy.Settings
	policy   string // the default ones
	passkey  string
}

func builtinFactors(host string) factors {
	return factors{
		policies: map[string]*mfapolicy.Policy{"": mfapolicy.Default()},
		passkeys: map[string]*mfapolicy.FIDO2Policy{"": mfapolicy.DefaultFIDO2(host)},
		settings: mfapolicy.DefaultSettings(),
	}
}

// MFAPolicy returns an MFA policy as it is now; the environment's default one for an
// empty id, and what is built in where it has none.
func (b *Bundle) MFAPolicy(id string) (*mfapolicy.Policy, bool) {
	if id == "" {
		id = b.factors.policy
	}
	p, known := b.factors.policies[id]
	return p, known
}

// FIDO2Policy is MFAPolicy for FIDO2 policies. Its relying party is always named.
func (b *Bundle) FIDO2Policy(id string) (*mfapolicy.FIDO2Policy, bool) {
	if id == "" {
		id = b.factors.passkey
	}
	p, known := b.factors.passkeys[id]
	return p, known
}

// MFASettings returns what holds for all devices of the environment.
func (b *Bundle) MFASettings() *mfapolicy.Settings { return b.factors.settings }

// Party returns whom passkeys are made for. The origins are those of the hosted
// pages, and of enabled applications what they say in passkeys.
func (b *Bundle) Party() RelyingParty { return b.party }

// RelatedOrigins are the pages that may use passkeys of the relying party at a host,
// as a browser asks it for them at /.well-known/webauthn; none: it is no relying party
// of any environment. host is the Host header; name is the relying party that it is.
// Where environments are served at that host or below it, they alone speak for it.
// Source: WebAuthn level 3, 5.11.
func (r *Registry) RelatedOrigins(host string) (name string, origins []string) {
	name = strings.ToLower(hostName("https://" + host))
	bundles := r.Bundles()
	lives := func(b *Bundle) bool { return covers(name, hostName(b.environment.AuthBase)) }
	if slices.ContainsFunc(bundles, lives) {
		bundles = slices.DeleteFunc(bundles, func(b *Bundle) bool { return !lives(b) })
	}
	var out []string
	for _, b := range bundles {
		for _, p := range b.factors.passkeys {
			if p.RelyingPartyID != name || name == "" {
				continue
			}
			out = append(append(out, p.RelatedOrigins...), b.party.Origins...)
		}
	}
	slices.Sort(out)
	return name, slices.DeleteFunc(slices.Compact(out), func(o string) bool { return strings.HasPrefix(o, androidOrigin) })
}

// androidOrigin is what stands before the hash of an Android application's signing
// key where browsers have an origin. Source: WebAuthn level 3, 5.8.1, Android's
// Credential Manager.
const androidOrigin = "android:apk-key-hash:"

// parties are the ids by which an environment's own pages and applications are
// known to authenticators.
func parties(e Environment, apps map[string]*Application) RelyingParty {
	out := RelyingParty{ID: hostName(e.AuthBase), Name: e.Name, Origins: []string{}}
	for _, a := range apps {
		if !a.Enabled {
			continue
		}
		out.Origins = append(out.Origins, a.Passkeys.Origins...)
		for _, hash := range a.Passkeys.AndroidKeyHashes {
			out.Origins = append(out.Origins, androidOrigin+hash)
		}
	}
	slices.Sort(out.Origins)
	out.Origins = slices.Compact(slices.DeleteFunc(out.Origins, func(o string) bool { return o == e.AuthBase }))
	out.Origins = append([]string{e.AuthBase}, out.Origins...) // ours first
	return out
}

// addFactors takes what a document says of second factors.
func (b *builder) addFactors(r flow.Resource) error {
	var m object
	err := json.Unmarshal(r.Body, &m)
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Kind, r.ID, err)
	}
	chosen := text(m, "default") == "true"
	switch r.Kind {
	case kindMFAPolicy:
		b.factors.policies[r.ID], err = mfapolicy.ReadPolicy(r.Body)
		choose(&b.factors.policy, r.ID, flag(chosen))
	case kindFIDO2Policy:
		var p *mfapolicy.FIDO2Policy
		if p, err = readFIDO2Policy(r.Body); err == nil {
			p.RelyingPartyID = cmp.Or(p.RelyingPartyID, b.party.ID)
			b.factors.passkeys[r.ID] = p
		}
		choose(&b.factors.passkey, r.ID, flag(chosen))
	case kindMFASettings:
		b.factors.settings, err = mfapolicy.ReadSettings(r.Body)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Kind, r.ID, err)
	}
	return nil
}
