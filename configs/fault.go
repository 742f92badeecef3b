package configs

import (
	"slices"
	"strings"

	"doorward/runtime/policy"
)

// Fault is one thing that is wrong in a file.
type Fault struct {
	File string // path inside the directory
	policy.Fault
}

func (f Fault) Error() string { return f.File + ": " + f.Fault.Error() }

// Faults is everything that is wrong in a directory, at most one fault for each
// place in a file.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(file string, at policy.Path, message string) {
	here := func(x Fault) bool { return x.File == file && x.Path == at }
	if !slices.ContainsFunc(*f, here) {
		*f = append(*f, Fault{file, policy.Fault{Path: at, Message: message}})
	}
}

func (f *Faults) merge(file string, of policy.Faults) {
	for _, x := range of {
		f.add(file, x.Path, x.Message)
	}
}
