package passkey

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
)

// Request makes the options for signing a challenge: by one of some credentials, or
// by any that the authenticator knows of this party when there are none. Credentials
// of other relying parties are left out; when none is left, there is nothing to ask.
func Request(p Party, pol *mfapolicy.FIDO2Policy, allow []device.Credential, challenge []byte) (Options, error) {
	d, err := demandsOf(pol, nil)
	if err != nil {
		return Options{}, err
	}
	if p.ID == "" || len(challenge) < leastChallenge {
		return Options{}, refused(ReasonSetup)
	}
	var of []device.Credential
	for _, c := range allow {
		if c.RPID == p.ID {
			of = append(of, c)
		}
	}
	if len(of) == 0 && len(allow) > 0 { // an empty list would mean anybody
		return Options{}, refused(ReasonCredential)
	}
	return Options{
		Standard: appendRequest(make([]byte, 0, 256), d, p.ID, of, challenge, appendPlain),
		Vendor:   string(appendRequest(make([]byte, 0, 384), d, p.ID, of, challenge, appendSigned)),
	}, nil
}

// appendRequest writes PublicKeyCredentialRequestOptions; bytes are written by write.
// It is by hand, since every look at a page where people sign on has one.
// Source: WebAuthn level 3, 5.5; reference/flows.md 8.4.
func appendRequest(b []byte, d demands, party string, of []device.Credential, challenge []byte, write func(b, bytes []byte) []byte) []byte {
	b = write(append(b, `{"challenge":`...), challenge)
	if ms := d.timeout(); ms > 0 {
		b = strconv.AppendInt(append(b, `,"timeout":`...), ms, 10)
	}
	b = appendText(append(b, `,"rpId":`...), party)
	for i, c := range of {
		lead := `,{"type":"public-key","id":`
		if i == 0 {
			lead = `,"allowCredentials":[{"type":"public-key","id":`
		}
		b = write(append(b, lead...), c.ID)
		b = append(appendTexts(b, `,"transports":`, c.Transports), '}')
	}
	if len(of) > 0 {
		b = append(b, ']')
	}
	b = appendText(append(b, `,"userVerification":`...), d.verification)
	return append(appendTexts(b, `,"hints":`, d.Hints), '}')
}

// appendTexts writes a list behind lead, and nothing where it is empty.
func appendTexts(b []byte, lead string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, lead...), '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // reports invalid UTF-8, which is replaced
	return b
}

// appendPlain writes bytes in base64url.
func appendPlain(b, bytes []byte) []byte {
	return append(base64.RawURLEncoding.AppendEncode(append(b, '"'), bytes), '"')
}

// appendSigned writes bytes as a list of numbers from -128 to 127.
func appendSigned(b, bytes []byte) []byte {
	b = append(b, '[')
	for i, x := range bytes {
		if i > 0 {
			b = append(b, ',')
		}
		if x > math.MaxInt8 {
			b, x = append(b, '-'), -x
		}
		b = strconv.AppendUint(b, uint64(x), 10)
	}
	return append(b, ']')
}
