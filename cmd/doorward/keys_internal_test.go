package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// A ring is changed over twice, and what lasts can still be read.
func TestKeysAreChangedOver(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	ring := filepath.Join(data, "keys.json")
	says := func(want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		err := run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &out)
		if err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%v said %q, want %q", args, out.String(), want)
		}
	}
	says("wrote "+ring, "keys", "new", ring)
	secret := func() (string, error) {
		now, err := readRing(ring)
		if err != nil {
			return "", err
		}
		db, err := directory.Open(t.Context(), directory.Options{Path: filepath.Join(data, "doorward.db"), Now: time.Now})
		if err != nil {
			return "", err
		}
		defer db.Close()
		r := directory.NewResources(db, now)
		kept, err := r.Secret(t.Context(), "env", "application", "a1", "secret")
		if err == nil {
			return string(kept), nil
		}
		_, err = r.Apply(t.Context(), "env", []flow.Resource{{Env: "env", Kind: directory.EnvironmentKind, ID: "env", Body: []byte(`{}`)}}, nil, map[string][]byte{"application/a1/secret": []byte("s3cret")}, nil, 0)
		return "", err
	}
	if _, err := secret(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		says("wrote "+ring, "keys", "stage", ring)
		says("has a staged generation already", "keys", "stage", ring)
		says("sealed 0 values anew", "keys", "reseal", "--data", data)
		says("wrote "+ring, "keys", "rotate", ring)
		says("sealed 1 values anew", "keys", "reseal", "--data", data)
		says("sealed 0 values anew", "keys", "reseal", "--data", data)
		if got, err := secret(); got != "s3cret" || err != nil {
			t.Errorf("the secret is %q: %v", got, err)
		}
	}
	says("no such file", "keys", "reseal", "--data", t.TempDir())
	elsewhere := filepath.Join(t.TempDir(), "doorward.db")
	says("give the --database of the nodes", "keys", "reseal", "--data", data, "--database", elsewhere)
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("a database was made")
	}
	says("no such file", "keys", "rotate", filepath.Join(data, "none"))
}
