package device

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Pairing is that a MOBILE device may be paired with a user, once, by whoever has the
// key whose hash it holds.
type Pairing struct {
	Env, UserID          string
	ID                   string // UUID that the device is going to have
	Application          string // UUID of the native application; empty: any
	Policy               string // as Device.Policy
	Nickname             string
	Hash                 [32]byte // of the key in the form of NormalPairingKey, under PairingPurpose and the environment
	CreatedAt, ExpiresAt time.Time
}

// PairingPurpose is the purpose of the key under which pairing keys are hashed.
const PairingPurpose = "device.pairing"

// The formats of pairing keys: 12 digits, or 16 digits and letters, of which those
// that look like digits are left out. Source: reference/management.md 5.10.
const (
	Numeric      = "NUMERIC"
	Alphanumeric = "ALPHANUMERIC"

	digits       = "0123456789"
	alphanumeric = digits + "ABCDEFGHJKMNPQRSTVWXYZ"
)

// NewPairingKey makes one of a format.
func NewPairingKey(random io.Reader, format string) (string, error) {
	var alphabet string
	var key []byte
	switch format {
	case Numeric:
		alphabet, key = digits, make([]byte, 12)
	case Alphanumeric:
		alphabet, key = alphanumeric, make([]byte, 16)
	default:
		return "", fmt.Errorf("pairing keys have no format %q", format)
	}
	fair := 256 / len(alphabet) * len(alphabet) // from there on, some symbols would come more often
	for i := 0; i < len(key); {
		if _, err := io.ReadFull(random, key[i:i+1]); err != nil {
			return "", err
		}
		if int(key[i]) < fair {
			key[i] = alphabet[int(key[i])%len(alphabet)]
			i++
		}
	}
	return string(key), nil
}

// NormalPairingKey is a pairing key as it is hashed, of one as people type it: without
// blanks and hyphens, in upper case. It reports whether it can be one at all.
func NormalPairingKey(typed string) (string, bool) {
	key := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
	switch len(key) {
	case 12:
		return key, strings.Trim(key, digits) == ""
	case 16:
		return key, strings.Trim(key, alphanumeric) == ""
	}
	return "", false
}

// PairingURI is what the QR code of a pairing key holds. environment is the base
// address of the environment, with its id. The scheme is one of our own, so that no key
// is ever part of a web address that a browser or a server writes down.
func PairingURI(environment, key string) string {
	return pairingScheme + "://" + pairingHost + "?" + url.Values{"environment": {environment}, "code": {key}}.Encode()
}

const pairingScheme, pairingHost = "doorward", "pair"

// ReadPairingURI is the reverse of PairingURI.
func ReadPairingURI(uri string) (environment, key string, err error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != pairingScheme || u.Host != pairingHost {
		return "", "", errors.New("that is not what a pairing QR code holds: it begins with doorward://pair?")
	}
	q := u.Query()
	environment = q.Get("environment")
	key, is := NormalPairingKey(q.Get("code"))
	if base, err := url.Parse(environment); err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || !is {
		return "", "", errors.New("the QR code names no environment, or has no pairing key")
	}
	return environment, key, nil
}
