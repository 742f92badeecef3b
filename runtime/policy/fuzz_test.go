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
	for _, edge := range []string{
		"", "null", "{}", `{"type":"LOGIN","priority":1,"condition":{"value":"${user.a}","equals":""}}`, `{"type":"LOGIN","priority":1e0,"condition":null}`, `{"type":null}`,
		`{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":true},"registration":{"enabled":true,"population":{"id":"\ud800"}}}`,
		`{"type":"LOGIN","priority":1,"registration":{"enabled":true,"population":{"id":"\u003c"}}}`,
	} {
		f.Add([]byte(edge), []byte(edge))
		f.Add([]byte(`{"name":"P"}`), []byte(edge))
	}
	f.Fuzz(func(t *testing.T, doc, action []byte) {
		src, hash, err := policy.Source(doc, []json.RawMessage{action}, nil, nil)
		if err != nil {
			return
		}
		canonical, err := policy.Canonical(src)
		if err != nil || !bytes.Equal(canonical, src) {
			t.Fatalf("%s is not canonical: %v", src, err)
		}
		if plan, err := policy.Compile(src, steps.Builtin(steps.Parts{})); err != nil || plan.Hash != hash {
			t.Fatalf("%s does not compile: %v", src, err)
		}
	})
}
