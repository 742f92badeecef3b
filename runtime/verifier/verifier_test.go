package verifier_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/verifier"
)

// Of every definition in testdata the findings are as written beside it.
// UPDATE_GOLDEN=1 writes them anew. What lies in own is broken on purpose; what
// lies in found was built or asked for with other products, whose threads its
// descriptions name; what lies in sound is published, or as good.
func TestGoldenFindings(t *testing.T) {
	for dir, want := range map[string]verifier.Severity{"own": verifier.Error, "found": verifier.Error, "warned": verifier.Warning, "sound": 0} {
		names, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
		if err != nil || len(names) < 5 {
			t.Fatalf("%d definitions in %s, error %v", len(names), dir, err)
		}
		for _, name := range names {
			t.Run(strings.TrimSuffix(strings.TrimPrefix(name, "testdata/"), ".json"), func(t *testing.T) {
				found := verifier.Check(planIn(t, strings.TrimPrefix(name, "testdata/")), kinds())
				worst := verifier.Severity(0)
				for _, f := range found {
					worst = max(worst, f.Severity)
				}
				if worst != want && (dir != "sound" || worst == verifier.Error) {
					t.Errorf("at worst %d, want %d", worst, want)
				}
				golden(t, strings.TrimSuffix(name, ".json")+".txt", lines(found))
			})
		}
	}
}

// golden holds a text against the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

// Every code but that of a plan too large is found in a definition that a person
// might write.
func TestEveryCodeHasADefinition(t *testing.T) {
	var all string
	for _, dir := range []string{"own", "found", "warned"} {
		names, _ := filepath.Glob(filepath.Join("testdata", dir, "*.txt"))
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
	}
	codes := []string{
		verifier.UnknownKind, verifier.UnreachableStep, verifier.DeadEnd, verifier.EndlessLoop, verifier.UnknownOutput, verifier.MissingValue,
		verifier.TypeMismatch, verifier.SecretMisused, verifier.SecretLeftOut, verifier.UnprovenUser, verifier.UnprovenCandidate, verifier.NobodyNamed,
		verifier.UntakenClaim, verifier.RaisedByRecovery, verifier.SameFactor, verifier.NoErrorOutlet, verifier.TellsTakenNames, verifier.TellsAccounts, verifier.FailsOpen,
	}
	for _, code := range slices.Compact(codes) {
		if !strings.Contains(all, " "+code+" at ") {
			t.Errorf("no definition shows %s", code)
		}
	}
}
