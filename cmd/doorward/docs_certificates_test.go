package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorward/devices/client"
	"doorward/internal/nodetest"
)

// TestGoldenWindows sends every request of docs/windows.md to the demo, with a phone that
// ada has paired, and verifies what comes of it as a domain would.
func TestGoldenWindows(t *testing.T) {
	t.Parallel()
	w := &windows{docs: newDocs(t)}
	w.pair(t)
	w.made["csr"] = w.request
	w.met = w.remember
	asked := w.http(t)
	hold(t, "windows.md", guide{fence: func(info, content string) string {
		if info == "sh" {
			w.approve(t)
			return content
		}
		return w.hidden(asked(info, content))
	}})
	w.verify(t)
	w.alike(t)
}

// windows is a machine whose owner has a phone.
type windows struct {
	*docs
	phone  *client.Client
	key    *ecdsa.PrivateKey
	number string
	issued struct{ ID, PEM, Chain string }
}

const adaLovelace = "d0000000-0000-4000-8000-0000000000f1"

func (w *windows) pair(t *testing.T) {
	t.Helper()
	code, _ := newOffice(t, w.node).ask("POST", "/users/"+adaLovelace+"/pairingKeys", "application/json", `{"applications":[{"id":"d0000000-0000-4000-8000-0000000000a2"}]}`, http.StatusCreated)["code"].(string)
	w.phone = &client.Client{Environment: w.node.Base + "/" + nodetest.Env, Key: newKey(t), HTTP: w.client, Now: time.Now, Random: rand.Reader}
	r, err := w.phone.Pair(t.Context(), code, "Phone", "")
	if err != nil {
		t.Fatal(err)
	}
	w.known["phone"] = r.ID
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// request asks for a certificate of an administrator.
func (w *windows) request(t *testing.T) string {
	t.Helper()
	w.key = newKey(t)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "administrator"}}, w.key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// approve picks the number on the phone.
func (w *windows) approve(t *testing.T) {
	t.Helper()
	l, err := w.phone.Pushes(t.Context(), "", 0)
	if err != nil || len(l.Pushes) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := w.phone.Answer(t.Context(), l.Pushes[0].ID, true, w.number); err != nil {
		t.Fatal(err)
	}
}

// remember keeps what an answer says of the push and of certificates.
func (w *windows) remember(_ int, answer map[string]any) {
	if push, ok := answer["push"].(map[string]any); ok {
		w.number, _ = push["number"].(string)
	}
	if c, ok := answer["certificate"].(map[string]any); ok {
		b, _ := json.Marshal(c)
		_ = json.Unmarshal(b, &w.issued)
		w.known["certificate"] = w.issued.ID
	}
}

// hidden puts names in place of what one run makes of certificates.
func (*windows) hidden(s string) string {
	for _, r := range []struct{ from, to string }{
		{`-----BEGIN CERTIFICATE-----[^"]*`, `-----BEGIN CERTIFICATE-----\n…`},
		{`("number": )"\d\d"`, `$1"42"`},
		{`("serialNumber": )"[0-9a-f]+"`, `$1"{serial number}"`},
		{`("readAt": )"[^"]+"`, `$1"2026-11-21T10:00:00.000Z"`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return s
}

func (w *windows) fetch(t *testing.T, url, accept, media string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	res, err := w.node.Client(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != media || !strings.HasPrefix(res.Header.Get("Cache-Control"), "public, max-age=") {
		t.Fatalf("%s: %d %v %v", url, res.StatusCode, res.Header, err)
	}
	return b
}

// verify does what a domain does with the certificate of the page, which was revoked in
// the end.
func (w *windows) verify(t *testing.T) {
	t.Helper()
	block, _ := pem.Decode([]byte(w.issued.PEM))
	if block == nil {
		t.Fatal("no certificate was made")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(w.fetch(t, leaf.IssuingCertificateURL[0], "*/*", "application/pkix-cert"))
	if err != nil {
		t.Fatal(err)
	}
	if chain := w.fetch(t, w.phone.Environment+"/certificates/ca", "application/pem-certificate-chain", "application/pem-certificate-chain"); string(chain) != w.issued.Chain {
		t.Errorf("the authority is published as %s, and was handed out as %s", chain, w.issued.Chain)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if leaf.Subject.CommonName != "ada" || !w.key.PublicKey.Equal(leaf.PublicKey) {
		t.Errorf("it is for %v", leaf.Subject)
	}
	list, err := x509.ParseRevocationList(w.fetch(t, leaf.CRLDistributionPoints[0], "*/*", "application/pkix-crl"))
	if err != nil || list.CheckSignatureFrom(ca) != nil {
		t.Fatal(err)
	}
	if e := list.RevokedCertificateEntries; len(e) != 1 || e[0].SerialNumber.Cmp(leaf.SerialNumber) != 0 {
		t.Errorf("%+v", e)
	}
	for _, secret := range []string{"471100", "PRIVATE", w.issued.PEM} {
		if strings.Contains(w.node.Log(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// alike has the server tell whoever asks for somebody with a phone, somebody without a
// device, and nobody: the same.
func (w *windows) alike(t *testing.T) {
	t.Helper()
	var told string
	for _, name := range []string{"ada", "grace", "nobody-of-here"} {
		w.client = w.node.Client(newJar(t))
		got := w.send(t, "POST /{env}/experiences/{definition}\nContent-Type: application/json\n\n"+
			`{"redirectUri":"http://localhost:8080/demo/callback","parameters":{"username":"`+name+`"}}`)
		got += w.send(t, "POST /{env}/flowExecutions/{execution}\nContent-Type: application/vnd.pingidentity.otp.check+json\n\n"+`{"otp":"000000"}`)
		got += w.send(t, "POST /{env}/flowExecutions/{execution}\nContent-Type: application/vnd.pingidentity.device.select+json\n\n"+`{"device":{"id":"{phone}"}}`)
		got += w.send(t, "GET /{env}/flowExecutions/{execution}")
		got = strings.ReplaceAll(w.hidden(got), `"`+name+`"`, `"{name}"`)
		if told == "" {
			told = got
		}
		if got != told || strings.Count(got, "PUSH_CONFIRMATION_REQUIRED") != 3 || !strings.Contains(got, "INVALID_OTP") {
			t.Errorf("%s is told\n%s\nand ada\n%s", name, got, told)
		}
	}
}
