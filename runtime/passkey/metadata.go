package passkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
)

// Metadata is what the FIDO Metadata Service says of models of authenticators. Source:
// FIDO Metadata Service v3.1.
type Metadata struct {
	Number int       // of the file, which goes up
	Next   time.Time // when there is a newer one
	models map[[16]byte]*model
}

// model is what is said of one model.
type model struct {
	roots     *x509.CertPool // whose word it is that an authenticator is one
	barred    bool           // it was broken, or revoked
	certified bool
}

// Len is how many models are known.
func (m *Metadata) Len() int { return len(m.models) }

// of is what is said of a model; nil: nothing.
func (m *Metadata) of(aaguid [16]byte) *model {
	if m == nil {
		return nil
	}
	return m.models[aaguid]
}

// MetadataRoots are those that the FIDO Alliance has the file signed below. Source:
// FIDO Metadata Service v3.1, 3.2 (the trust anchor is published with the service).
func MetadataRoots() (*x509.CertPool, error) {
	root, err := certificate(metadata.ProductionMDSRoot)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool, nil
}

// metadataSigner is whose certificate signs the file: the root signs those of half the
// web as well.
const metadataSigner = "mds.fidoalliance.org"

// ReadMetadata reads the file of the service, a JSON Web Signature in its compact form,
// whose certificate leads to one of the roots. One that is out of date is taken, as of
// its time: it says less than a newer one, and nothing that is false. Source: FIDO
// Metadata Service v3.1, 3.1.6, 3.1.7, 3.2.
func ReadMetadata(file []byte, roots *x509.CertPool, now time.Time) (*Metadata, error) {
	parts := strings.Split(strings.TrimSpace(string(file)), ".")
	if len(parts) != 3 {
		return nil, errors.New("is no signed file of the FIDO Metadata Service: https://mds3.fidoalliance.org has it")
	}
	var said struct {
		Number  int             `json:"no"`
		Next    string          `json:"nextUpdate"`
		Entries []metadataEntry `json:"entries"`
	}
	if err := decodePart(parts[1], &said); err != nil {
		return nil, fmt.Errorf("its content: %w", err)
	}
	next, err := time.Parse(time.DateOnly, said.Next)
	if err != nil {
		return nil, errors.New("does not say when there is a newer one (nextUpdate)")
	}
	at := now
	if next.Before(now) {
		at = next
	}
	if err := signedBy(parts, roots, at); err != nil {
		return nil, err
	}
	m := &Metadata{Number: said.Number, Next: next, models: map[[16]byte]*model{}}
	for i := range said.Entries {
		e := &said.Entries[i]
		id, err := hex.DecodeString(strings.ReplaceAll(e.AAGUID, "-", ""))
		if err != nil || len(id) != 16 || [16]byte(id) == [16]byte{} {
			continue // of older protocols, whose authenticators do not say which model they are
		}
		m.models[[16]byte(id)] = e.model(now)
	}
	return m, nil
}

// signedBy holds that the file is signed, by whom it has to be.
func signedBy(parts []string, roots *x509.CertPool, at time.Time) error {
	var head struct {
		Algorithm string   `json:"alg"`
		Chain     []string `json:"x5c"`
		Address   string   `json:"x5u"`
	}
	if err := decodePart(parts[0], &head); err != nil {
		return fmt.Errorf("its header: %w", err)
	}
	if head.Address != "" || len(head.Chain) == 0 || len(head.Chain) > mostCertificates {
		return errors.New("does not bring the certificates that it is signed by (x5c)")
	}
	chain := make([]*x509.Certificate, len(head.Chain))
	between := x509.NewCertPool()
	for i, text := range head.Chain {
		var err error
		if chain[i], err = certificate(text); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
		if i > 0 {
			between.AddCert(chain[i])
		}
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		DNSName: metadataSigner, Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("is not signed by the FIDO Alliance: %w", err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !signs(head.Algorithm, chain[0].PublicKey, parts[0]+"."+parts[1], signature) {
		return errors.New("has been changed since it was signed")
	}
	return nil
}

// signs reports whether a signature of JWS is one. Source: RFC 7518 3.3, 3.4.
func signs(algorithm string, key any, text string, signature []byte) bool {
	sum := sha256.Sum256([]byte(text))
	switch k := key.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && k.N.BitLen() <= mostModulus && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && len(signature) == 64 && ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

func decodePart(text string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// certificate reads one in base64, between whose letters there may be blanks.
func certificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// metadataEntry is what is read of a model. Source: FIDO Metadata Service v3.1, 3.1.1,
// 3.1.3; FIDO Metadata Statement v3.0, 4.
type metadataEntry struct {
	AAGUID    string `json:"aaguid"`
	Statement struct {
		Roots []string `json:"attestationRootCertificates"`
	} `json:"metadataStatement"`
	Reports []struct {
		Status string `json:"status"`
		From   string `json:"effectiveDate"`
	} `json:"statusReports"`
}

// model is what an entry says at now. What bars a model does so for good, as nobody
// can see from here whether one authenticator was mended. What certifies it is the
// last report about that. Source: FIDO Metadata Service v3.1, 3.1.4.
func (e *metadataEntry) model(now time.Time) *model {
	m := &model{roots: x509.NewCertPool()}
	for _, text := range e.Statement.Roots {
		if root, err := certificate(text); err == nil { // some that are published are none
			m.roots.AddCert(root)
		}
	}
	for _, r := range e.Reports {
		from, err := time.Parse(time.DateOnly, r.From)
		early := err == nil && from.After(now)
		switch {
		case slices.Contains([]string{
			"REVOKED", "USER_VERIFICATION_BYPASS", "ATTESTATION_KEY_COMPROMISE", "USER_KEY_REMOTE_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE",
		}, r.Status):
			m.barred = true
		case early:
		case strings.HasPrefix(r.Status, "FIDO_CERTIFIED"):
			m.certified = true
		case r.Status == "NOT_FIDO_CERTIFIED", r.Status == "SELF_ASSERTION_SUBMITTED":
			m.certified = false
		}
	}
	return m
}

// alternative is the extension that certificates of a computer's chip mark as critical,
// and that verifying the statement has read. Source: WebAuthn level 3, 8.3.1.
const alternative = "2.5.29.17"

// vouches reports whether the certificates of a statement lead to a root of the model.
func (m *model) vouches(statement map[string]any) bool {
	list, _ := statement["x5c"].([]any)
	between := x509.NewCertPool()
	var first *x509.Certificate
	for i, c := range list {
		der, _ := c.([]byte)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return false
		}
		if i > 0 {
			between.AddCert(cert)
			continue
		}
		first = cert
		first.UnhandledCriticalExtensions = slices.DeleteFunc(first.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool { return id.String() == alternative })
	}
	if first == nil {
		return false
	}
	_, err := first.Verify(x509.VerifyOptions{Roots: m.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}
