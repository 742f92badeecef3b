package verifier

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// MostStates is how many least proof states one step may be reached in. A plan
// that needs more is refused instead of being half verified.
const MostStates = 64

// Severity is what a finding means for a publish.
type Severity uint8

// The severities. An Error refuses the plan; a Warning is returned with it.
const (
	Warning Severity = iota + 1
	Error
)

// String is the word for it.
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// The codes of findings. They are stable: tools and exceptions may name them.
const (
	UnknownKind       = "UNKNOWN_KIND"
	UnreachableStep   = "UNREACHABLE_STEP"
	DeadEnd           = "DEAD_END"
	EndlessLoop       = "ENDLESS_LOOP"
	UnknownOutput     = "UNKNOWN_OUTPUT"
	MissingValue      = "MISSING_VALUE"
	TypeMismatch      = "TYPE_MISMATCH"
	SecretMisused     = "SECRET_MISUSED"
	SecretLeftOut     = "SECRET_LEFT_OUT"
	UnprovenUser      = "UNPROVEN_USER"
	UnprovenCandidate = "UNPROVEN_CANDIDATE"
	NobodyNamed       = "NOBODY_NAMED"
	UntakenClaim      = "UNTAKEN_CLAIM"
	RaisedByRecovery  = "RAISED_BY_RECOVERY"
	SameFactor        = "SAME_FACTOR"
	NoErrorOutlet     = "NO_ERROR_OUTLET"
	TellsTakenNames   = "TELLS_TAKEN_NAMES"
	TellsAccounts     = "TELLS_ACCOUNTS"
	FailsOpen         = "FAILS_OPEN"
	TooManyStates     = "TOO_MANY_STATES"
	TooManySteps      = "TOO_MANY_STEPS"
)

// Hop is a step on a path and the outlet by which it is left: a result, ERROR,
// "skip" where a guard does not hold, the action of a door, or the relation of a
// link. It is empty where the path ends.
type Hop struct{ Step, Outlet string }

// Finding is a hole, or what looks like one.
type Finding struct {
	Severity Severity
	Code     string
	Step     string // key; where to look first
	Path     []Hop  // the shortest from the entry that shows it; nil: no path leads there
	Message  string // one sentence: what is wrong and what to do
}

// String is the finding on one line.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s at %s: %s", f.Severity, f.Code, f.Step, f.Message)
	for i, h := range f.Path {
		if i == 0 {
			b.WriteString(" [")
		} else {
			b.WriteString(" > ")
		}
		b.WriteString(h.Step)
		if h.Outlet != "" {
			b.WriteString(" " + h.Outlet)
		}
		if i == len(f.Path)-1 {
			b.WriteString("]")
		}
	}
	return b.String()
}

// Check reports what is wrong with a plan: errors first, then by step. The same
// plan and kinds have the same findings.
func Check(plan *flow.Plan, kinds []flow.Kind) []Finding {
	return check(newChart(plan, kinds))
}

func check(c *chart) []Finding {
	c.reach()
	c.loops()
	c.habits()
	c.values()
	c.explore()
	slices.SortFunc(c.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(c.found, func(a, b Finding) bool {
		return a.Severity == b.Severity && a.Code == b.Code && a.Step == b.Step && a.Message == b.Message
	})
}

// report takes a finding down. The message is a format.
func (c *chart) report(s Severity, code string, at int, path []Hop, message string, values ...any) {
	c.found = append(c.found, Finding{Severity: s, Code: code, Step: c.steps[at].key, Path: path, Message: fmt.Sprintf(message, values...)})
}
