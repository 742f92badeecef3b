package rehearsal

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// Report is what a check comes to, as it is printed.
type Report struct {
	Directory string  `json:"directory"`
	Errors    int     `json:"errors"`
	Warnings  int     `json:"warnings"`
	Faults    []fault `json:"faults"`

	root string // what the files are below
}

// fault is one of its lines.
type fault struct {
	Severity string `json:"severity"` // error or warning
	File     string `json:"file"`     // inside the directory, with the folder of its environment
	Path     string `json:"path"`     // JSONPath inside the file
	Pointer  string `json:"pointer"`  // the same as a JSON Pointer
	Code     string `json:"code"`
	Message  string `json:"message"`
	Way      []hop  `json:"way,omitempty"` // of a finding: how a flow gets there
}

type hop struct {
	Step   string `json:"step"`
	Outlet string `json:"outlet,omitempty"` // empty where the way ends
}

// Check judges a directory of configuration files, or the folder of one environment,
// as it is judged before it is served, and reads nothing else. The error is that of
// the file system.
func Check(dir string, kinds []flow.Kind) (*Report, error) {
	files, root, err := configs.Directory(dir)
	if err != nil {
		return nil, err
	}
	faults, warnings, err := configs.Check(files, kinds)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r := &Report{root: root, Directory: dir, Errors: len(faults), Warnings: len(warnings), Faults: []fault{}}
	for _, f := range faults {
		r.add(verifier.Error, f)
	}
	for _, f := range warnings {
		r.add(verifier.Warning, f)
	}
	return r, nil
}

func (r *Report) add(s verifier.Severity, f configs.Fault) {
	one := fault{Severity: s.String(), File: f.File, Path: string(f.Path), Pointer: f.Pointer(), Code: f.Finding, Message: f.Message}
	if one.Code == "" {
		one.Code = f.Reason()
	}
	for _, h := range f.Trail {
		one.Way = append(one.Way, hop{h.Step, h.Outlet})
	}
	r.Faults = append(r.Faults, one)
}

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "%s %s: %s: %s (%s)\n", f.Severity, filepath.Join(r.root, f.File), f.Path, f.Message, f.Code)
		if len(f.Way) > 0 {
			fmt.Fprintf(&b, "    %s\n", way(f.Way))
		}
	}
	if len(r.Faults) == 0 {
		fmt.Fprintf(&b, "%s is in order\n", r.Directory)
	}
	return b.String()
}

// Verdict is an error where there are errors, and when it is strict where there are
// warnings.
func (r *Report) Verdict(strict bool) error {
	if r.Errors == 0 && (r.Warnings == 0 || !strict) {
		return nil
	}
	return errors.New(counted(r.Errors, "error") + ", " + counted(r.Warnings, "warning") + " in " + r.Directory)
}

// way is a path through a flow on one line: ask -(SUBMITTED)-> check. Where it
// leaves the last step, it leaves the flow.
func way(hops []hop) string {
	var b strings.Builder
	for i, h := range hops {
		b.WriteString(h.Step)
		switch last := i == len(hops)-1; {
		case !last:
			fmt.Fprintf(&b, " -(%s)-> ", h.Outlet)
		case h.Outlet != "":
			fmt.Fprintf(&b, " -(%s)-> end", h.Outlet)
		}
	}
	return b.String()
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
