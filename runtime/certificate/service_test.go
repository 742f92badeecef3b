package certificate_test

import (
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

const (
	env  = "d0000000-0000-4000-8000-0000000000e1"
	base = "https://auth.example.com/" + env
	day  = 24 * time.Hour
)

func asUnfit(err error, unfit *certificate.Unfit) bool { return errors.As(err, unfit) }

// office keeps what an authority needs kept, in lists.
type office struct {
	t           testing.TB
	now         time.Time
	authorities []*certificate.Authority
	kept        []certificate.New
	revoked     []certificate.Revoked
	asked       int // for what is revoked
	*certificate.Service
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, now: time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)}
	o.Service = certificate.NewService(o, o, func() time.Time { return o.now })
	return o
}

func (*office) Place(string) (name, at string, err error) { return "Acme", base, nil }

func (o *office) Authorities(context.Context, string) ([]*certificate.Authority, error) {
	return o.authorities, nil
}

func (o *office) AddAuthority(_ context.Context, a *certificate.Authority) (bool, error) {
	o.authorities = append(o.authorities, a)
	return true, nil
}

func (o *office) Add(_ context.Context, n certificate.New) (certificate.Issued, error) {
	for _, k := range o.kept {
		if n.Effect != "" && k.Effect == n.Effect {
			return k.Issued, nil
		}
	}
	o.kept = append(o.kept, n)
	return n.Issued, nil
}

func (*office) PIN(context.Context, string, string, string) (string, error) {
	return "", flow.ErrUnknown
}

func (*office) HasPIN(context.Context, string, string) (bool, error) { return false, nil }

func (o *office) Revoked(context.Context, string, int) ([]certificate.Revoked, error) {
	o.asked++
	return o.revoked, nil
}

// issue has a certificate made of a request of ada's for another name.
func (o *office) issue(username string, effect ...string) (leaf, ca *x509.Certificate) {
	o.t.Helper()
	got, err := o.Issue(o.t.Context(), certificate.Order{
		Env: env, UserID: "u1", Username: username, Device: "d1", Effect: strings.Join(effect, ""), Request: wrapped(request(o.t, ec(o.t, elliptic.P256()), "administrator")), PIN: "4711",
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return parsed(o.t, got.Certificate), parsed(o.t, got.Chain)
}

func parsed(t testing.TB, text string) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		t.Fatalf("no PEM: %s", text)
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func verify(leaf, ca *x509.Certificate, at time.Time, use x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{use}})
	return err
}

func TestACertificateIsThePersonsAndNobodyElses(t *testing.T) {
	o := newOffice(t)
	leaf, ca := o.issue("ada@corp.example.com")
	for at, good := range map[time.Duration]bool{-4 * time.Minute: true, 0: true, 90*day - time.Second: true, 90*day + time.Second: false, -6 * time.Minute: false} {
		if err := verify(leaf, ca, o.now.Add(at), x509.ExtKeyUsageClientAuth); (err == nil) != good {
			t.Errorf("after %v: %v", at, err)
		}
	}
	if verify(leaf, ca, o.now, x509.ExtKeyUsageServerAuth) == nil || verify(leaf, ca, o.now, x509.ExtKeyUsageCodeSigning) == nil {
		t.Error("it is good for a server, or for code")
	}
	if leaf.Subject.String() != "CN=ada@corp.example.com" || len(leaf.DNSNames)+len(leaf.EmailAddresses) > 0 || leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("it is for %v %v %v, with usage %v", leaf.Subject, leaf.DNSNames, leaf.EmailAddresses, leaf.KeyUsage)
	}
	if !slices.ContainsFunc(leaf.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}.Equal) {
		t.Error("it is not for smart card logon")
	}
	if name := principal(t, leaf); name != "ada@corp.example.com" {
		t.Errorf("its principal is %q", name)
	}
	plain := strings.Replace(base, "https", "http", 1) + "/certificates/"
	if !slices.Equal(leaf.CRLDistributionPoints, []string{plain + "crl/1", base + "/certificates/crl/1"}) || leaf.IssuingCertificateURL[0] != plain+"ca/1" {
		t.Error(leaf.CRLDistributionPoints, leaf.IssuingCertificateURL)
	}
	if bits := leaf.SerialNumber.BitLen(); bits < 120 || bits > 128 || leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.Text(16) != o.kept[0].Serial {
		t.Errorf("a serial number of %d bits", bits)
	}
	if !ca.IsCA || !ca.MaxPathLenZero || ca.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("%+v", ca)
	}
	if k := o.kept[0]; k.UserID != "u1" || k.Device != "d1" || k.PIN != "4711" || k.Generation != 1 || !k.ExpiresAt.Equal(leaf.NotAfter) {
		t.Errorf("%+v", k)
	}
	long := strings.Repeat("ä", 100)
	if leaf, _ := o.issue(long); leaf.Subject.CommonName != "u1" || principal(t, leaf) != long {
		t.Error(leaf.Subject, principal(t, leaf))
	}
}

// principal is the user principal name of a certificate.
func principal(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	for _, e := range c.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var names []struct {
			ID    asn1.ObjectIdentifier
			Value string `asn1:"utf8,explicit,tag:0"`
		}
		var outer asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &outer); err != nil || len(rest) > 0 {
			t.Fatal(err)
		}
		for rest := outer.Bytes; len(rest) > 0; {
			var one struct {
				ID    asn1.ObjectIdentifier
				Value string `asn1:"utf8,explicit,tag:0"`
			}
			var err error
			if rest, err = asn1.UnmarshalWithParams(rest, &one, "tag:0"); err != nil {
				t.Fatal(err)
			}
			names = append(names, one)
		}
		if len(names) == 1 && names[0].ID.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}) {
			return names[0].Value
		}
	}
	return ""
}

func TestRevokedCertificatesAreListed(t *testing.T) {
	o := newOffice(t)
	leaf, ca := o.issue("ada")
	listed := func() *x509.RevocationList {
		t.Helper()
		l, err := o.Revocations(t.Context(), env, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x509.ParseRevocationList(l.DER)
		if err != nil || got.CheckSignatureFrom(ca) != nil {
			t.Fatal(err, got.CheckSignatureFrom(ca))
		}
		return got
	}
	first := listed()
	if len(first.RevokedCertificateEntries) > 0 || first.NextUpdate.Sub(o.now) != time.Hour || first.ThisUpdate.After(o.now) {
		t.Errorf("%+v", first)
	}
	o.revoked = []certificate.Revoked{{Serial: leaf.SerialNumber.Text(16), At: o.now, Reason: 6}}
	if len(listed().RevokedCertificateEntries) > 0 || o.asked != 1 {
		t.Error("the list is made for everybody who asks")
	}
	o.now = o.now.Add(time.Minute)
	next := listed()
	if e := next.RevokedCertificateEntries; len(e) != 1 || e[0].SerialNumber.Cmp(leaf.SerialNumber) != 0 || e[0].ReasonCode != 6 || next.Number.Cmp(first.Number) <= 0 {
		t.Errorf("%+v", e)
	}
	if _, err := o.Revocations(t.Context(), env, 2); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	if serial, ok := new(big.Int).SetString(o.revoked[0].Serial, 16); !ok || serial.Sign() < 0 {
		t.Error(serial)
	}
}

func TestAnAuthorityIsFollowedByAnother(t *testing.T) {
	o := newOffice(t)
	ensure := func(want bool) {
		t.Helper()
		if made, err := o.Ensure(t.Context(), env); made != want || err != nil {
			t.Errorf("%v: made %v, %v", o.now, made, err)
		}
	}
	if _, err := o.Published(t.Context(), env); !errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	ensure(true)
	ensure(false)
	first := o.authorities[0]
	signer := func(want ...int) {
		t.Helper()
		all, err := o.Published(t.Context(), env)
		var got []int
		for _, a := range all {
			got = append(got, a.Generation)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: published %v, want %v: %v", o.now, got, want, err)
		}
		leaf, ca := o.issue("ada")
		if err := verify(leaf, ca, o.now, x509.ExtKeyUsageClientAuth); err != nil || !slices.Equal(ca.Raw, all[0].Certificate) || leaf.NotAfter.After(ca.NotAfter) {
			t.Error(err)
		}
	}
	signer(1)
	leaf, _ := o.issue("ada", "once")
	o.now = first.EndsAt.Add(-366 * day)
	ensure(false)
	o.now = first.EndsAt.Add(-364 * day)
	ensure(true)
	ensure(false)
	signer(1, 2)
	o.now = first.EndsAt.Add(-119 * day)
	signer(2, 1)
	if again, ca := o.issue("ada", "once"); !slices.Equal(again.Raw, leaf.Raw) || !slices.Equal(ca.Raw, first.Certificate) {
		t.Error("a repeat is not answered as the first time")
	}
	o.now = first.EndsAt.Add(day)
	signer(2)
	if _, err := o.Revocations(t.Context(), env, 2); err != nil {
		t.Error(err)
	}

	late := newOffice(t) // nobody was here for years
	if _, err := late.Ensure(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	late.now = late.now.Add(certificate.AuthorityLife + day)
	late.issue("ada")
	if len(late.authorities) != 2 {
		t.Error(len(late.authorities))
	}
}
