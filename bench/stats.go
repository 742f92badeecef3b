package main

import (
	"fmt"
	"math"
	"slices"
)

// fewest is the number of rounds below which nothing counts as shown: the range
// of five rounds holds the true median with 94 %, that of four with less.
const fewest = 5

// sample is one measure over the rounds, in the order they ran.
type sample []float64

// median is the middle value, of an even number the mean of the middle two; NaN
// of none.
func (s sample) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(s))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// spread is the lowest and the highest value.
func (s sample) spread() (low, high float64) {
	if len(s) == 0 {
		return math.NaN(), math.NaN()
	}
	return slices.Min(s), slices.Max(s)
}

// moved is the width of the spread as a part of the median.
func (s sample) moved() float64 {
	low, high := s.spread()
	return (high - low) / s.median()
}

// over divides round by round, so that what slowed a whole round cancels out.
func (s sample) over(t sample) sample {
	return s.with(t, func(a, b float64) float64 { return a / b })
}

func (s sample) plus(t sample) sample {
	return s.with(t, func(a, b float64) float64 { return a + b })
}

func (s sample) minus(t sample) sample {
	return s.with(t, func(a, b float64) float64 { return a - b })
}

// with combines the rounds of both, as many as both have.
func (s sample) with(t sample, f func(a, b float64) float64) sample {
	out := make(sample, min(len(s), len(t)))
	for i := range out {
		out[i] = f(s[i], t[i])
	}
	return out
}

// shows reports whether the difference between s and value is larger than the
// spread: whether every one of enough rounds lies on the same side of it.
func (s sample) shows(value float64) bool {
	low, high := s.spread()
	return len(s) >= fewest && (low > value || high < value)
}

// target is what a measure should come to.
type target struct {
	value   float64
	atLeast bool // else at most
}

func atLeast(v float64) *target { return &target{value: v, atLeast: true} }
func atMost(v float64) *target  { return &target{value: v} }

func (t *target) String() string {
	if t.atLeast {
		return fmt.Sprintf(">= %s", number(t.value))
	}
	return fmt.Sprintf("<= %s", number(t.value))
}

// verdict is "met" or "missed" by the median, and "not shown" when the distance to
// the target is within the spread. What does not vary is measured once and has none.
func (t *target) verdict(s sample, varies bool) string {
	m := s.median()
	switch {
	case math.IsNaN(m):
		return "not measured"
	case varies && !s.shows(t.value):
		return "not shown"
	case m == t.value || m > t.value == t.atLeast:
		return "met"
	}
	return "missed"
}

// difference is how far a ratio is from 1, in percent.
func difference(ratio sample) string {
	if !ratio.shows(1) {
		return "not shown"
	}
	return fmt.Sprintf("%+.0f %%", 100*(ratio.median()-1))
}

// number prints three digits or more.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
