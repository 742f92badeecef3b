//go:build !race

// The race detector allocates by itself.

package keys_test

import "testing"

func TestDeriveAllocatesLittle(t *testing.T) {
	r := generate(t)
	if n := testing.AllocsPerRun(200, func() { r.Derive("token", "env", "flow", "12") }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
