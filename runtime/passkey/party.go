package passkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Party is the relying party: whom credentials are made for, and where they may be
// used.
type Party struct {
	ID   string // a domain, such as auth.example; that of every credential
	Name string
	// Origins are those from which answers are taken, each exactly as the client
	// writes it: "https://auth.example" or "android:apk-key-hash:" and a digest.
	// Those of the web outside of the domain are related origins.
	Origins []string
}

// WellKnown is where clients look for the related origins of a party, at its domain.
// Source: WebAuthn level 3, 5.11.
const WellKnown = "/.well-known/webauthn"

// mostLabels is how many names of organizations clients read among related origins.
// Source: WebAuthn level 3, 5.11.1.
const mostLabels = 5

// app is the origin of an application of Android. Source: the Digital Asset Links
// form of it, SHA-1 or SHA-256 of the signing certificate in base64url.
var app = regexp.MustCompile(`^android:apk-key-hash(-sha256)?:[A-Za-z0-9_-]{27,43}$`)

// domain is one that a client would write so.
var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check is what is wrong with a party, as nobody could ever use a credential of it or
// everybody could; nil: nothing.
func (p Party) Check() error {
	if !domain.MatchString(p.ID) || len(p.ID) > 253 || net.ParseIP(p.ID) != nil {
		return fmt.Errorf("%q is no domain: it takes lower case letters, digits, dots and hyphens, and no address", p.ID)
	}
	if p.ID != "localhost" {
		if _, err := publicsuffix.EffectiveTLDPlusOne(p.ID); err != nil {
			return fmt.Errorf("%q is no domain of anybody: whole suffixes are refused by browsers", p.ID)
		}
	}
	if len(p.Origins) == 0 {
		return errors.New("has no origin")
	}
	for _, o := range p.Origins {
		if _, ok := web(o); !ok && !app.MatchString(o) {
			return fmt.Errorf("%q is no origin as a client writes it: https, a domain in lower case, no usual port and no path; or android:apk-key-hash: and a digest", o)
		}
	}
	_, err := p.Related()
	return err
}

// Related is the document for WellKnown; nil when there are no related origins. It
// fails when there are more than clients read.
func (p Party) Related() ([]byte, error) {
	var doc struct {
		Origins []string `json:"origins"`
	}
	labels := map[string]bool{}
	for _, o := range p.Origins {
		host, ok := web(o)
		if !ok || host == p.ID || strings.HasSuffix(host, "."+p.ID) || slices.Contains(doc.Origins, o) {
			continue
		}
		doc.Origins = append(doc.Origins, o)
		label, _, _ := strings.Cut(host, ".")
		if own, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			label, _, _ = strings.Cut(own, ".")
		}
		labels[label] = true
	}
	if len(labels) > mostLabels {
		return nil, fmt.Errorf("has related origins of %d names: clients read %d", len(labels), mostLabels)
	}
	if len(doc.Origins) == 0 {
		return nil, nil
	}
	return json.Marshal(doc)
}

// web is the host of an origin of the web. It is https, or http on this machine, as
// browsers have WebAuthn nowhere else. Source: HTML, 7.1.1 (serialization of an
// origin); WebAuthn level 3, 13.4.9.
func web(origin string) (host string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin || !domain.MatchString(u.Hostname()) || net.ParseIP(u.Hostname()) != nil {
		return "", false
	}
	switch port := u.Port(); {
	case strings.HasSuffix(u.Host, ":"), strings.HasPrefix(port, "0"):
		return "", false
	case u.Scheme == "https":
		return u.Hostname(), port != "443"
	case u.Scheme == "http":
		local := u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost")
		return u.Hostname(), local && port != "80"
	}
	return "", false
}
