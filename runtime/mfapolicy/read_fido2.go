package mfapolicy

import (
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// ReadFIDO2Policy reads a FIDO2 policy. The error is document.Faults. Source:
// reference/management.md 5.10.
func ReadFIDO2Policy(body json.RawMessage) (*FIDO2Policy, error) {
	var faults document.Faults
	o, ok := open(body, &faults)
	if !ok {
		return nil, faults
	}
	p := DefaultFIDO2("")
	p.ID, p.Name, p.Default = identity(&o)
	for _, required := range []string{
		"relyingPartyId", "deviceDisplayName", "attestationRequirements", "authenticatorAttachment", "discoverableCredentials",
		"userVerification", "backupEligibility", "mdsAuthenticatorsRequirements", "userDisplayNameAttributes",
	} {
		o.Need(required)
	}
	if p.RelyingPartyID = o.Text("relyingPartyId", 253); p.RelyingPartyID != "" && !hostName(p.RelyingPartyID) {
		o.Wrong("relyingPartyId", "takes a host name in lower case, without a scheme, port or path")
	}
	p.DeviceDisplayName = o.Text("deviceDisplayName", 100)
	p.Attestation = Attestation(o.One("attestationRequirements", string(Direct), string(NoAttestation)))
	p.Attachment = Attachment(o.One("authenticatorAttachment", string(PlatformOnly), string(CrossPlatform), string(AnyAttachment)))
	p.Discoverable = readRequirement(&o, "discoverableCredentials")
	p.Hints = readHints(&o)
	p.Timeout = length{least: minute, most: 10 * minute, otherwise: defaultTimeout, units: []string{"SECONDS", "MINUTES"}}.read(&o, "userPresenceTimeout")
	p.readRules(&o)
	p.readAuthenticators(&o)
	p.DisplayName = readDisplayName(&o)
	p.RelatedOrigins = readOrigins(&o)
	if in, ok := o.Object("offer"); ok {
		in.Need("enabled")
		p.OfferDisabled = !in.Flag("enabled")
		in.End("offer")
	}
	o.End("a FIDO2 policy")
	if faults != nil {
		return nil, faults
	}
	return p, nil
}

func readRequirement(o *document.Object, member string) Requirement {
	return Requirement(o.One(member, string(Discouraged), string(Preferred), string(Required)))
}

func (p *FIDO2Policy) readRules(o *document.Object) {
	if in, ok := o.Object("userVerification"); ok {
		in.Need("option")
		p.UserVerification.Option = readRequirement(&in, "option")
		p.UserVerification.Enforced = in.Flag("enforceDuringAuthentication")
		in.End("userVerification")
	}
	if in, ok := o.Object("backupEligibility"); ok {
		in.Need("allow")
		p.Backup.Allowed, p.Backup.Enforced = in.Flag("allow"), in.Flag("enforceDuringAuthentication")
		in.End("backupEligibility")
	}
}

// readAuthenticators reads which models are let in. They are named by AAGUID, which
// only an attestation proves.
func (p *FIDO2Policy) readAuthenticators(o *document.Object) {
	in, ok := o.Object("mdsAuthenticatorsRequirements")
	if !ok {
		return
	}
	defer in.End("mdsAuthenticatorsRequirements")
	in.Need("option")
	p.Authenticators.Option = Authenticators(in.One("option", string(AnyAuthenticator), string(AuditOnly), string(Global), string(Certified), string(Specific)))
	p.Authenticators.Enforced = in.Flag("enforceDuringAuthentication")
	list(&in, "allowedAuthenticators", func(of *document.Object) {
		defer of.End("an authenticator")
		if !of.Need("id") {
			return
		}
		text := of.Text("id", nameMost)
		b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		if err != nil || len(b) != 16 || len(text) != 36 && len(text) != 32 {
			of.Wrong("id", "takes an AAGUID, written as a UUID")
			return
		}
		p.Authenticators.Allowed = append(p.Authenticators.Allowed, [16]byte(b))
	})
	if p.Authenticators.Option.Models() && p.Attestation == NoAttestation {
		o.Wrong("attestationRequirements", "takes DIRECT where only some authenticators are let in: without it none says what it is")
	}
	if p.Authenticators.Option != Specific {
		return
	}
	if raw, named := in.Take("allowedAuthenticators"); !named || string(raw) == "[]" {
		in.Faults.AddCode(in.At.Member("allowedAuthenticators"), flow.RequiredValue, "is required: it names the models that SPECIFIC lets in")
	}
}

func readHints(o *document.Object) []string {
	var out []string
	for i, raw := range o.List("publicKeyCredentialHints", 3) {
		var s string
		_ = json.Unmarshal(raw, &s) // what is no string is none of them
		s = strings.ReplaceAll(strings.ToLower(s), "_", "-")
		if !slices.Contains([]string{"security-key", "client-device", "hybrid"}, s) {
			o.Faults.Add(o.At.Member("publicKeyCredentialHints").Index(i), "takes one of SECURITY_KEY, CLIENT_DEVICE, HYBRID")
			continue
		}
		out = append(out, s)
	}
	return out
}

// readDisplayName reads the attributes of users that may be shown beside a passkey.
// readDisplayName reads what is shown beside a passkey. Parts of one attribute are shown
// together.
func readDisplayName(o *document.Object) [][]string {
	in, ok := o.Object("userDisplayNameAttributes")
	if !ok {
		return nil
	}
	defer in.End("userDisplayNameAttributes")
	in.Need("attributes")
	var out [][]string
	list(&in, "attributes", func(of *document.Object) {
		defer of.End("an attribute")
		if !of.Need("name") {
			return
		}
		name := of.Text("name", nameMost)
		var parts []string
		list(of, "subAttributes", func(sub *document.Object) {
			defer sub.End("an attribute")
			if sub.Need("name") {
				parts = append(parts, name+"."+sub.Text("name", nameMost))
			}
		})
		if parts == nil {
			parts = []string{name}
		}
		out = append(out, parts)
	})
	return out
}

// readOrigins reads relatedOrigins, which is ours: an origin is a scheme and a host, and
// no more. Source: WebAuthn level 3, 5.11.
func readOrigins(o *document.Object) []string {
	var out []string
	for i, raw := range o.List("relatedOrigins", 20) {
		var s string
		_ = json.Unmarshal(raw, &s) // likewise
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || s != "https://"+u.Host || !hostName(u.Hostname()) {
			o.Faults.Add(o.At.Member("relatedOrigins").Index(i), "takes an origin, such as https://shop.example.com")
			continue
		}
		out = append(out, s)
	}
	return out
}

// hostName reports whether a text is a host name as an RP id is one: labels of small
// letters, digits and hyphens. Source: WebAuthn level 3, 5.4.2; RFC 1123 2.1.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}
