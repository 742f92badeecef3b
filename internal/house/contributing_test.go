package house_test

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blocks are the fenced Go blocks of a page, by the file they are meant for.
func blocks(page string) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(page) {
		fence, fenced := strings.CutPrefix(line, "```")
		switch {
		case fenced && name != "":
			name = ""
		case fenced:
			name, _ = strings.CutPrefix(strings.TrimSpace(fence), "go ")
			if !strings.HasSuffix(name, ".go") {
				name = ""
			}
		case name != "":
			out[name] += line
		}
	}
	return out
}

// TestAddingAStepIsDoneAsWritten lays the files of CONTRIBUTING.md over the
// repository, adds its line to steps/steps.go, and builds and runs the result.
// The repository is not touched.
func TestAddingAStepIsDoneAsWritten(t *testing.T) {
	_ = packages(t) // the go tool below reads files that the test cache must know of
	given := blocks(read(t, "CONTRIBUTING.md"))
	const list = "steps/steps.go"
	line, ok := given[list]
	if !ok || len(given) != 3 || strings.Count(line, "\n") != 1 {
		t.Fatalf("CONTRIBUTING.md gives %d files, and this for %s: %q", len(given), list, line)
	}
	steps := read(t, list)
	before, after, ok := strings.Cut(steps, "\t\tidentify.New(),\n")
	if !ok {
		t.Fatalf("%s is not a list of one constructor a line", list)
	}
	before = strings.Replace(before, ")\n", "\t\"doorward/steps/terms\"\n)\n", 1)
	added, err := format.Source([]byte(before + line + "\t\tidentify.New(),\n" + after)) // sorts the imports, as an editor does
	if err != nil {
		t.Fatal(err)
	}
	given[list] = string(added)

	dir := t.TempDir()
	replace := map[string]string{}
	for name, text := range given {
		if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
			t.Errorf("%s of CONTRIBUTING.md is not formatted: %v", name, err)
		}
		at := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root(t), name)] = at
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	laid := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(laid, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	compiled := filepath.Join(dir, "terms.test")
	run(t, root(t), "go", "build", "-overlay", laid, "./steps/...")
	run(t, root(t), "go", "test", "-c", "-vet=off", "-overlay", laid, "-o", compiled, "./steps/terms")
	if out := run(t, dir, compiled, "-test.v"); !strings.Contains(out, "--- PASS: TestTerms/") {
		t.Errorf("the test of the step ran nothing:\n%s", out)
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
