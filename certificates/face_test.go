package certificates_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorward/certificates"
	"doorward/configs"
	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

const env = "d0000000-0000-4000-8000-0000000000e1"

// office has two authorities, of which the second signs; none, where it is empty.
type office struct {
	all []*certificate.Authority
	now time.Time
	err error
}

func (o *office) Published(context.Context, string) ([]*certificate.Authority, error) {
	if len(o.all) == 0 {
		return nil, errors.Join(o.err, flow.ErrUnknown)
	}
	return o.all, o.err
}

func (o *office) Revocations(_ context.Context, _ string, generation int) (*certificate.List, error) {
	if len(o.all) == 0 || generation > 2 {
		return nil, flow.ErrUnknown
	}
	return &certificate.List{DER: []byte{byte(generation)}, At: o.now, NextUpdate: o.now.Add(time.Hour)}, o.err
}

func (*office) Resolve(_, path string) (*configs.Bundle, string, error) {
	if !strings.HasPrefix(path, "/"+env) {
		return nil, "", &flow.Fault{Code: flow.NotFound}
	}
	return configs.NewBundle(configs.Environment{ID: env, Name: "Acme", AuthBase: "https://auth.example.com"}), "", nil
}

func (*office) Problem(w http.ResponseWriter, _ *http.Request, _ *configs.Bundle, f *flow.Fault) {
	status := map[flow.Code]int{flow.NotFound: http.StatusNotFound, flow.Unavailable: http.StatusServiceUnavailable}[f.Code]
	http.Error(w, f.Message, status)
}

// router takes paths as the real server's do.
type router struct{ *http.ServeMux }

func (m router) Handle(method, path string, h http.Handler) {
	m.ServeMux.Handle(method+" "+strings.NewReplacer(":env", "{env}", ":generation", "{generation}").Replace(path), h)
}

func open(t *testing.T) (*office, *httptest.Server) {
	t.Helper()
	o := &office{now: time.Now()}
	for _, generation := range []int{2, 1} {
		a, err := certificate.NewAuthority(env, "Acme", generation, o.now, o.now)
		if err != nil {
			t.Fatal(err)
		}
		o.all = append(o.all, a)
	}
	mux := router{http.NewServeMux()}
	certificates.New(o, o, o, func() time.Time { return o.now }).Register(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return o, s
}

func get(t *testing.T, url, accept string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

func TestWhatIsPublished(t *testing.T) {
	o, s := open(t)
	base := s.URL + "/" + env + "/certificates/"
	for path, row := range map[string]struct {
		accept, media string
		body          []byte
	}{
		"ca":    {"*/*", "application/pkix-cert", o.all[0].Certificate},
		"ca/1":  {"", "application/pkix-cert", o.all[1].Certificate},
		"ca/2":  {"application/pem-certificate-chain", "application/pem-certificate-chain", []byte(certificate.PEM("CERTIFICATE", o.all[0].Certificate))},
		"crl":   {"*/*", "application/pkix-crl", []byte{0}},
		"crl/1": {"text/html", "application/pkix-crl", []byte{1}},
	} {
		res, body := get(t, base+path, row.accept)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != row.media || !bytes.Equal(body, row.body) || !strings.HasPrefix(res.Header.Get("Cache-Control"), "public, max-age=") || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %x", path, res.StatusCode, res.Header, body)
		}
	}
	_, chain := get(t, base+"ca", "application/x-pem-file")
	var found int
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err != nil || !c.IsCA {
			t.Error(err)
		}
		found++
	}
	if found != 2 {
		t.Errorf("%d authorities", found)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	o, s := open(t)
	base := s.URL + "/" + env + "/certificates/"
	for _, path := range []string{base + "ca/3", base + "crl/3", base + "ca/0", base + "ca/01", base + "ca/x", base + "crl/-1", s.URL + "/other/certificates/ca"} {
		if res, _ := get(t, path, ""); res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "" {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
	o.err = errors.New("away")
	if res, body := get(t, base+"crl", ""); res.StatusCode != http.StatusServiceUnavailable || bytes.Contains(body, []byte("away")) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	o.all, o.err = nil, nil
	if res, body := get(t, base+"ca", ""); res.StatusCode != http.StatusNotFound || !bytes.Contains(body, []byte("flow definition")) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
