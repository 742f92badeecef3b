package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/configs"
)

// Whoever claims what one of several devices proves is warned before anybody is kept out by
// it.
func TestCheckWarnsOfAClaimThatAnotherDeviceBreaks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "demo/flowDefinitions/mfa-challenge-experience.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(b, []byte(`"mfa"`), []byte(`"otp"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), []string{"check", dir}, os.Getenv, strings.NewReader(""), &out, &out)
	for _, want := range []string{"warning", `context.amr claims "otp", and on this path another device may answer, which proves "swk"`, "mfaChallenge -(SUCCEEDED)-> completeFlow"} {
		if err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v, without %s:\n%s", err, want, out.String())
		}
	}
}
