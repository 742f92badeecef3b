package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"
)

// How long things are good.
const (
	// AuthorityLife is that of an authority, which has to be brought to every domain.
	AuthorityLife = 10 * 365 * 24 * time.Hour
	// renewed is how long before its end an authority gets a successor, and changed how
	// long before it that one begins to sign: between them it is brought to the domains.
	renewed = 365 * 24 * time.Hour
	changed = Life + 30*24*time.Hour
	// Life is that of a certificate of a person.
	Life = 90 * 24 * time.Hour
	// listed is how long a list of revoked certificates may be believed. Windows asks
	// for none before that.
	listed = time.Hour
	// early is how much earlier than they are made things say that they begin: clocks
	// are wrong.
	early = 5 * time.Minute
)

// The object identifiers of Microsoft. Source: RFC 4556 3.2.2; Microsoft's guidelines
// for enabling smart card logon with third-party authorities.
func principalName() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
}

func smartCardLogon() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}
}
func alternativeName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 17} }

// Authority signs the certificates of one environment. From CreatedAt on it is
// published, from ActiveAt on it signs, and at EndsAt nothing that it has signed is good.
type Authority struct {
	Env         string
	Generation  int // 1 for the first
	Private     crypto.Signer
	Certificate []byte // DER, self-signed
	CreatedAt   time.Time
	ActiveAt    time.Time
	EndsAt      time.Time
}

// NewAuthority makes the authority of a generation, which signs from active on. name is
// the environment's. Windows has verified ECDSA since 2008, and a key of P-256 is made
// in no time.
func NewAuthority(env, name string, generation int, active, now time.Time) (*Authority, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authority key: %w", err)
	}
	now = now.UTC().Truncate(time.Second)
	ends := now.Add(AuthorityLife)
	id, err := keyID(private.Public())
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber: serial,
		// Two environments may have one name, and an issuer has to be one authority's.
		Subject:   pkix.Name{CommonName: common(fmt.Sprintf("%s sign-on G%d", name, generation), env), OrganizationalUnit: []string{env}},
		NotBefore: now.Add(-early), NotAfter: ends,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, // of all that it signs
		SubjectKeyId: id,

		UnknownExtKeyUsage: []asn1.ObjectIdentifier{smartCardLogon()},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("authority certificate: %w", err)
	}
	return &Authority{Env: env, Generation: generation, Private: private, Certificate: der, CreatedAt: now, ActiveAt: active.UTC(), EndsAt: ends}, nil
}

// common is a name that fits into a common name, else another. Source: RFC 5280
// appendix A.1 (ub-common-name).
func common(name, other string) string {
	if name == "" || utf8.RuneCountInString(name) > 64 {
		return other
	}
	return name
}

// leaf is what a certificate of a person says.
type leaf struct {
	serial   *big.Int
	username string
	userID   string
	key      any
	base     string // address of what is published; see Places
}

// sign makes a certificate of a person. It ends with the authority at the latest.
func (a *Authority) sign(l leaf, now time.Time) (*x509.Certificate, error) {
	issuer, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, fmt.Errorf("authority certificate: %w", err)
	}
	id, err := keyID(l.key)
	if err != nil {
		return nil, err
	}
	alternative, err := principal(l.username)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	ends := now.Add(Life)
	if ends.After(a.EndsAt) {
		ends = a.EndsAt
	}
	template := x509.Certificate{
		SerialNumber: l.serial, Subject: pkix.Name{CommonName: common(l.username, l.userID)},
		NotBefore: now.Add(-early), NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{smartCardLogon()},
		BasicConstraintsValid: true, SubjectKeyId: id, AuthorityKeyId: issuer.SubjectKeyId,
		CRLDistributionPoints: addresses(l.base, "crl", a.Generation),
		IssuingCertificateURL: addresses(l.base, "ca", a.Generation),
		ExtraExtensions:       []pkix.Extension{{Id: alternativeName(), Value: alternative}},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer, l.key, a.Private)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// addresses are where something of an authority is published, without TLS first: to
// verify that, a client would have to ask again. Source: RFC 5280 8.
func addresses(base, what string, generation int) []string {
	at := fmt.Sprintf("%s/certificates/%s/%d", base, what, generation)
	if rest, secure := strings.CutPrefix(at, "https://"); secure {
		return []string{"http://" + rest, at}
	}
	return []string{at}
}

// principal is the alternative name by which Windows knows the person: a user principal
// name. Source: RFC 5280 4.2.1.6 (otherName).
func principal(username string) ([]byte, error) {
	name, err := asn1.MarshalWithParams(username, "utf8,explicit,tag:0")
	if err != nil {
		return nil, fmt.Errorf("principal name: %w", err)
	}
	oid, err := asn1.Marshal(principalName())
	if err != nil {
		return nil, fmt.Errorf("principal name: %w", err)
	}
	return asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(oid, name...)}})
}

// Revoked is a certificate that is good no more.
type Revoked struct {
	Serial string // as kept; see Issued
	At     time.Time
	Reason int // of RFC 5280 5.3.1; 0: unspecified
}

// list makes the list of what is revoked.
func (a *Authority) list(revoked []Revoked, now time.Time) ([]byte, error) {
	issuer, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, fmt.Errorf("authority certificate: %w", err)
	}
	template := x509.RevocationList{Number: big.NewInt(now.UnixMilli()), ThisUpdate: now.Add(-early), NextUpdate: now.Add(listed)}
	for _, r := range revoked {
		serial, ok := new(big.Int).SetString(r.Serial, 16)
		if !ok {
			return nil, fmt.Errorf("serial number %q", r.Serial)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: r.At.UTC(), ReasonCode: r.Reason})
	}
	der, err := x509.CreateRevocationList(rand.Reader, &template, issuer, a.Private)
	if err != nil {
		return nil, fmt.Errorf("list of revoked certificates: %w", err)
	}
	return der, nil
}

// keyID is by what a certificate names its key. Source: RFC 7093 2 (1).
func keyID(key any) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return sum[:20], nil
}

// newSerial is 128 random bits: nobody guesses one, and no two are the same.
func newSerial() (*big.Int, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	b[0] |= 1 // never so short that it looks like a counter
	return new(big.Int).SetBytes(b[:]), nil
}
