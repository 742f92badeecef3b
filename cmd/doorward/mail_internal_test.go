package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
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
