package browsertest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// SimpleWebAuthn is the bundle of @simplewebauthn/browser as its makers publish it,
// for pages of applications that are built on it.
func SimpleWebAuthn(tb testing.TB) []byte {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "@simplewebauthn", "browser", "dist", "bundle", "index.umd.min.js"))
	if err != nil {
		tb.Fatalf("%v; run npm ci in %s, or scripts/install-test-programs.sh", err, dir)
	}
	return script
}
