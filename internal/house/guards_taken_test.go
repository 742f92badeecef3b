//go:build guards

package house_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryGuardIsMissedWhenItIsGone takes the guards of the house out, one at a
// time and in a copy that only the compiler sees, and runs the test that has to
// notice. `make guards` runs it: a guard that nobody's test misses is no promise.
func TestEveryGuardIsMissedWhenItIsGone(t *testing.T) {
	for _, g := range guards() {
		t.Run(g.name, func(t *testing.T) {
			out, failed := g.takenOut(t)
			if !failed || !strings.Contains(out, "--- FAIL: "+g.missedBy) {
				t.Errorf("%s does not miss it:\n%s", g.missedBy, out)
			}
		})
	}
}

// takenOut runs the test of a guard against a copy of its file without it.
func (g guard) takenOut(t *testing.T) (out string, failed bool) {
	t.Helper()
	path, text := g.source(t)
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(text, g.is, g.without, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-overlay", list, "-vet=off", "-count=1", "-timeout", "5m", "-run", "^"+g.missedBy+"$", g.pkg)
	cmd.Dir = filepath.Join(filepath.Dir(path), strings.Repeat("../", strings.Count(g.file, "/")))
	b, err := cmd.CombinedOutput()
	return string(b), err != nil
}
