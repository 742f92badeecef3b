package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/porttest"
)

// partner is the server of another company, by http and by https, with an authority
// of its own. It keeps what it is asked, and answers as the last segment of the path
// says.
type partner struct {
	Plain, Safe string // base URLs
	CA          string // PEM file

	servers []*httptest.Server
	mu      sync.Mutex
	all     []inquiry
	inside  map[string]int // calls that wait, by the first segment of their path
	most    map[string]int
	holds   map[string]chan struct{} // what those wait for
	grants  map[string]string        // client secrets by client id
	before  func(i inquiry)          // what happens once a call has come; nil: nothing
}

// inquiry is one request as the partner got it.
type inquiry struct {
	Method, URI string
	Header      http.Header
	Body        string
}

// words are what the partner says, and nobody else may.
const words = "upstream-words-4711"

// newPartner starts one. dir is for its authority.
func newPartner(tb testing.TB, dir string) *partner {
	tb.Helper()
	p := &partner{inside: map[string]int{}, most: map[string]int{}, holds: map[string]chan struct{}{}, grants: map[string]string{}}
	plain, safe := httptest.NewServer(p), httptest.NewUnstartedServer(p)
	file, certificate := newAuthority(tb, dir)
	safe.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	_ = safe.Listener.Close()
	var err error
	if safe.Listener, err = net.Listen("tcp", porttest.Addr(porttest.Free(tb))); err != nil { // nobody else is given it while it is down
		tb.Fatal(err)
	}
	safe.StartTLS()
	p.Plain, p.Safe, p.CA = plain.URL, safe.URL, file
	p.servers = []*httptest.Server{plain, safe}
	tb.Cleanup(func() {
		for _, s := range p.servers {
			s.CloseClientConnections()
			s.Close()
		}
	})
	return p
}

// down closes the https of the partner until up is called: whoever connects is
// refused.
func (p *partner) down() (up func()) {
	safe := p.servers[1]
	at, config := safe.Listener.Addr().String(), safe.TLS
	safe.CloseClientConnections()
	safe.Close()
	return func() {
		l, err := net.Listen("tcp", at)
		if err != nil {
			panic(err)
		}
		next := httptest.NewUnstartedServer(p)
		_ = next.Listener.Close()
		next.Listener, next.TLS = l, config
		next.StartTLS()
		p.servers[1] = next
	}
}

// flags let a node call it.
func (p *partner) flags() []string {
	out := []string{"--outbound-ca", p.CA}
	for _, s := range p.servers {
		out = append(out, "--outbound-allow", "127.0.0.1/32:"+port(s.URL))
	}
	return out
}

// port is that of an address that ends with one.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// newAuthority makes one, writes its certificate to a file, and signs one for
// 127.0.0.1.
func newAuthority(tb testing.TB, dir string) (file string, for127 tls.Certificate) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	sign := func(serial int64, ca bool, parent *x509.Certificate) []byte {
		about := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "partner.test " + strconv.FormatInt(serial, 10)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: ca,
		}
		if parent == nil {
			parent = about
		} else {
			about.KeyUsage, about.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			about.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		der, err := x509.CreateCertificate(rand.Reader, about, parent, key.Public(), key)
		if err != nil {
			tb.Fatal(err)
		}
		return der
	}
	ca := sign(1, true, nil)
	parsed, err := x509.ParseCertificate(ca)
	if err != nil {
		tb.Fatal(err)
	}
	file = filepath.Join(dir, "partner-"+suffix()+".pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{sign(2, false, parsed)}, PrivateKey: key}
}

// place is the first segment of a path.
func place(uri string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(uri, "/"), "/")
	return first
}

// asked is what came for a place, in order.
func (p *partner) asked(at string) (out []inquiry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.all {
		if place(i.URI) == at {
			out = append(out, i)
		}
	}
	return out
}

// keysOfCalls are the idempotency keys among inquiries, each once.
func keysOfCalls(of []inquiry) (out []string) {
	for _, i := range of {
		out = append(out, i.Header.Get("Idempotency-Key"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hold makes what is asked "hold" at a place wait until release is called.
func (p *partner) hold(at string) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.holds[at] = held
	return sync.OnceFunc(func() { close(held) })
}

// waiting is how many wait at a place, and how many have at most.
func (p *partner) waiting(at string) (now, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inside[at], p.most[at]
}

// enter counts a call that waits at a place, and is what it waits for.
func (p *partner) enter(at string) (held chan struct{}, leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside[at]++
	p.most[at] = max(p.most[at], p.inside[at])
	return p.holds[at], func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.inside[at]--
	}
}

func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i := inquiry{r.Method, r.RequestURI, r.Header, string(body)}
	p.mu.Lock()
	p.all = append(p.all, i)
	before := p.before
	p.mu.Unlock()
	if before != nil {
		before(i)
	}
	what := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	mood, argument, _ := strings.Cut(what, "-")
	switch n, _ := strconv.Atoi(argument); mood {
	case "status":
		answer(w, n, map[string]any{"said": words})
	case "redirect":
		to := strings.NewReplacer("{here}", strings.TrimSuffix(r.URL.Path, "/"+what), "{long}", strings.Repeat("long", 1<<9))
		w.Header().Set("Location", to.Replace(r.URL.Query().Get("to")))
		w.WriteHeader(n)
	case "after": // milliseconds
		if sleeps(r, time.Duration(n)*time.Millisecond) {
			answer(w, http.StatusOK, map[string]any{"json": json.RawMessage(body)})
		}
	case "hold":
		held, leave := p.enter(place(r.RequestURI))
		defer leave()
		select {
		case <-held:
			answer(w, http.StatusOK, map[string]any{"ok": true})
		case <-r.Context().Done():
		}
	case "token":
		p.token(w, r, body)
	case "hostile":
		hostile(w, argument)
	default:
		if !json.Valid(body) {
			body = []byte("null")
		}
		answer(w, http.StatusOK, map[string]any{"json": json.RawMessage(body)})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// sleeps reports whether the time has passed, and the caller is still there.
func sleeps(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}
