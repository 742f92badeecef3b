package passkey

import (
	"encoding/base64"
	"regexp"
	"strings"

	"doorward/runtime/document"
)

// MaxMessage is how long the JSON of an answer may be, in bytes. The longest honest
// ones are attestations with a chain of certificates.
const MaxMessage = 32 << 10

// What an answer may hold at most. Source: WebAuthn level 3, 4 (Credential ID), 5.4.3.
const (
	maxCredentialID = 1023
	maxHandle       = 64
	maxTransports   = 16
)

// transport is a name as those of the enumeration are; unknown ones are kept. Source:
// WebAuthn level 3, 5.8.4.
var transport = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// answer is the JSON of a PublicKeyCredential. Both forms have the same members; the
// vendor's has its bytes in standard base64. Members that are not named here are
// passed over: browsers add some.
type answer struct {
	id           []byte
	clientData   []byte
	attestation  []byte // attestationObject; of a registration
	data         []byte // authenticatorData; of an assertion
	signature    []byte
	handle       []byte // nil: it does not say
	transports   []string
	attachment   string
	discoverable *bool // nil: it does not say
}

func readAttestation(text string) (answer, error) {
	m, a, ok := readCredential(text)
	a.attestation = m.bytes("attestationObject")
	a.transports = m.words("transports")
	return a, m.judged(ok)
}

func readAssertion(text string) (answer, error) {
	m, a, ok := readCredential(text)
	a.data = m.bytes("authenticatorData")
	a.signature = m.bytes("signature")
	if a.handle = m.bytesOrNone("userHandle"); len(a.handle) > maxHandle {
		*m.wrong = true
	}
	return a, m.judged(ok)
}

// readCredential reads what both ceremonies answer with, and opens the response.
func readCredential(text string) (members, answer, bool) {
	m := members{wrong: new(bool)}
	if len(text) > MaxMessage {
		return m, answer{}, false
	}
	v, err := document.Decode([]byte(text), func(string) (any, error) { return struct{}{}, nil }) // no number says anything to us
	all, ok := v.(map[string]any)
	if err != nil || !ok {
		return m, answer{}, false
	}
	m.all = all
	a := answer{id: m.bytes("rawId"), attachment: m.textOrNone("authenticatorAttachment")}
	if m.text("type") != "public-key" || m.text("id") != base64.RawURLEncoding.EncodeToString(a.id) || len(a.id) > maxCredentialID {
		return m, a, false
	}
	results := m.object("clientExtensionResults")
	if rk, said := results.object("credProps").all["rk"]; said {
		is, ok := rk.(bool)
		*m.wrong = *m.wrong || !ok
		a.discoverable = &is
	}
	response := m.object("response")
	a.clientData = response.bytes("clientDataJSON")
	return response, a, true
}

// members are those of an object. One that is not as it has to be sets wrong, which
// all objects of a document share.
type members struct {
	all   map[string]any
	wrong *bool
}

func (m members) judged(ok bool) error {
	if !ok || *m.wrong {
		return refused(ReasonMessage)
	}
	return nil
}

// object is a member that is one; none and null are empty.
func (m members) object(name string) members {
	v := m.all[name]
	o, ok := v.(map[string]any)
	if !ok && v != nil {
		*m.wrong = true
	}
	return members{o, m.wrong}
}

// text is a member that has to be there.
func (m members) text(name string) string {
	s, ok := m.all[name].(string)
	if !ok || s == "" {
		*m.wrong = true
	}
	return s
}

func (m members) textOrNone(name string) string {
	if m.all[name] == nil {
		return ""
	}
	return m.text(name)
}

// bytes is a member that has to be there and hold some.
func (m members) bytes(name string) []byte {
	b, ok := unbase64(m.text(name))
	if !ok {
		*m.wrong = true
	}
	return b
}

// bytesOrNone is nil for a member that is not there, null, or empty, as apps that
// have nothing to say write it.
func (m members) bytesOrNone(name string) []byte {
	if v := m.all[name]; v == nil || v == "" {
		return nil
	}
	return m.bytes(name)
}

// words is a list of names; none and null are empty.
func (m members) words(name string) []string {
	v := m.all[name]
	list, ok := v.([]any)
	if !ok && v != nil || len(list) > maxTransports {
		*m.wrong = true
		return nil
	}
	var words []string
	for _, x := range list {
		s, ok := x.(string)
		if !ok || !transport.MatchString(s) {
			*m.wrong = true
		}
		words = append(words, s)
	}
	return words
}

// unbase64 takes base64 in either alphabet, padded to the last character or not at
// all, with nothing in between and no bit to spare. Source: RFC 4648 3.
func unbase64(text string) ([]byte, bool) {
	encoding := base64.RawURLEncoding
	if strings.ContainsAny(text, "+/") {
		encoding = base64.RawStdEncoding
	}
	if strings.HasSuffix(text, "=") {
		encoding = encoding.WithPadding(base64.StdPadding)
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder passes over them
		return nil, false
	}
	b, err := encoding.Strict().DecodeString(text)
	return b, err == nil && len(b) > 0
}
