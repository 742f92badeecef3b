package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/runtime/federation"
)

// authorityPEM is a certificate authority of that name.
func authorityPEM(t *testing.T, name string) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// A file of --outbound-ca that is replaced while we run is trusted by within a
// minute; one that cannot be read is not taken over, and said so. Row EXT-CERT.
func TestAuthoritiesAreReadAgain(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "ca.pem")
	first, firstPEM := authorityPEM(t, "First")
	second, secondPEM := authorityPEM(t, "Second")
	changed := now
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		changed = changed.Add(time.Second)
		if err := os.Chtimes(file, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	write(firstPEM)
	var told strings.Builder
	a, err := newAuthorities(file, slog.New(slog.NewTextHandler(&told, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	trusts := func(c *x509.Certificate) bool {
		_, err := c.Verify(x509.VerifyOptions{Roots: a.tls().RootCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err == nil
	}
	config := a.tls()
	if !trusts(first) || trusts(second) {
		t.Fatal("the first file is not what is trusted by")
	}
	now = now.Add(time.Minute)
	if a.tls() != config {
		t.Error("a file that is the same makes new connections")
	}
	write(secondPEM)
	for range 60 {
		if now = now.Add(time.Second); trusts(second) {
			break
		}
	}
	if !trusts(second) || trusts(first) || told.Len() > 0 {
		t.Errorf("a minute after it was replaced, the file is not trusted by: %s", &told)
	}
	config = a.tls()
	for _, spoilt := range []func(){func() { write([]byte("no certificate")) }, func() { _ = os.Remove(file) }} {
		spoilt()
		told.Reset()
		now = now.Add(time.Minute)
		if a.tls() != config || !strings.Contains(told.String(), "not taken over") {
			t.Errorf("a file that cannot be read was taken over, or nobody was told: %s", &told)
		}
	}
	write(firstPEM)
	now = now.Add(time.Minute)
	if !trusts(first) {
		t.Error("a file that is good again is not taken over")
	}
	if _, err := newAuthorities(filepath.Join(t.TempDir(), "none.pem"), nil, time.Now); err == nil || !strings.Contains(err.Error(), "--outbound-ca") {
		t.Errorf("a file that is missing at the start: %v", err)
	}
	if none, err := newAuthorities("", nil, time.Now); err != nil || none.tls() != nil {
		t.Errorf("without a file there is %v, %v", none.tls(), err)
	}
}

// Whoever is trusted by --outbound-ca is trusted as an identity provider, too, and
// nobody whom the file does not vouch for.
func TestIdentityProvidersAreTrustedByTheAuthoritiesOfTheOperator(t *testing.T) {
	provider := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	provider.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is broken off
	provider.StartTLS()
	t.Cleanup(provider.Close)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})
	_, others := authorityPEM(t, "Others")
	for name, row := range map[string]struct {
		file []byte
		good bool
	}{"its own": {own, true}, "another's": {others, false}} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(file, row.file, 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := newAuthorities(file, slog.New(slog.DiscardHandler), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			o := options{Config: "config", OutboundAllow: []string{"127.0.0.1/32:" + provider.URL[strings.LastIndexByte(provider.URL, ':')+1:]}}
			out, err := newInvoker(&o, nil, slog.New(slog.DiscardHandler), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			res, err := providerClient(out, a)("e", federation.Provider{ID: "p", TokenEndpoint: provider.URL + "/token"}).Get(provider.URL + "/token")
			if (err == nil) != row.good {
				t.Fatalf("%v", err)
			}
			if err == nil {
				_ = res.Body.Close()
			}
		})
	}
}
