package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/devices/client"
)

func TestDevicesAreKeptForTheirOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorward", "devices.json")
	s, err := client.ReadState(path)
	if err != nil || len(s.Devices) != 0 {
		t.Fatalf("none yet: %+v, %v", s, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if err := s.Add(client.Paired{ID: id, Environment: "https://e", PairedAt: time.Unix(1, 0).UTC(), PrivateKey: der}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove("a"); err != nil {
		t.Fatal(err)
	}
	again, err := client.ReadState(path)
	if err != nil || len(again.Devices) != 1 || again.Devices[0].ID != "b" {
		t.Fatalf("%+v, %v", again, err)
	}
	if got, err := again.Devices[0].Key(); err != nil || !key.Equal(got) {
		t.Errorf("another key: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("beside it there is %v, %v", left, err)
	}
}

func TestAStateThatIsNotOursIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"others may read it": {`{"version":1}`, 0o640, "chmod 600"},
		"of a later version": {`{"version":2}`, 0o600, "version 2"},
		"no JSON":            {`devices`, 0o600, "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "devices.json")
			if err := os.WriteFile(path, []byte(row.text), row.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := client.ReadState(path); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v", err)
			}
		})
	}
	for _, p := range []client.Paired{{}, {PrivateKey: []byte("no key")}} {
		if _, err := p.Key(); err == nil {
			t.Error("no key is one")
		}
	}
}

// TestAServerThatIsNoneIsSaidSo: a proxy's page, a body of another protocol.
func TestAServerThatIsNoneIsSaidSo(t *testing.T) {
	for name, row := range map[string]struct {
		status     int
		body, want string
	}{
		"a page of a proxy": {502, "<html>", "status 502"},
		"other JSON":        {400, `{"error":"x"}`, "status 400"},
		"no JSON":           {200, "<html>", "not of this protocol"},
		"our own":           {400, `{"code":"A","message":"m","details":[{"message":"d"}]}`, "d"},
	} {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer h.Close()
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			c := &client.Client{Environment: h.URL, ID: "x", Key: key, HTTP: h.Client(), Now: time.Now, Random: rand.Reader}
			if _, err := c.Show(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) || client.Removed(err) {
				t.Errorf("%v", err)
			}
		})
	}
}
