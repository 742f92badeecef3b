package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"doorward/rehearsal"
)

// flowCommand is what writers of flow definitions work with. None of it needs a
// server, a database or a network.
func flowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "flow",
		Short: "Test, draw and compare flow definitions without serving them",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(flowTestCommand(), flowGraphCommand(), flowDiffCommand())
	return c
}

func flowTestCommand() *cobra.Command {
	var coverage bool
	c := &cobra.Command{
		Use:   "test FILE.yaml...",
		Short: "Play flow definitions as scripts say, and compare what comes",
		Long: "Play flow definitions as scripts say, and compare what comes.\n\n" +
			"A script names a configuration directory and a definition, or a sign-on policy,\n" +
			"and says step by step what is submitted and what is expected. It is played with\n" +
			"the real steps on a database of its own, by a clock that stands still unless the\n" +
			"script moves it; mail is read by the script and goes nowhere. No network is used:\n" +
			"services says what outside services answer, and a call that none of them answers\n" +
			"fails the script.\n\n" +
			"  config: ../config            # relative to the script\n" +
			"  definition: Sign On          # name or id; or policy:\n" +
			"  clock: 2030-01-01T09:00:00Z\n" +
			"  users:                       # as files of users, beside those of the configuration\n" +
			"    - {username: ada, email: ada@example.com, password: Correct-Horse-9}\n" +
			"  services:                    # the first that fits; * is anything\n" +
			"    - {url: 'https://desk.example/*', fails: TIMEOUT, times: 1}\n" +
			"    - {url: 'https://desk.example/*', answer: {status: 200, body: {valid: true}}}\n" +
			"  steps:\n" +
			"    - expect: {status: FORM_REQUIRED, offers: [form.submit]}\n" +
			"    - submit: form.submit\n" +
			"      values: {user: {username: ada, password: Correct-Horse-9}}\n" +
			"    - mail: {to: ada@example.com, template: verification, as: code}  # then ${code}\n" +
			"    - wait: 5m\n" +
			"    - call: {method: POST, url: 'https://desk.example/*', body: {code: WELCOME}}\n" +
			"    - expect: {status: COMPLETED, user: ada, amr: [pwd], redirect: 'https://*'}\n\n" +
			"An error that no expect names fails the script, and so does a member of expect\n" +
			"that is not as said: status, offers (all but session.reset), error, user, amr,\n" +
			"redirect (* is anything), form, values. ${captcha} is the answer to the challenge\n" +
			"of a form. The exit status is 1 when a script has failed.",
		Example: "  doorward flow test flows/*.yaml\n  doorward flow test --coverage flows/sign-on.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("give the scripts to play: %s", c.UseLine())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return rehearsal.Play(c.Context(), c.OutOrStdout(), args, coverage, stage)
		},
	}
	c.Flags().BoolVar(&coverage, "coverage", false, "list the steps and outlets that no script has passed")
	return c
}

func flowGraphCommand() *cobra.Command {
	var d rehearsal.Drawing
	c := &cobra.Command{
		Use:   "graph DIR",
		Short: "Draw the flow definitions of a configuration directory",
		Long: "Draw the flow definitions of a configuration directory, or one of them, or a\n" +
			"sign-on policy. A box is a step, shaded where it waits for a person and rounded\n" +
			"where it ends the flow. Steps that check has an error for are red, those with a\n" +
			"warning amber, with the codes of what was found. Several pictures stand below\n" +
			"each other, each under a comment with its name.",
		Example: "  doorward flow graph ./config | dot -Tsvg > flows.svg\n" +
			"  doorward flow graph --format mermaid --definition 'Sign On' ./config",
		Args: exactly("the directory of configuration files"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", d.Language, "dot", "mermaid"); err != nil {
				return err
			}
			return rehearsal.Draw(c.OutOrStdout(), args[0], d, describedKinds())
		},
	}
	c.Flags().StringVar(&d.Language, "format", "dot", "`language` of the picture: dot (Graphviz) or mermaid")
	c.Flags().StringVar(&d.Definition, "definition", "", "`name` or id of the one to draw (default: all)")
	c.Flags().StringVar(&d.Policy, "policy", "", "`name` or id of a sign-on policy to draw instead")
	c.MarkFlagsMutuallyExclusive("definition", "policy")
	return c
}

func flowDiffCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say what differs between two files of a flow definition, and whether the plan does",
		Long: "Say what differs between two files of a flow definition: steps, outlets, inputs,\n" +
			"configurations and the forms they show; and whether the plan changes, by which\n" +
			"an execution under way is held to what it began with. Forms and definitions that\n" +
			"are called are read from the configuration that a file lies in, or, where it lies\n" +
			"in none, from that of the other.",
		Example: "  doorward flow diff old/sign-on.json ./config/acme/flowDefinitions/sign-on.json\n" +
			"  doorward flow diff --format json a.json b.json",
		Args: exactly("the file as it was", "the file as it is"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			d, err := rehearsal.Compare(args[0], args[1], describedKinds())
			if err != nil {
				return err
			}
			return report(c, format, d)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`form` of the answer: text or json, with JSON Patch operations")
	return c
}
