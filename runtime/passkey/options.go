package passkey

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
)

// creation is PublicKeyCredentialCreationOptions in both forms: B is how bytes are
// written, A how an algorithm is. Source: WebAuthn level 3, 5.4; reference/flows.md 8.4.
type creation[B, A any] struct {
	RP          entity          `json:"rp"`
	User        account[B]      `json:"user"`
	Challenge   B               `json:"challenge"`
	Parameters  []parameter[A]  `json:"pubKeyCredParams"`
	Timeout     int64           `json:"timeout,omitempty"` // milliseconds
	Exclude     []descriptor[B] `json:"excludeCredentials"`
	Selection   selection       `json:"authenticatorSelection"`
	Hints       []string        `json:"hints,omitempty"`
	Attestation string          `json:"attestation"`
	Extensions  extensions      `json:"extensions"`
}

type entity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type account[B any] struct {
	ID          B      `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type parameter[A any] struct {
	Type      string `json:"type"`
	Algorithm A      `json:"alg"`
}

type descriptor[B any] struct {
	Type       string   `json:"type"`
	ID         B        `json:"id"`
	Transports []string `json:"transports,omitempty"`
}

type selection struct {
	Attachment      string `json:"authenticatorAttachment,omitempty"`
	ResidentKey     string `json:"residentKey"`
	RequireResident bool   `json:"requireResidentKey"` // what older clients read
	Verification    string `json:"userVerification"`
}

// extensions asks whether the credential can be found without its id.
type extensions struct {
	CredProps bool `json:"credProps"`
}

// plain is bytes in base64url.
type plain []byte

// MarshalText implements encoding.TextMarshaler.
func (b plain) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// signed is bytes as a list of numbers from -128 to 127.
type signed []byte

// MarshalJSON implements json.Marshaler.
func (b signed) MarshalJSON() ([]byte, error) { return appendSigned(nil, b), nil }

func asNumber(alg int) int  { return alg }
func asText(alg int) string { return strconv.Itoa(alg) }

// Creation makes the options for a new credential of a user. attachment narrows what
// the policy allows: "platform", "cross-platform", or empty. exclude are the
// credentials that the person has already.
func Creation(p Party, pol *mfapolicy.FIDO2Policy, user User, exclude []device.Credential, attachment string, challenge []byte) (Options, error) {
	d, err := demandsOf(pol, nil)
	switch {
	case err != nil:
		return Options{}, err
	case p.ID == "", len(challenge) < leastChallenge, len(user.Handle) == 0, len(user.Handle) > maxHandle:
		return Options{}, refused(ReasonSetup)
	case attachment == "":
		attachment = d.attachment
	case attachment != platform && attachment != crossPlatform, d.attachment != "" && attachment != d.attachment:
		return Options{}, refused(ReasonAttachment)
	}
	return both(
		creationOptions[plain](p, d, user, exclude, attachment, challenge, asNumber),
		creationOptions[signed](p, d, user, exclude, attachment, challenge, asText))
}

func creationOptions[B plain | signed, A any](p Party, d demands, user User, exclude []device.Credential, attachment string, challenge []byte, write func(int) A) creation[B, A] {
	c := creation[B, A]{
		RP: entity{p.ID, p.Name}, User: account[B]{B(user.Handle), user.Name, user.DisplayName}, Challenge: B(challenge),
		Timeout: d.timeout(), Exclude: descriptors[B](exclude), Hints: d.Hints, Attestation: "none",
		Selection:  selection{attachment, d.residentKey, d.residentKey == required, d.verification},
		Extensions: extensions{CredProps: true},
	}
	if d.direct() {
		c.Attestation = "direct"
	}
	for _, a := range algorithms() {
		c.Parameters = append(c.Parameters, parameter[A]{"public-key", write(int(a))})
	}
	return c
}

func descriptors[B plain | signed](of []device.Credential) []descriptor[B] {
	out := make([]descriptor[B], 0, len(of))
	for _, c := range of {
		out = append(out, descriptor[B]{"public-key", B(c.ID), c.Transports})
	}
	return out
}

func both(standard, vendor any) (Options, error) {
	s, err := json.Marshal(standard)
	if err != nil {
		return Options{}, err
	}
	v, err := json.Marshal(vendor)
	return Options{s, string(v)}, err
}
