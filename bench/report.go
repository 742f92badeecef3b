package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// printRows prints the table of targets: the medians, their ratio or value with
// the range of its rounds, and the verdict.
func printRows(out io.Writer, list []row, got results) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "measure\tours\tagainst\tresult (range)\tdifference\ttarget\tverdict")
	for _, r := range list {
		ours, against := r.values(got)
		result, beside, differs := ours, "", ""
		if against != nil {
			result = ours.over(against)
			beside = number(against.median()) + " " + r.unit
			if !r.counts {
				differs = difference(result)
			}
		}
		want, verdict := "", ""
		if r.target != nil {
			want, verdict = r.target.String(), r.target.verdict(result, !r.fixed)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s\t%s\n", r.name, number(ours.median()), r.unit, beside, ranged(result), differs, want, verdict)
	}
	return w.Flush()
}

// printArms prints what the loads did.
func printArms(out io.Writer, got results) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nload\tper second (range)\tserver CPU us\tRedis CPU us")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if s := got[name]; s.rate.median() > 0 {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, ranged(s.rate), ranged(s.server), ranged(s.redis))
		}
	}
	return w.Flush()
}

// ranged is the median and, of several rounds, their range.
func ranged(s sample) string {
	if len(s) < 2 {
		return number(s.median())
	}
	low, high := s.spread()
	return fmt.Sprintf("%s (%s - %s)", number(s.median()), number(low), number(high))
}
