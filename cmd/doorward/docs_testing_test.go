package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGoldenTestingFlows runs the commands of docs/testing-flows.md over the files
// that the page gives.
func TestGoldenTestingFlows(t *testing.T) {
	t.Parallel()
	const page = "testing-flows.md"
	hold(t, page, guide{fence: newWorkbench(t, page).console(t)})
}

// TestEveryFlagIsExplained holds the flags of serve in docs/operating.md.
func TestEveryFlagIsExplained(t *testing.T) {
	const page = "operating.md"
	raw, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	there := flag.FindAllString(newWorkbench(t, page).run(t, "doorward serve --help | grep -o '^ *\\(-., \\)\\?--[a-z-]*'"), -1)
	if len(there) < 10 {
		t.Fatalf("serve has the flags %v", there)
	}
	for _, f := range there {
		if f != "--help" && !strings.Contains(string(raw), "| `"+f+"` |") {
			t.Errorf("docs/%s does not explain %s", page, f)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(--[a-z-]+)` \\|").FindAllStringSubmatch(string(raw), -1) {
		if !slices.Contains(there, m[1]) {
			t.Errorf("docs/%s explains %s, which there is not", page, m[1])
		}
	}
}

// TestWhatDisclosureChangesIsExplained holds that nothing asks for it but what the
// table of docs/security.md is about.
func TestWhatDisclosureChangesIsExplained(t *testing.T) {
	asked := 0
	for _, pattern := range []string{"../../*/*.go", "../../*/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				asked += strings.Count(string(source), ".Disclosing()")
			}
		}
	}
	if asked != 2 { // of USER_LOOKUP and of USER_CREATE
		t.Errorf("%d places ask whether the environment discloses accounts; docs/security.md explains 2", asked)
	}
}
