package verifier_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	compiler "doorward/runtime/definition"
	"doorward/runtime/verifier"
	"doorward/steps"
)

// library is the forms that published definitions refer to; whatever else they
// refer to is there.
type library map[string]string

func (l library) Resource(kind, id string) (json.RawMessage, bool) {
	if kind != "form" {
		return json.RawMessage(`{"id":"` + id + `"}`), true
	}
	b, err := os.ReadFile(filepath.Join("..", "form", "testdata", l[id]))
	return b, err == nil
}

// What the test kinds of this package say of themselves is what the kinds of the
// product say: published definitions, compiled as the product does, have the
// findings that are written beside them.
func TestPublishedDefinitionsOfTheProductsKinds(t *testing.T) {
	forms := library{
		"aaaaaaaa-0000-4000-8000-000000000001": "rec-form-registration.json", "aaaaaaaa-0000-4000-8000-000000000003": "rec-form-password-recovery-lookup.json",
		"aaaaaaaa-0000-4000-8000-000000000004": "rec-form-password-recovery.json", "aaaaaaaa-0000-4000-8000-000000000002": "doc-form-sign-on.json",
		"aaaaaaaa-0000-4000-8000-000000000005": "rec-form-password-reset.json",
	}
	kinds := steps.Builtin(steps.Parts{})
	for _, name := range []string{
		"mixed-flow-registration-sign-on-policy", "rec-flow-basic-sign-on-policy", "rec-flow-password-recovery-experience", "rec-flow-registration-with-consent-sign-on-policy",
		"rec-flow-mfa-challenge-experience", "rec-flow-mfa-challenge-sign-on-policy", "rec-flow-mfa-enrollment-experience", "rec-flow-mfa-enrollment-sign-on-policy",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", "sound", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			body := map[string]any{}
			if err := json.Unmarshal(b, &body); err != nil {
				t.Fatal(err)
			}
			body["id"] = "d0000000-0000-4000-8000-0000000000d1"
			if b, err = json.Marshal(body); err != nil {
				t.Fatal(err)
			}
			src, _, err := compiler.Source(b, forms, kinds)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := compiler.Compile(src, kinds)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join("testdata", "sound", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(verifier.Check(plan, kinds)); got != string(want) {
				t.Errorf("found\n%s\nwant\n%s", got, want)
			}
		})
	}
}
