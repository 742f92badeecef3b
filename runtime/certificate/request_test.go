package certificate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"doorward/runtime/certificate"
)

// request is a signing request in DER, for a name of the sender's choice.
func request(t testing.TB, key crypto.Signer, name string) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{"dc1.example.com"}, EmailAddresses: []string{"root@example.com"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func wrapped(der []byte) string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func ec(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARequestShowsAKey(t *testing.T) {
	key := ec(t, elliptic.P256())
	der := request(t, key, "ada")
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte{}, der...)
	forged[len(forged)-1] ^= 1
	swapped := strings.Replace(string(der), "ada", "bea", 1) // another name, under the signature of the first
	for name, row := range map[string]struct {
		text  string
		taken bool
		says  string
	}{
		"base64 of PEM":            {wrapped(der), true, ""},
		"PEM":                      {text, true, ""},
		"PEM of Windows":           {strings.ReplaceAll(strings.ReplaceAll(text, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), "\n", "\r\n"), true, ""},
		"base64 of DER":            {base64.StdEncoding.EncodeToString(der), true, ""},
		"base64 for URLs":          {base64.RawURLEncoding.EncodeToString(der), true, ""},
		"over several lines":       {wrapped(der)[:64] + "\r\n" + wrapped(der)[64:], true, ""},
		"P-384":                    {wrapped(request(t, ec(t, elliptic.P384()), "ada")), true, ""},
		"RSA of 2048":              {wrapped(request(t, rsaKey(t, 2048), "ada")), true, ""},
		"RSA of 1024":              {wrapped(request(t, rsaKey(t, 1024), "ada")), false, "2048"},
		"P-224":                    {wrapped(request(t, ec(t, elliptic.P224()), "ada")), false, "P-256"},
		"P-521":                    {wrapped(request(t, ec(t, elliptic.P521()), "ada")), false, "P-256"},
		"Ed25519":                  {wrapped(request(t, edwards, "ada")), false, "P-256"},
		"a wrong signature":        {wrapped(forged), false, "not signed"},
		"another name":             {wrapped([]byte(swapped)), false, "not signed"},
		"nothing":                  {"", false, "Base64"},
		"a word":                   {"csr", false, "Base64"},
		"a certificate":            {strings.ReplaceAll(text, "CERTIFICATE REQUEST", "CERTIFICATE"), false, "Base64"},
		"two of them":              {text + text, false, "Base64"},
		"something behind it":      {base64.StdEncoding.EncodeToString(append(der, 0)), false, "Base64"},
		"more than anybody sends":  {strings.Repeat("A", certificate.MostRequest+1), false, "Base64"},
		"base64 of base64 of PEM ": {base64.StdEncoding.EncodeToString([]byte(wrapped(der))), false, "Base64"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := certificate.PublicKey(row.text)
			var unfit certificate.Unfit
			switch {
			case row.taken && (err != nil || got == nil):
				t.Error(err)
			case !row.taken && (err == nil || !asUnfit(err, &unfit) || !strings.Contains(string(unfit), row.says)):
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func FuzzPublicKey(f *testing.F) {
	key := ec(f, elliptic.P256())
	der := request(f, key, "ada")
	for _, seed := range []string{wrapped(der), base64.StdEncoding.EncodeToString(der), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), "", "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", "MAA=", "===="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := certificate.PublicKey(text)
		var unfit certificate.Unfit
		if err != nil && !asUnfit(err, &unfit) {
			t.Fatalf("%v", err)
		}
		switch k := got.(type) {
		case nil:
			if err == nil {
				t.Fatal("neither a key nor a reason")
			}
		case *rsa.PublicKey:
			if k.N.BitLen() < 2048 {
				t.Fatal("a weak key")
			}
		case *ecdsa.PublicKey:
		default:
			t.Fatalf("a key of type %T", got)
		}
	})
}
