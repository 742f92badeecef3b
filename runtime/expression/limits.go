package expression

import (
	"time"
)

// Limits of an expression as it is written.
const (
	maxSource = 16 << 10 // bytes
	maxText   = 64 << 10 // bytes of a text that holds expressions
	maxDepth  = 64       // brackets inside brackets
	maxNodes  = 4000     // operators, names, literals
)

// Limits of one evaluation.
const (
	maxSteps  = 200_000                // nodes evaluated, elements visited, and 256 bytes of text read each
	maxBytes  = 1 << 20                // bytes of text made, also of what is thrown away
	maxItems  = 50_000                 // elements of lists and maps made
	maxResult = 2 << 20                // bytes of the result, about as JSON
	maxLevels = 64                     // lists and maps inside each other in a value
	maxBits   = 4096                   // of a whole number or of the digits of a decimal
	maxScale  = 1200                   // digits behind the point of a decimal, or zeros before it
	maxTime   = 500 * time.Millisecond // from the first regular expression on, as long as there are more
)

// evaluation is one run of a program: what it reads, and what it may still use up.
type evaluation struct {
	root     any
	now      func() time.Time
	steps    int
	bytes    int
	items    int
	left     int         // of the results, in bytes
	over     *time.Timer // when there is no more time for regular expressions; nil: there was none yet
	late     bool
	patterns map[patternKey]*pattern // those that no program holds
	zones    map[string]*time.Location
}

func newEvaluation(ctx Context) *evaluation {
	if ctx.shared != nil {
		return ctx.shared
	}
	return &evaluation{
		root: ctx.Root, now: ctx.Now,
		steps: maxSteps, bytes: maxBytes, items: maxItems, left: maxResult,
	}
}

// eval evaluates one node, which is one step.
func (e *evaluation) eval(n node, this any) (any, error) {
	if e.steps--; e.steps < 0 {
		return nil, limited(n.position(), "takes more than %d steps", maxSteps)
	}
	return n.eval(e, this)
}

// work charges for reading n bytes, or n elements of 256 bytes each.
func (e *evaluation) work(at, n int) error {
	if e.steps -= 1 + n/256; e.steps < 0 {
		return limited(at, "takes more than %d steps", maxSteps)
	}
	return nil
}

// visit charges for n elements that are looked at.
func (e *evaluation) visit(at, n int) error {
	if e.steps -= n; e.steps < 0 {
		return limited(at, "takes more than %d steps", maxSteps)
	}
	return nil
}

// make charges for n bytes of text, before they are there.
func (e *evaluation) make(at, n int) error {
	if n < 0 || n > e.bytes {
		return limited(at, "makes more than %d bytes of text", maxBytes)
	}
	e.bytes -= n
	return nil
}

// hold charges for n elements of a list or a map, before they are there.
func (e *evaluation) hold(at, n int) error {
	if n < 0 || n > e.items {
		return limited(at, "makes more than %d elements", maxItems)
	}
	e.items -= n
	return nil
}
