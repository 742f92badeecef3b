package configs

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/policy"
)

// mfaPolicyRefers is what an MFA policy names, as far as it can be read.
func mfaPolicyRefers(_ *tree, e *entry) []link {
	d, _ := e.doc.(*ruled[mfapolicy.Policy])
	if d.value == nil {
		return nil
	}
	var out []link
	if id, at := follow(e.members()["fido2"], []string{"fido2PolicyId"}, root.Member("fido2")); id != "" {
		out = append(out, link{at, kindFIDO2Policy, id})
	}
	for i, app := range d.value.Mobile.Applications {
		at := root.Member("mobile").Member("applications").Index(i).Member("id")
		out = append(out, link{at, kindApplication, app.ID})
	}
	return out
}

// mfaPolicyAcross holds that the applications that devices run are ones that run on
// devices, and refuses what this server does not do, so that nobody is promised it.
func mfaPolicyAcross(t *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*ruled[mfapolicy.Policy])
	if d.value == nil {
		return // has been said
	}
	if d.value.Notifications != "" {
		f.Add(root.Member("notificationsPolicy"), "is not done by this server, which has no notifications policies; leave it out, and say in notificationsSettings how messages are sent")
	}
	for i, app := range d.value.Mobile.Applications {
		at := root.Member("mobile").Member("applications").Index(i)
		if other := t.find(kindApplication, app.ID); other != nil {
			if d, _ := other.doc.(*applicationDocument); d.Type != "NATIVE_APP" {
				f.Add(at.Member("id"), "takes an application of the type NATIVE_APP, which "+quoted(other.name)+" is not")
			}
		}
		for _, no := range []struct {
			member string
			on     bool
			reason string
		}{
			{"integrityDetection", app.Integrity != "", "no maker of telephones vouches for a device to it"},
			{"deviceAuthorization", app.DeviceAuthorization, "a device proves nothing unless its owner is asked"},
			{"biometricsEnabled", app.Biometrics, "it cannot see what an application asks of its owner"},
		} {
			if no.on {
				f.Add(at.Member(no.member), "is not done by this server: "+no.reason+"; leave it out")
			}
		}
	}
}

// showsMFAPolicy shows the member that the reference calls deprecated. Source:
// reference/management.md 5.10.
func showsMFAPolicy(_, _ object, _ time.Time) object {
	return object{"forSignOnPolicy": raw(false)}
}

// readFIDO2Policy takes a policy that names no relying party too: it is the host of
// the environment then, which only a Bundle knows. That it may be left out is ours.
func readFIDO2Policy(body json.RawMessage) (*mfapolicy.FIDO2Policy, error) {
	var m object
	unnamed := json.Unmarshal(body, &m) == nil && m != nil && (m["relyingPartyId"] == nil || string(m["relyingPartyId"]) == "null")
	if unnamed {
		m["relyingPartyId"] = raw("localhost") // stands in for the host
		body = encode(m)
	}
	p, err := mfapolicy.ReadFIDO2Policy(body)
	if err == nil && unnamed {
		p.RelyingPartyID = ""
	}
	return p, err
}

// fido2Across refuses to go by the FIDO Metadata Service where its file is not there:
// every authenticator would be refused. Which steps set passkeys up knows that.
func fido2Across(t *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*ruled[mfapolicy.FIDO2Policy])
	if d.value == nil || !d.value.Authenticators.Option.Listed() {
		return
	}
	for _, k := range t.steps {
		if k, is := k.(interface{ KnowsModels() bool }); is && !k.KnowsModels() {
			f.Add(root.Member("mdsAuthenticatorsRequirements").Member("option"),
				"takes NONE, AUDIT_ONLY or SPECIFIC: this server was started without --fido-metadata, the file of the FIDO Metadata Service, which says what models there are")
		}
	}
}

// RelyingPartyElsewhere is the finding about a FIDO2 policy whose passkeys cannot be
// used on any page that is known here.
const RelyingPartyElsewhere = "RELYING_PARTY_ELSEWHERE"

// fido2Doubts says when a browser would refuse the passkeys of a policy on every
// page that may ask for them. Source: WebAuthn level 3, 5.1.3 and 5.1.4.1 (the id of
// the relying party is the origin's host or a domain above it).
func fido2Doubts(t *tree, e *entry) []Fault {
	id := text(e.members(), "relyingPartyId")
	env := t.environment()
	if id == "" || env == nil || len(e.alone) > 0 || string(env.AuthBase) == standIn {
		return nil // it is the host's, or nobody knows yet which host that is
	}
	origins := []string{string(env.AuthBase)}
	for _, app := range t.all[kindApplication] {
		if d, _ := app.doc.(*applicationDocument); d.Enabled && d.Passkeys != nil {
			origins = append(origins, texts(d.Passkeys.Origins)...)
		}
	}
	if slices.ContainsFunc(origins, func(o string) bool { return covers(id, hostName(o)) }) {
		return nil
	}
	message := "is neither the host of a page that asks for passkeys nor a domain above one; browsers refuse it on " + strings.Join(origins, ", ") + ", unless https://" + id + "/.well-known/webauthn names them"
	return []Fault{{Fault: policy.Fault{Path: root.Member("relyingPartyId"), Message: message, Code: flow.ConstraintViolation}, Finding: RelyingPartyElsewhere}}
}

// covers reports whether a relying party may be asked for on a host.
func covers(id, host string) bool { return host == id || strings.HasSuffix(host, "."+id) }

// hostName is the host of an origin without its port.
func hostName(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// settingsAcross refuses what this server does not do.
func settingsAcross(_ *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*ruled[mfapolicy.Settings])
	if d.value != nil && d.value.PhoneExtensions {
		f.Add(root.Member("phoneExtensions").Member("enabled"), "takes false: this server calls and writes to numbers alone, and dials no extensions")
	}
}

// standingSettings are the settings of an environment that has none of its own.
// Source: reference/management.md 5.10.
func standingSettings() object {
	s := mfapolicy.DefaultSettings()
	o := object{
		"pairing": raw(map[string]any{"maxAllowedDevices": s.MaxDevices, "pairingKeyFormat": s.PairingKeyFormat}),
		"users":   raw(map[string]any{"mfaEnabled": s.MFAEnabledByDefault}),
	}
	if s.Lockout.Count > 0 {
		o["lockout"] = raw(map[string]any{"failureCount": s.Lockout.Count, "durationSeconds": int(s.Lockout.CoolDown / time.Second)})
	}
	return o
}
