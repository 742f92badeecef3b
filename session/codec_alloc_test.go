//go:build !race

// The race detector allocates by itself.

package session_test

import (
	"testing"
	"time"

	"doorward/session"
)

func TestCodecAllocatesLittle(t *testing.T) {
	x := fresh(newRef(), time.Now())
	record, err := session.Encode(x)
	must(t, err)
	if n := testing.AllocsPerRun(100, func() { _, _ = session.Encode(x) }); n > 6 {
		t.Errorf("encode: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = session.Decode(x.Ref, record, x.CreatedAt) }); n > 16 {
		t.Errorf("decode: %v allocations", n)
	}
}
