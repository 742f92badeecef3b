package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorward/devices/client"
)

// watching is one run of `doorward device watch`.
type watching struct {
	device          string
	approve, reject bool
	number          string
	once            bool

	who   *client.Client
	out   io.Writer
	lines <-chan string // what is typed; closed at its end
}

func deviceWatch(m *machine) *cobra.Command {
	var w watching
	c := &cobra.Command{
		Use:   "watch",
		Short: "Show the sign-ons that wait for the device, and ask what to answer",
		Long: "Show the sign-ons that wait for the device, and ask what to answer. Where the\n" +
			"sign-on shows a number, choose that one; any other rejects it. For scripts,\n" +
			"--approve and --reject answer every sign-on without asking.",
		Example: "  doorward device watch\n  doorward device watch --once --approve --number 47",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := m.open(); err != nil {
				return err
			}
			d, who, err := m.one(w.device)
			if err != nil {
				return err
			}
			w.who, w.out = who, c.OutOrStdout()
			if !w.approve && !w.reject {
				w.lines = typed(c.Context(), c.InOrStdin())
			}
			if _, err := fmt.Fprintf(w.out, "waiting for sign-ons of %s\n", printable(d.Username)); err != nil {
				return err
			}
			return w.watch(c.Context())
		},
	}
	c.Flags().StringVar(&w.device, "device", "", "`id` of the device, where this machine is several")
	c.Flags().BoolVar(&w.approve, "approve", false, "approve every sign-on without asking")
	c.Flags().BoolVar(&w.reject, "reject", false, "reject every sign-on without asking")
	c.Flags().StringVar(&w.number, "number", "", "`number` to choose with --approve")
	c.Flags().BoolVar(&w.once, "once", false, "end after the first answer")
	c.MarkFlagsMutuallyExclusive("approve", "reject")
	return c
}

const (
	watchWait  = 25 * time.Second
	watchPause = time.Second // between answers that bring nothing, and the first after a failure
	watchRest  = 30 * time.Second
)

// watch asks for pushes and answers them until ctx ends.
func (w *watching) watch(ctx context.Context) error {
	known, pause := "", watchPause
	var asked []string // that have been shown
	for {
		start := time.Now()
		l, err := w.who.Pushes(ctx, known, watchWait)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was asked to end
		case client.Removed(err):
			return fmt.Errorf("watch: %w", err)
		case err != nil:
			if err := w.say("not reached, trying again: %s\n", printable(err.Error())); err != nil {
				return err
			}
			rest(ctx, pause)
			pause = min(2*pause, watchRest)
			continue
		}
		pause = watchPause
		for _, p := range l.Pushes {
			if slices.Contains(asked, p.ID) {
				continue
			}
			asked = append(asked, p.ID)
			done, err := w.answer(ctx, p)
			if err != nil || done && w.once {
				return err
			}
		}
		if l.Known == known && time.Since(start) < watchWait/2 { // the server is about to stop
			rest(ctx, watchPause)
		}
		known = l.Known
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (w *watching) say(format string, args ...any) error {
	_, err := fmt.Fprintf(w.out, format, args...)
	return err
}

// answer shows one push, asks for the answer and sends it. It reports whether the push
// was answered.
func (w *watching) answer(ctx context.Context, p client.Push) (bool, error) {
	to := "an application"
	if p.Application != nil {
		to = printable(p.Application.Name)
	}
	if err := w.say("\nsign-on to %s as %s\n  from %s, %s\n  at %s, waits until %s\n", to, printable(p.User.Username),
		printable(p.From.Address), printable(p.From.Browser), p.CreatedAt.Local().Format(time.TimeOnly), p.ExpiresAt.Local().Format(time.TimeOnly)); err != nil {
		return false, err
	}
	approve, number := w.approve, w.number
	if w.lines != nil {
		var err error
		if approve, number, err = w.ask(ctx, p); err != nil {
			return false, err
		}
	}
	v, err := w.who.Answer(ctx, p.ID, approve, number)
	var refused *client.Problem
	switch {
	case errors.As(err, &refused) && w.lines != nil && !client.Removed(err):
		return false, w.say("  %s\n", printable(refused.Message))
	case err != nil:
		return false, fmt.Errorf("answer: %w", err)
	case v.Reason == "WRONG_NUMBER":
		return true, w.say("  rejected: that is not the number that the sign-on shows\n")
	}
	return true, w.say("  %s\n", strings.ToLower(printable(v.State)))
}

// ask asks the person. Nothing that was not clearly a yes is one.
func (w *watching) ask(ctx context.Context, p client.Push) (approve bool, number string, err error) {
	question := "  approve? [y/N] "
	if len(p.Numbers) > 0 {
		question = "  which number does the sign-on show? " + printable(strings.Join(p.Numbers, ", ")) + " (anything else rejects) "
	}
	w.forget()
	if err := w.say("%s", question); err != nil {
		return false, "", err
	}
	select {
	case line, more := <-w.lines:
		if !more {
			return false, "", errors.New("nobody is there to answer: give --approve or --reject")
		}
		line = strings.TrimSpace(line)
		if len(p.Numbers) > 0 {
			return slices.Contains(p.Numbers, line), line, nil
		}
		return strings.EqualFold(line, "y") || strings.EqualFold(line, "yes"), "", nil
	case <-ctx.Done():
		return false, "", ctx.Err()
	}
}

// forget drops what was typed before the question: it answers none, least of all this
// one.
func (w *watching) forget() {
	for {
		select {
		case _, more := <-w.lines:
			if !more {
				return
			}
		case <-time.After(20 * time.Millisecond):
			return
		}
	}
}

// typed are the lines that somebody types.
func typed(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
