package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints. It returns an error when something could not be
// measured, or when the machine was too restless to judge by.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := f.Int("rounds", fewest, "rounds; with fewer than five nothing is shown")
	seconds := f.Float64("seconds", 2, "length of one measurement")
	only := f.String("only", "", "`regexp` of the rows to measure")
	if err := f.Parse(args); err != nil {
		return err
	}
	pick, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	var chosen []row
	wanted := map[string]bool{}
	for _, r := range rows() {
		if pick.MatchString(r.name) {
			chosen = append(chosen, r)
			for _, a := range r.arms {
				wanted[a] = true
			}
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no row matches %q", *only)
	}
	debug.SetGCPercent(400) // of the generator
	where := machine(ctx, ".")
	start := time.Now()
	got, err := measure(ctx, *rounds, time.Duration(*seconds*float64(time.Second)), wanted, progress)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\nrounds   %d of %gs each, %.0f s in all; load now %s\n\n",
		where, *rounds, *seconds, time.Since(start).Seconds(), firstLine("/proc/loadavg"))
	return errors.Join(err, printRows(out, chosen, got), printArms(out, got), restless(got))
}

// measure builds, starts what is needed and takes the wanted arms in turns.
func measure(ctx context.Context, rounds int, length time.Duration, wanted map[string]bool, progress io.Writer) (results, error) {
	dir, err := os.MkdirTemp("", "doorward-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system's temporary directory
	bin, err := build(ctx, ".", dir)
	if err != nil {
		return nil, err
	}
	h, err := newHouse(ctx, dir, bin)
	if err != nil {
		return nil, err
	}
	defer h.close()
	got := results{}
	for round := range rounds {
		for _, a := range h.arms(length) {
			if !wanted[a.name] || (a.once && round > 0) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			w, err := a.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", a.name, round+1, err)
			}
			if got[a.name] == nil {
				got[a.name] = &series{}
			}
			got[a.name].add(w)
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d done\n", round+1, rounds)
	}
	return got, nil
}

// mostMoved is how much what is measured against may move between rounds.
const mostMoved = 0.20

// restless says by how much what is measured against moved, when that was too much.
func restless(got results) error {
	var errs []error
	for name, s := range got {
		if !strings.HasPrefix(name, bareServer) {
			continue
		}
		for what, v := range map[string]sample{"rate": s.rate, "CPU": s.total()} {
			if m := v.moved(); m > mostMoved {
				errs = append(errs, fmt.Errorf("%s: %s moved by %.0f %% between rounds; run again on a quiet machine", name, what, 100*m))
			}
		}
	}
	return errors.Join(errs...)
}
