package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"doorward/configs"
	"doorward/runtime/flow"
	plans "doorward/runtime/verifier"
	"doorward/steps"
)

// checkCommand judges configuration files as serve does before it takes them. It
// reads them and nothing else.
func checkCommand() *cobra.Command {
	var format string
	var strict bool
	c := &cobra.Command{
		Use:   "check DIR",
		Short: "Check a directory of configuration files and name everything that is wrong",
		Long: "Check a directory of configuration files and name everything that is wrong.\n\n" +
			"Every fault is named with its file and where in it, and every hole that a flow\n" +
			"can fall into with the way that leads there. Nothing but the files is read: no\n" +
			"database is opened and no connection made. DIR may be the folder of one\n" +
			"environment, too. The exit status is 0 when the files can be served and 1 when\n" +
			"they cannot; warnings alone leave it at 0.",
		Example: "  doorward check ./config\n  doorward check --strict --format json ./config",
		Args:    exactly("the directory of configuration files"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			files, root, err := configuration(args[0])
			if err != nil {
				return err
			}
			faults, warnings, err := configs.Check(files, describedKinds())
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			r := newReport(args[0], root, faults, warnings)
			if err := r.write(c.OutOrStdout(), format); err != nil {
				return err
			}
			return r.verdict(strict)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`form` of the answer: text or json")
	c.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	return c
}

// describedKinds are the step kinds for whoever only reads about them: none of
// them can be run.
func describedKinds() []flow.Kind { return steps.Builtin(steps.Parts{}) }

// exactly takes one argument and says what it is.
func exactly(what ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(what) {
			return nil
		}
		return fmt.Errorf("give %s: %s", strings.Join(what, " and "), c.UseLine())
	}
}

func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s %q: give %s", flag, value, strings.Join(allowed, " or "))
}

// report is what a check comes to, as it is printed.
type report struct {
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

func newReport(dir, root string, faults, warnings configs.Faults) *report {
	r := &report{root: root, Directory: dir, Errors: len(faults), Warnings: len(warnings), Faults: []fault{}}
	for _, f := range faults {
		r.add(plans.Error, f)
	}
	for _, f := range warnings {
		r.add(plans.Warning, f)
	}
	return r
}

func (r *report) add(s plans.Severity, f configs.Fault) {
	one := fault{Severity: s.String(), File: f.File, Path: string(f.Path), Pointer: f.Pointer(), Code: f.Finding, Message: f.Message}
	if one.Code == "" {
		one.Code = f.Reason()
	}
	for _, h := range f.Trail {
		one.Way = append(one.Way, hop{h.Step, h.Outlet})
	}
	r.Faults = append(r.Faults, one)
}

func (r *report) write(w io.Writer, format string) error {
	if format == "json" {
		return writeJSON(w, r)
	}
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
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is what the exit status is made of.
func (r *report) verdict(strict bool) error {
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

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
