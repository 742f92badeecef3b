package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorward/runtime/flow"
)

func flowTestCommand() *cobra.Command {
	var coverage bool
	c := &cobra.Command{
		Use:   "test FILE.yaml...",
		Short: "Play flow definitions as scripts say, and compare what comes",
		Long: "Play flow definitions as scripts say, and compare what comes.\n\n" +
			"A script names a configuration directory and a definition, or a sign-on policy,\n" +
			"and says step by step what is submitted and what is expected. It is played with\n" +
			"the real steps on a database of its own, by a clock that stands still unless the\n" +
			"script moves it; mail is read by the script and goes nowhere. No network is used.\n\n" +
			"  config: ../config            # relative to the script\n" +
			"  definition: Sign On          # name or id; or policy:\n" +
			"  clock: 2030-01-01T09:00:00Z\n" +
			"  users:                       # as files of users, beside those of the configuration\n" +
			"    - {username: ada, email: ada@example.com, password: Correct-Horse-9}\n" +
			"  steps:\n" +
			"    - expect: {status: FORM_REQUIRED, offers: [form.submit]}\n" +
			"    - submit: form.submit\n" +
			"      values: {user: {username: ada, password: Correct-Horse-9}}\n" +
			"    - mail: {to: ada@example.com, template: verification, as: code}  # then ${code}\n" +
			"    - wait: 5m\n" +
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
			return playAll(c.Context(), c.OutOrStdout(), args, coverage)
		},
	}
	c.Flags().BoolVar(&coverage, "coverage", false, "list the steps and outlets that no script has passed")
	return c
}

// playAll plays scripts one after the other and says how each went.
func playAll(ctx context.Context, w io.Writer, files []string, coverage bool) error {
	covered := map[flow.Digest]*covering{}
	failures := 0
	for _, file := range files {
		line := "ok    " + file
		if err := playFile(ctx, file, covered); err != nil {
			failures++
			line = "FAIL  " + file + "\n" + err.Error()
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if coverage {
		if err := writeCoverage(w, covered); err != nil {
			return err
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %s failed", failures, counted(len(files), "script"))
	}
	return nil
}

// playFile plays one script and adds what it has passed to covered.
func playFile(ctx context.Context, file string, covered map[flow.Digest]*covering) (err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := readScript(file, raw)
	if err != nil {
		return err
	}
	g, err := openStage(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close(context.WithoutCancel(ctx))) }()
	p := &play{stage: g, script: s, codes: map[string]string{}}
	for _, u := range s.users {
		p.hide("", u.members, "")
	}
	err = p.run(ctx)
	if !p.plan.IsZero() {
		plan, planErr := g.registry.Plan(ctx, g.subject.folder.ID, p.plan)
		if planErr != nil {
			return errors.Join(err, planErr)
		}
		if covered[p.plan] == nil {
			covered[p.plan] = &covering{plan: plan, seen: map[string]map[string]bool{}}
		}
		covered[p.plan].add(g.trail.seen)
	}
	return err
}
