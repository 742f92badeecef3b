package definition

import (
	"math/bits"

	"doorward/runtime/flow"
)

// assured is the strongest set of factors that one proof on every way from the
// entry to the end carries; 0 when there is a way that takes none. It is one
// proof, because that is what a need of an execution is covered by.
//
// For every node it holds which sets have been proven whichever way led there, as
// bits: bit 5 is the set with the value 5. The bits only ever go out, so that it
// comes to an end.
func (b *builder) assured(entry string) flow.Factor {
	proven := map[string]uint8{entry: 0}
	end, ended := ^uint8(0), false
	for work := []string{entry}; len(work) > 0; {
		key := work[len(work)-1]
		work = work[:len(work)-1]
		n := b.nodes[key]
		if n == nil {
			continue
		}
		if b.ends[key] {
			end, ended = end&proven[key], true
			continue
		}
		for result, next := range n.Outlets {
			after := proven[key] | b.taken(key, result)
			if before, met := proven[next]; met {
				after &= before
				if after == before {
					continue
				}
			}
			proven[next] = after
			work = append(work, next)
		}
	}
	if !ended {
		return 0
	}
	return strongest(end)
}

// taken are the sets that a result proves, and every part of them.
func (b *builder) taken(key, result string) (sets uint8) {
	for _, r := range b.results[key] {
		if r.Name != result {
			continue
		}
		for _, t := range r.Takes {
			for part := t.Factors & 7; part > 0; part = (part - 1) & t.Factors {
				sets |= 1 << part
			}
			if t.Factors&(t.Factors-1) != 0 { // it stands for a password; see flow.Ledger
				sets |= 1 << flow.Knowledge
			}
		}
	}
	return sets
}

func strongest(sets uint8) (most flow.Factor) {
	for f := flow.Factor(1); f < 8; f++ {
		if sets&(1<<f) != 0 && bits.OnesCount8(uint8(f)) > bits.OnesCount8(uint8(most)) {
			most = f
		}
	}
	return most
}
