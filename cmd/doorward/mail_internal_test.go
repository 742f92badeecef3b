package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/delivery"
)

// Mail has the name, the look and the languages of its environment.
func TestMailSpeaksForItsEnvironment(t *testing.T) {
	t.Parallel()
	const id = "d0000000-0000-4000-8000-000000000001"
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "environment.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	own := []byte(`{ "languages": ["de", "es"], "theme": {"logo": "https://cdn.example.com/logo.svg"},`)
	if err := os.WriteFile(files[0], bytes.Replace(b, []byte("{"), own, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	h, err := build(t.Context(), options{
		Listen: "localhost:8080", BaseURL: "http://localhost:8080", Config: dir, Data: data,
		Database: filepath.Join(data, "doorward.db"), Keys: filepath.Join(data, "keys.json"), LogFormat: "text",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.close(context.Background()) }()
	got, ok := h.place(id, "f")
	want := delivery.Place{
		Name: "Demo", Logo: "https://cdn.example.com/logo.svg", Languages: []string{"de", "es"},
		SignOnURL: "http://localhost:8080/" + id + "/signon/?flowId=f",
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(ok, diff)
	}
	if _, ok := h.place("e0000000-0000-4000-8000-000000000001", ""); ok {
		t.Error("an environment that is not served has a place")
	}
}

// What others have made in the database keeps no node from starting: only an environment
// that this node was told to serve needs its mail. Whoever reads the log learns of the
// others, once of each.
func TestANodeWithoutMailStartsBesideEnvironmentsThatSendIt(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	config := filepath.Join(data, "config")
	for name, body := range map[string]string{
		"environment.json":               `{"id": "e0000000-0000-4000-8000-000000000001", "name": "Plain", "authBase": "{base}", "managed": true}`,
		"passwordPolicies/standard.json": `{"id": "e0000000-0000-4000-8000-000000000002", "name": "Standard", "default": true}`,
		"populations/default.json":       `{"id": "e0000000-0000-4000-8000-000000000003", "name": "Default", "default": true}`,
		"signOnPolicies/basic.json":      `{"id": "e0000000-0000-4000-8000-000000000004", "name": "Basic", "default": true, "actions": [{"type": "LOGIN", "priority": 1}]}`,
	} {
		file := filepath.Join(config, "plain", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(body), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	o := options{Listen: "localhost:8080", BaseURL: "http://localhost:8080", Data: data, Database: filepath.Join(data, "doorward.db"), Keys: filepath.Join(data, "keys.json"), LogFormat: "text"}
	h, err := build(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.BaseURL, o.AllowDemoSecrets = "https://signon.example.com", true
	if h, err := build(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "--smtp is needed") {
		t.Errorf("the demo without mail, a second time: %v, %v", h, err)
	}
	o.Config = config
	var log bytes.Buffer
	h, err = build(t.Context(), o, &log)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := h.close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "until a node with --smtp is there"); n != 1 || !strings.Contains(log.String(), "env="+demoEnvironment) {
		t.Errorf("said %d times: %s", n, log.String())
	}
}
