package passkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// alliance signs files of the FIDO Metadata Service.
type alliance struct {
	root, leaf *x509.Certificate
	key        crypto.Signer
	entries    []any
	head       map[string]any
	next       time.Time
}

func authority(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return signed(t, template, template, &k.PublicKey, k), k
}

func signed(t testing.TB, template, by *x509.Certificate, key any, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by, key, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newAlliance is one whose file is signed by a key of its own, below its root.
func newAlliance(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) *alliance {
	t.Helper()
	root, by := authority(t, "Root of the Alliance")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"mds.fidoalliance.org"}, NotBefore: time.Now().Add(-200 * 24 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if change != nil {
		change(template)
	}
	return &alliance{root: root, leaf: signed(t, template, root, key.Public(), by), key: key, next: time.Now().Add(30 * 24 * time.Hour), head: map[string]any{}}
}

func (a *alliance) trusted() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// lists adds a model whose authenticators are those of a maker.
func (a *alliance) lists(model [16]byte, maker []byte, statuses ...string) {
	var reports []any
	for _, s := range statuses {
		status, from, _ := strings.Cut(s, " from ")
		reports = append(reports, map[string]any{"status": status, "effectiveDate": from})
	}
	a.entries = append(a.entries, map[string]any{
		"aaguid": uuid.UUID(model).String(), "statusReports": reports,
		"metadataStatement": map[string]any{"attestationRootCertificates": []string{"not a certificate", wrapped(base64.StdEncoding.EncodeToString(maker))}},
	})
}

// wrapped is a text with a line break in it, as some of those that are published.
func wrapped(text string) string { return text[:16] + "\n " + text[16:] }

func (a *alliance) file(t testing.TB) string {
	t.Helper()
	head := map[string]any{"alg": "ES256", "typ": "JWT", "x5c": []string{base64.StdEncoding.EncodeToString(a.leaf.Raw)}}
	if _, is := a.key.(*rsa.PrivateKey); is {
		head["alg"] = "RS256"
	}
	for k, v := range a.head {
		head[k] = v
	}
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(head) + "." + part(map[string]any{"legalHeader": "…", "no": 7, "nextUpdate": a.next.Format(time.DateOnly), "entries": a.entries})
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	switch k := a.key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	default:
		var err error
		if sig, err = a.key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAFileOfModelsIsSignedByWhoPublishesIt(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	whole := func(s string) string { return s }
	for name, row := range map[string]struct {
		key    crypto.Signer
		cert   func(*x509.Certificate)
		change func(*alliance)
		edit   func(string) string
		want   string // empty: it is read
	}{
		"by a curve":           {ecKey(t), nil, nil, whole, ""},
		"by RSA":               {rsaKey, nil, nil, func(s string) string { return s + "\n" }, ""},
		"out of date":          {ecKey(t), nil, func(a *alliance) { a.next = time.Now().Add(-100 * 24 * time.Hour) }, whole, ""},
		"whose signer is over": {ecKey(t), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-24 * time.Hour) }, nil, whole, "is not signed by the FIDO Alliance"},
		"of the time of its signer": {
			ecKey(t), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-24 * time.Hour) }, func(a *alliance) { a.next = time.Now().Add(-48 * time.Hour) }, whole, "",
		},
		"of another host":     {ecKey(t), func(c *x509.Certificate) { c.DNSNames = []string{"mds.example.org"} }, nil, whole, "is not signed by the FIDO Alliance"},
		"of another root":     {ecKey(t), nil, func(a *alliance) { a.root, _ = authority(t, "Root of the Alliance") }, whole, "is not signed by the FIDO Alliance"},
		"without its chain":   {ecKey(t), nil, func(a *alliance) { a.head["x5c"] = []string{} }, whole, "does not bring the certificates"},
		"with a chain abroad": {ecKey(t), nil, func(a *alliance) { a.head["x5u"] = "https://example.org/x5u" }, whole, "does not bring the certificates"},
		"with a long chain":   {ecKey(t), nil, func(a *alliance) { a.head["x5c"] = slices.Repeat([]string{""}, 9) }, whole, "does not bring the certificates"},
		"by nothing":          {ecKey(t), nil, func(a *alliance) { a.head["alg"] = "none" }, whole, "has been changed"},
		"by another key":      {ecKey(t), nil, func(a *alliance) { a.key = ecKey(t) }, whole, "has been changed"},
		"changed": {ecKey(t), nil, nil, func(s string) string {
			parts := strings.Split(s, ".")
			b, _ := base64.RawURLEncoding.DecodeString(parts[1])
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(b), `"no":7`, `"no":8`, 1)))
			return strings.Join(parts, ".")
		}, "has been changed"},
		"cut":             {ecKey(t), nil, nil, func(s string) string { return s[:len(s)/3] }, ""},
		"something else":  {ecKey(t), nil, nil, func(string) string { return "{}" }, "is no signed file"},
		"without its end": {ecKey(t), nil, nil, func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }, "has been changed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAlliance(t, row.key, row.cert)
			a.lists([16]byte{1}, a.leaf.Raw, "FIDO_CERTIFIED")
			a.entries = append(a.entries, map[string]any{"attestationCertificateKeyIdentifiers": []string{"00"}}, map[string]any{"aaguid": "00000000-0000-0000-0000-000000000000"})
			if row.change != nil {
				row.change(a)
			}
			m, err := passkey.ReadMetadata([]byte(row.edit(a.file(t))), a.trusted(), time.Now())
			switch {
			case name == "cut":
				if err == nil {
					t.Error("it is read")
				}
			case row.want != "":
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%v, want %s", err, row.want)
				}
			case err != nil || m.Number != 7 || m.Len() != 1 || m.Next.Format(time.DateOnly) != a.next.Format(time.DateOnly):
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestTheRootThatIsPublishedIsOne(t *testing.T) {
	if pool, err := passkey.MetadataRoots(); err != nil || pool.Equal(x509.NewCertPool()) {
		t.Error(err)
	}
}

// by lets in models by what is said of them.
func by(option mfapolicy.Authenticators) func(*mfapolicy.FIDO2Policy) {
	return func(p *mfapolicy.FIDO2Policy) {
		direct(p)
		p.Authenticators.Option, p.Authenticators.Enforced = option, true
	}
}

// TestModelsThatAreKnown is about what is said of a model, and by whose word an
// authenticator is one. Source: FIDO Metadata Service v3.1, 3.1.4.
func TestModelsThatAreKnown(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	m := newMaker(t, a.aaguid, nil)
	tpm := newMaker(t, a.aaguid, chip("id:414D4400"))
	const tomorrow = "2999-01-01"
	ok, unknown, false1 := "", passkey.ReasonAuthenticator, passkey.ReasonAttestation
	for name, row := range map[string]struct {
		statuses                  []string // none: it is not known
		maker                     []byte   // root of the model
		made                      change
		asked, global, sure, mine string // why it is refused, by what the policy says
	}{
		"certified":                {[]string{"FIDO_CERTIFIED"}, m.cert, m.packed, ok, ok, ok, ok},
		"certified at a level":     {[]string{"NOT_FIDO_CERTIFIED", "FIDO_CERTIFIED_L1", "UPDATE_AVAILABLE"}, m.cert, m.packed, ok, ok, ok, ok},
		"of a computer's chip":     {[]string{"FIDO_CERTIFIED"}, tpm.cert, tpm.tpm(a), ok, ok, ok, ok},
		"not certified":            {[]string{"NOT_FIDO_CERTIFIED"}, m.cert, m.packed, ok, ok, unknown, ok},
		"no longer certified":      {[]string{"FIDO_CERTIFIED", "NOT_FIDO_CERTIFIED"}, m.cert, m.packed, ok, ok, unknown, ok},
		"certified from then on":   {[]string{"FIDO_CERTIFIED from " + tomorrow}, m.cert, m.packed, ok, ok, unknown, ok},
		"by the maker's own word":  {[]string{"SELF_ASSERTION_SUBMITTED"}, m.cert, m.packed, ok, ok, unknown, ok},
		"revoked":                  {[]string{"FIDO_CERTIFIED", "REVOKED"}, m.cert, m.packed, ok, unknown, unknown, ok},
		"compromised":              {[]string{"ATTESTATION_KEY_COMPROMISE", "FIDO_CERTIFIED"}, m.cert, m.packed, ok, unknown, unknown, ok},
		"whose keys can be copied": {[]string{"FIDO_CERTIFIED", "USER_KEY_PHYSICAL_COMPROMISE"}, m.cert, m.packed, ok, unknown, unknown, ok},
		"that verifies nobody":     {[]string{"FIDO_CERTIFIED", "USER_VERIFICATION_BYPASS"}, m.cert, m.packed, ok, unknown, unknown, ok},
		"by somebody else's word":  {[]string{"FIDO_CERTIFIED"}, newMaker(t, a.aaguid, nil).cert, m.packed, false1, false1, false1, false1},
		"by its own key":           {[]string{"FIDO_CERTIFIED"}, m.cert, self(a), ok, unknown, unknown, unknown},
		"not known":                {nil, m.cert, m.packed, ok, unknown, unknown, ok},
		"an older device":          {[]string{"FIDO_CERTIFIED"}, m.cert, m.u2f(a), ok, unknown, unknown, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			of := newAlliance(t, ecKey(t), nil)
			of.lists([16]byte{9}, m.cert, "FIDO_CERTIFIED")
			if row.statuses != nil {
				of.lists(a.aaguid, row.maker, row.statuses...)
			}
			known, err := passkey.ReadMetadata([]byte(of.file(t)), of.trusted(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for option, want := range map[*mfapolicy.FIDO2Policy]string{
				policy(direct): row.asked, policy(by(mfapolicy.Global)): row.global, policy(by(mfapolicy.Certified)): row.sure, policy(specific(a.aaguid)): row.mine,
			} {
				in := registration(a.registered(t, row.made), option)
				in.Metadata = known
				made, err := passkey.Register(in)
				if got := reason(t, err); got != want {
					t.Errorf("%s: %q, want %q", option.Authenticators.Option, got, want)
				}
				if err != nil || !option.Authenticators.Option.Listed() {
					continue
				}
				again := assertion(a.asserted(t), option, made)
				again.Metadata = known
				if _, err := passkey.Assert(again); err != nil {
					t.Error(err)
				}
				again.Metadata = nil // the file was taken away
				if _, err := passkey.Assert(again); reason(t, err) != unknown {
					t.Error(err)
				}
				again.Policy.Authenticators.Enforced = false
				if _, err := passkey.Assert(again); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// FuzzMetadata: a file that cannot be read is refused, and nothing else happens.
func FuzzMetadata(f *testing.F) {
	a := newAlliance(f, ecKey(f), nil)
	a.lists([16]byte{1}, a.leaf.Raw, "FIDO_CERTIFIED", "REVOKED")
	whole := a.file(f)
	parts := strings.Split(whole, ".")
	for _, seed := range []string{whole, "", "..", parts[0] + "..", "." + parts[1] + ".", parts[0] + "." + parts[1] + ".AA", "e30.e30.", "bnVsbA.bnVsbA.bnVsbA"} {
		f.Add(seed)
	}
	roots := a.trusted()
	f.Fuzz(func(t *testing.T, file string) {
		if m, err := passkey.ReadMetadata([]byte(file), roots, time.Now()); err == nil && (m == nil || m.Len() != 1) {
			t.Errorf("%+v", m)
		}
	})
}
