package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/runtime/verifier"
)

// Fault is one thing that is wrong in a document. Its Path, and with Pointer its
// JSON pointer, are into the file, or into what was sent.
type Fault struct {
	File string // path inside the directory; empty: what was sent
	policy.Fault
	Existing string         // of UNIQUENESS_VIOLATION: id of what has the value
	Finding  string         // what runtime/verifier calls it, SecretUnset or ProviderDisabled; empty: it is no finding
	Trail    []verifier.Hop // of a finding: how a flow gets there
}

// Pointer is where it stands as a JSON pointer. Source: RFC 6901.
func (f Fault) Pointer() string { return f.Path.Pointer() }

// Reason is the code that says what is wrong. Source: reference/management.md 7.4.
func (f Fault) Reason() string { return cmp.Or(f.Code, flow.InvalidValue) }

func (f Fault) Error() string {
	if f.File == "" {
		return f.Fault.Error()
	}
	return f.File + ": " + f.Fault.Error()
}

// Faults is everything that is wrong in a directory or a document, at most one
// fault for each place.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(file string, fault policy.Fault) { f.append(Fault{File: file, Fault: fault}) }

func (f *Faults) append(fault Fault) {
	here := func(x Fault) bool { return x.File == fault.File && x.Path == fault.Path }
	if !slices.ContainsFunc(*f, here) {
		*f = append(*f, fault)
	}
}

func (f *Faults) merge(file string, of policy.Faults) {
	for _, x := range of {
		f.add(file, x)
	}
}

// claimed reports a member whose value another document has too.
func (f *Faults) claimed(e *entry, member string, other *entry) {
	f.append(Fault{
		File: e.place, Existing: other.id,
		Fault: policy.Fault{Path: root.Member(member), Message: "is that of " + other.place + " too", Code: flow.UniquenessViolation},
	})
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Path, b.Path)) })
}

// Referenced says that a resource cannot be removed because others name it.
type Referenced struct {
	Kind, ID string
	By       []Referrer
	Users    int // how many users belong to it, where it is a population
}

// Referrer is a place in a resource that names another one.
type Referrer struct {
	Kind, ID, Name string
	Path           policy.Path
}

func (e *Referenced) Error() string {
	var by []string
	for _, r := range e.By {
		by = append(by, fmt.Sprintf("%s %q (%s) at %s", r.Kind, r.Name, r.ID, r.Path))
	}
	if e.Users > 0 {
		by = append(by, fmt.Sprintf("%d users", e.Users))
	}
	return fmt.Sprintf("%s %s is named by %s; change that first", e.Kind, e.ID, strings.Join(by, ", "))
}

// Managed says that an environment is kept by files, which alone change it.
type Managed struct {
	Environment string // name
	Kind        *Kind
}

func (e *Managed) Error() string {
	what := e.Kind.root().Collection + "/*.json"
	if e.Kind.root().Singleton {
		what = e.Kind.root().file()
	}
	return fmt.Sprintf("the environment %q is kept by files; change %s in its folder and apply the files", e.Environment, what)
}
