package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorward/configs"
)

// The journeys of the demo do what the scripts in testdata/flow/demo say, and each
// definition of the demo has one that is called like its file.
func TestFlowPlaysTheDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	scripts := filepath.Join(dir, "scripts")
	if err := os.CopyFS(scripts, os.DirFS("testdata/flow/demo")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "config"), configs.Demo); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(scripts, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := fs.Glob(configs.Demo, "demo/flowDefinitions/*.json")
	if err != nil || len(definitions) == 0 {
		t.Fatal(err, "no definitions")
	}
	for _, d := range definitions {
		script := strings.TrimSuffix(filepath.Base(d), ".json") + ".yaml"
		if !slices.Contains(files, filepath.Join(scripts, script)) {
			t.Errorf("%s has no script %s", d, script)
		}
	}
	for some := range slices.Chunk(files, len(files)/3+1) { // each plays in a house of its own anyway
		t.Run(filepath.Base(some[0]), func(t *testing.T) {
			t.Parallel()
			out := command(t, append([]string{"flow", "test", "--coverage"}, some...)...)
			if strings.Count(out, "ok    ") != len(some) || strings.Contains(out, "FAIL") {
				t.Error(out)
			}
			t.Log(out)
		})
	}
}
