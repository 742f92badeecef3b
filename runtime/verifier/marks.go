package verifier

// marks is a set of small numbers.
type marks []uint64

func newMarks(n int) marks { return make(marks, (n+63)/64) }

func (m marks) has(i int) bool { return m[i/64]&(1<<(i%64)) != 0 }

func (m marks) add(i int) { m[i/64] |= 1 << (i % 64) }

func (m marks) drop(o marks) {
	for i := range m {
		m[i] &^= o[i]
	}
}

// meet leaves what is in both, join adds what is in o. Both report a change.
func (m marks) meet(o marks) (changed bool) {
	for i := range m {
		changed = changed || m[i]&^o[i] != 0
		m[i] &= o[i]
	}
	return changed
}

func (m marks) join(o marks) (changed bool) {
	for i := range m {
		changed = changed || o[i]&^m[i] != 0
		m[i] |= o[i]
	}
	return changed
}
