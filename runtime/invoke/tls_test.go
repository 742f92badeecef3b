package invoke_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"doorward/runtime/invoke"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{}
	c := a.sign(t, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	a.cert, a.key = c.Leaf, c.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// sign makes a good certificate for 127.0.0.1, or what change makes of it. An
// authority that has no key yet has it sign itself.
func (a *authority) sign(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "api.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"api.example"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if a.key != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// serveTLS serves over TLS as config says, and counts the requests.
func serveTLS(t testing.TB, config *tls.Config, h http.HandlerFunc) (string, *atomic.Int32) {
	t.Helper()
	asked := new(atomic.Int32)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if h != nil {
			h(w, r)
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, asked
}

// TestSec_SSRF_TLS holds that a certificate that is wrong in any way ends the call
// before a byte of the request is sent, and that nothing falls back to http.
func TestSec_SSRF_TLS(t *testing.T) {
	ca, stranger, nobody := newAuthority(t), newAuthority(t), &authority{}
	good := ca.sign(t, nil)
	for name, row := range map[string]struct {
		server *tls.Config
		client *tls.Config
		want   invoke.Code
	}{
		"own authority":     {nil, &tls.Config{RootCAs: ca.pool()}, ""},
		"TLS 1.2":           {&tls.Config{MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: ca.pool()}, ""},
		"the system's own":  {nil, nil, invoke.HandshakeFailed},
		"unknown authority": {with(stranger.sign(t, nil)), &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"self-signed":       {with(nobody.sign(t, nil)), &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"expired":           {with(ca.sign(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"not yet valid":     {with(ca.sign(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })), &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"another host": {
			with(ca.sign(t, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} })),
			&tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed,
		},
		"no name but the old one": {
			with(ca.sign(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames, c.Subject.CommonName = nil, nil, "127.0.0.1" })),
			&tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed,
		},
		"of a client only": {
			with(ca.sign(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })),
			&tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed,
		},
		"TLS 1.1":                      {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"TLS 1.0 asked for":            {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, &tls.Config{RootCAs: ca.pool(), MinVersion: tls.VersionTLS10}, invoke.HandshakeFailed},
		"at most TLS 1.1":              {nil, &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS11}, invoke.HandshakeFailed},
		"verification switched off":    {with(stranger.sign(t, nil)), &tls.Config{InsecureSkipVerify: true}, invoke.HandshakeFailed},
		"another name asked for":       {nil, &tls.Config{RootCAs: ca.pool(), ServerName: "other.example"}, invoke.HandshakeFailed},
		"the name asked for":           {nil, &tls.Config{RootCAs: ca.pool(), ServerName: "api.example"}, ""},
		"HTTP/2 asked for":             {nil, &tls.Config{RootCAs: ca.pool(), NextProtos: []string{"h2"}}, ""},
		"a client certificate":         {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()}, &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{good}}, ""},
		"no client certificate":        {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()}, &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"none, by TLS 1.2":             {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(), MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: ca.pool()}, invoke.HandshakeFailed},
		"another's client certificate": {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: stranger.pool()}, &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{good}}, invoke.HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			server := row.server
			if server == nil {
				server = &tls.Config{}
			}
			if server.Certificates == nil {
				server.Certificates = []tls.Certificate{good}
			}
			at, asked := serveTLS(t, server, nil)
			o := local(t, at)
			o.TLS, o.Timeout = row.client, 5*time.Second
			_, err := o.do(t, invoke.Call{Request: request(t, http.MethodPost, at, "otp"), IdempotencyKey: "k"})
			ends(t, err, row.want)
			if n := asked.Load(); (n == 1) != (row.want == "") {
				t.Errorf("%d requests were served", n)
			}
		})
	}
}

func with(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }

// A server that takes the connection and then hangs, or is none of TLS.
func TestHandshakesThatDoNotEnd(t *testing.T) {
	for name, row := range map[string]struct {
		speak func(net.Conn)
		want  invoke.Code
	}{
		"silence":       {func(net.Conn) { time.Sleep(2 * time.Second) }, invoke.TimedOut},
		"the end":       {func(net.Conn) {}, invoke.HandshakeFailed},
		"plain HTTP":    {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }, invoke.HandshakeFailed},
		"byte by byte":  {func(c net.Conn) { drip(c, "\x16\x03\x03\x40\x00") }, invoke.TimedOut},
		"half a record": {func(c net.Conn) { _, _ = io.WriteString(c, "\x16\x03\x03\x00\x40\x02") }, invoke.HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			at := "https" + strings.TrimPrefix(raw(t, row.speak), "http")
			o := local(t, at)
			_, err := o.call(t, http.MethodPost, at, "otp")
			ends(t, err, row.want)
		})
	}
}

// What is trusted changes with the pointer: what was kept is not used again.
func TestNewTrustMakesNewConnections(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	var seen []string
	at, _ := serveTLS(t, with(ca.sign(t, nil)), func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.RemoteAddr) })
	o := local(t, at)
	o.Timeout = 5 * time.Second
	good, bad := &tls.Config{RootCAs: ca.pool()}, &tls.Config{RootCAs: stranger.pool()}
	for n, row := range []struct {
		config *tls.Config
		want   invoke.Code
	}{{good, ""}, {good, ""}, {bad, invoke.HandshakeFailed}, {nil, invoke.HandshakeFailed}, {good, ""}} {
		o.TLS = row.config
		_, err := o.call(t, http.MethodPost, at, "")
		if code(t, err) != row.want {
			t.Errorf("call %d: %v", n, invoke.Reason(err))
		}
	}
	if len(seen) != 3 || seen[0] != seen[1] || seen[1] == seen[2] {
		t.Errorf("connections came from %v", seen)
	}
}

// A library gets its token and calls with it, over TLS with an authority of its
// own, within the limits of one target.
func TestLibraryGoesThroughTheInvoker(t *testing.T) {
	ca := newAuthority(t)
	at, asked := serveTLS(t, with(ca.sign(t, nil)), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		id, secret, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && id == "id" && secret == "secret" && r.PostFormValue("scope") == "read":
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600})
		case r.URL.Path == "/me" && r.Header.Get("Authorization") == "Bearer t0ken":
			_ = json.NewEncoder(w).Encode(map[string]any{"name": "Ada"})
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	o := local(t, at)
	o.TLS, o.Timeout = &tls.Config{RootCAs: ca.pool()}, 5*time.Second
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, o.HTTP(o.Target))
	credentials := clientcredentials.Config{ClientID: "id", ClientSecret: "secret", TokenURL: at + "/token", Scopes: []string{"read"}, AuthStyle: oauth2.AuthStyleInHeader}
	client := credentials.Client(ctx)
	for range 2 {
		res, err := client.Do(request(t, http.MethodGet, at+"/me", ""))
		if err != nil {
			t.Fatal(invoke.Reason(err))
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.Status != "200 OK" || string(body) != "{\"name\":\"Ada\"}\n" || res.ContentLength != int64(len(body)) {
			t.Errorf("%s %q %v", res.Status, body, err)
		}
		_ = res.Body.Close()
	}
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
	if s := o.States(); len(s) != 1 || s[0].Answers != 3 {
		t.Errorf("states are %+v", s)
	}
	_, err := client.Do(request(t, http.MethodGet, "https://169.254.169.254/", ""))
	ends(t, inner(err), invoke.Misconfigured)
}

// inner is an error without the URL that net/http puts before it.
func inner(err error) error {
	var e *invoke.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}
