package policy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"doorward/runtime/policy"
	"doorward/steps"
)

func FuzzSource(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no published actions", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(`{"name":"P"}`), b)
	}
	for _, edge := range []string{"", "null", "{}", `{"type":"LOGIN","priority":1,"condition":{"value":"${user.a}","equals":""}}`, `{"type":"LOGIN","priority":1e0,"condition":null}`, `{"type":null}`} {
		f.Add([]byte(edge), []byte(edge))
	}
	f.Fuzz(func(t *testing.T, doc, action []byte) {
		src, hash, err := policy.Source(doc, []json.RawMessage{action})
		if err != nil {
			return
		}
		canonical, err := policy.Canonical(src)
		if err != nil || !bytes.Equal(canonical, src) {
			t.Fatalf("%s is not canonical: %v", src, err)
		}
		if plan, err := policy.Compile(src, steps.Builtin(nil)); err != nil || plan.Hash != hash {
			t.Fatalf("%s does not compile: %v", src, err)
		}
	})
}
