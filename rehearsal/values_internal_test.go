package rehearsal

import (
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// The challenge of a form is solved as its page solves it.
func TestAChallengeIsSolved(t *testing.T) {
	sum := sha256.Sum256([]byte("some data." + proofOfWork("some data", 9)))
	if sum[0] != 0 || sum[1]&0x80 != 0 {
		t.Errorf("the digest is %x", sum)
	}
	p := &play{view: flow.View{Values: flow.Values{"person": form.Challenge{Provider: form.ProofOfWork, Data: "some data", Bits: 9}}}}
	if got, err := p.filled(map[string]any{"person": solved}); err != nil || cmp.Diff(got, map[string]any{"person": proofOfWork("some data", 9)}) != "" {
		t.Errorf("filled with %v, %v", got, err)
	}
}
