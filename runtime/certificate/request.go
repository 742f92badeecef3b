package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// MostRequest is the longest signing request as text, in bytes.
const MostRequest = 16 << 10

// The sizes of RSA keys that are taken, in bits. The upper bound is on the work of
// whoever checks them; the exponent is that of FIPS 186-5 5.4.
const (
	leastRSA      = 2048
	mostRSA       = 4096
	leastExponent = 1<<16 + 1
)

// Unfit is why a signing request is not taken, for whoever sent it.
type Unfit string

func (u Unfit) Error() string { return string(u) }

const (
	unreadable = Unfit("The csr is not the Base64 of a PEM certificate signing request; send that.")
	unsigned   = Unfit("The csr is not signed by the key that it is for, by SHA-256 or better; sign it with that key.")
	weak       = Unfit("The key of the csr is not taken; make an RSA key of 2048 to 4096 bits, or one on P-256 or P-384.")
)

// PublicKey is the key for which a signing request wants a certificate, shown to be the
// sender's. The text is the Base64 of a PEM block; the block itself and the Base64 of
// its DER are taken as well. Names and extensions that it asks for count for nothing.
// The error is an Unfit. Source: reference/flows.md 7.4.
func PublicKey(text string) (any, error) {
	der, ok := read(text)
	if !ok {
		return nil, unreadable
	}
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, unreadable
	}
	if !strong(r.PublicKey) { // before it costs anything
		return nil, weak
	}
	if r.CheckSignature() != nil {
		return nil, unsigned
	}
	return r.PublicKey, nil
}

// read is the DER of a request, however it is wrapped.
func read(text string) ([]byte, bool) {
	if len(text) > MostRequest {
		return nil, false
	}
	if der, ok := block([]byte(text)); ok {
		return der, true
	}
	inner, err := unbase64(text)
	if err != nil {
		return nil, false
	}
	if der, ok := block(inner); ok {
		return der, true
	}
	return inner, len(inner) > 0
}

// block is the one PEM block of a text.
func block(text []byte) ([]byte, bool) {
	b, rest := pem.Decode(text)
	if b == nil || b.Type != "CERTIFICATE REQUEST" && b.Type != "NEW CERTIFICATE REQUEST" || strings.TrimSpace(string(rest)) != "" {
		return nil, false
	}
	return b.Bytes, true
}

// unbase64 reads the usual alphabet and that of URLs, with padding or without, and
// over several lines.
func unbase64(text string) ([]byte, error) {
	text = strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/").Replace(strings.TrimSpace(text))
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// strong reports whether a key may be certified.
func strong(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return bits >= leastRSA && bits <= mostRSA && k.E >= leastExponent && k.E%2 == 1
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
	}
	return false
}
