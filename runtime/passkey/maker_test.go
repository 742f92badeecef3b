package passkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"
)

// self is an attestation by the credential's own key.
func self(a authenticator) change {
	return func(p *parts) {
		p.format = "packed"
		p.statement = func(data, hash []byte) any {
			return map[string]any{"alg": -7, "sig": a.sign(slices.Concat(data, hash))}
		}
	}
}

// maker is whoever has made authenticators: a key, and a certificate for it.
type maker struct {
	key  key
	cert []byte
}

func newMaker(t testing.TB, aaguid [16]byte, change func(*x509.Certificate)) maker {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model, err := asn1.Marshal(aaguid[:])
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		Subject: pkix.Name{
			Country: []string{"SE"}, Organization: []string{"Maker"}, OrganizationalUnit: []string{"Authenticator Attestation"}, CommonName: "Model",
		},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}, Value: model}},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	return maker{key{sign: signer(t, k, crypto.SHA256)}, der}
}

func (m maker) packed(p *parts) {
	p.format = "packed"
	p.statement = func(data, hash []byte) any {
		return map[string]any{"alg": -7, "sig": m.key.sign(slices.Concat(data, hash)), "x5c": []any{m.cert}}
	}
}

// u2f is what the older devices give. Source: WebAuthn level 3, 8.6.
func (m maker) u2f(a authenticator) change {
	return func(p *parts) {
		p.format = "fido-u2f"
		p.statement = func(data, hash []byte) any {
			point := slices.Concat([]byte{4}, a.cose[len(a.cose)-67:len(a.cose)-35], a.cose[len(a.cose)-32:])
			return map[string]any{"sig": m.key.sign(slices.Concat([]byte{0}, data[:32], hash, a.id, point)), "x5c": []any{m.cert}}
		}
	}
}

// tpm is what the chip of a computer gives. Source: WebAuthn level 3, 8.3; TPM 2.0 part 2,
// 10.12.8 (TPMS_ATTEST), 12.2.4 (TPMT_PUBLIC).
func (m maker) tpm(a authenticator) change {
	return func(p *parts) {
		p.format = "tpm"
		p.statement = func(data, hash []byte) any {
			x, y := a.cose[len(a.cose)-67:len(a.cose)-35], a.cose[len(a.cose)-32:]
			public := slices.Concat([]byte{0, 0x23, 0, 0xb, 0, 4, 0, 0, 0, 0, 0, 0x10, 0, 0x10, 0, 3, 0, 0x10, 0, 0x20}, x, []byte{0, 0x20}, y)
			name, extra := sha256.Sum256(public), sha256.Sum256(slices.Concat(data, hash))
			info := slices.Concat([]byte{0xff, 'T', 'C', 'G', 0x80, 0x17, 0, 0, 0, 0x20}, extra[:], make([]byte, 25), []byte{0, 0x22, 0, 0xb}, name[:], []byte{0, 0})
			return map[string]any{"ver": "2.0", "alg": -7, "sig": m.key.sign(info), "x5c": []any{m.cert}, "certInfo": info, "pubArea": public}
		}
	}
}

// chip makes of a certificate that of the key of such a chip. Source: WebAuthn level 3,
// 8.3.1.
func chip(vendor string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		set := func(n int, text string) pkix.RelativeDistinguishedNameSET {
			return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 23, 133, 2, n}, Value: text}}
		}
		name, err := asn1.Marshal(pkix.RDNSequence{set(1, vendor), set(2, "Model"), set(3, "id:00070002")})
		if err != nil {
			panic(err)
		}
		alternative, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name}})
		if err != nil {
			panic(err)
		}
		c.Subject = pkix.Name{}
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 23, 133, 8, 3}}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: alternative})
	}
}
