package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"doorward/rehearsal"
	"doorward/runtime/flow"
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
			r, err := rehearsal.Check(args[0], describedKinds())
			if err != nil {
				return err
			}
			if err := report(c, format, r); err != nil {
				return err
			}
			return r.Verdict(strict)
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

// report prints what a command has found, in the format that was asked for.
func report(c *cobra.Command, format string, found interface{ Text() string }) error {
	if format != "json" {
		_, err := fmt.Fprint(c.OutOrStdout(), found.Text())
		return err
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(found)
}
