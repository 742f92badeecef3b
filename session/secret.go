package session

import "time"

// usedFor is how long a used secret answers the repeat of its use.
const usedFor = 60 * time.Second

// Outcome is what became of a try to use a one-time secret. The zero Outcome is
// Void: what was never decided is no.
type Outcome uint8

// The outcomes. The scripts answer the same numbers.
const (
	Void  Outcome = iota // none, used, expired, out of tries, or written before a failover
	OK                   // right, and used up by this
	Wrong                // wrong, and counted
)

// Verdict is the answer to a try; Left is how many more there are after Wrong.
type Verdict struct {
	Outcome Outcome
	Left    int
}

// try names a use of a secret: the same effect with the same hash is a repeat.
func try(effect string, hash [32]byte) id { return identify("t", effect, string(hash[:])) }
