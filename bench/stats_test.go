package main

import (
	"math"
	"testing"
)

func TestMedianIsTheMiddleOfTheSortedValues(t *testing.T) {
	for name, tt := range map[string]struct {
		of   sample
		want float64
	}{
		"one value":         {sample{3}, 3},
		"odd, unsorted":     {sample{9, 1, 5}, 5},
		"even":              {sample{1, 9, 3, 5}, 4},
		"an outlier is one": {sample{1, 2, 3, 4, 1e9}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.of.median(); got != tt.want {
				t.Errorf("median %v, want %v", got, tt.want)
			}
		})
	}
	if got := (sample{}).median(); !math.IsNaN(got) {
		t.Errorf("median of nothing is %v, want NaN", got)
	}
}

func TestMedianLeavesTheOrderOfRounds(t *testing.T) {
	s := sample{3, 1, 2}
	s.median()
	if s[0] != 3 || s[1] != 1 || s[2] != 2 {
		t.Errorf("order changed to %v", s)
	}
}

func TestSpreadIsTheRangeOfTheRounds(t *testing.T) {
	s := sample{10, 8, 12, 9, 10}
	if low, high := s.spread(); low != 8 || high != 12 {
		t.Errorf("spread %v to %v, want 8 to 12", low, high)
	}
	if got := s.moved(); math.Abs(got-0.4) > 1e-9 {
		t.Errorf("moved %v, want 0.4", got)
	}
}

func TestRoundsAreCombinedOneByOne(t *testing.T) {
	// The machine halved in the second round: the ratio does not show it.
	ratio := sample{100, 50, 100}.over(sample{200, 100, 200})
	for i, r := range ratio {
		if r != 0.5 {
			t.Errorf("round %d: ratio %v, want 0.5", i, r)
		}
	}
	if got := (sample{1, 2, 3}).plus(sample{1, 1}); len(got) != 2 || got[1] != 3 {
		t.Errorf("sum %v, want [2 3]", got)
	}
	if got := (sample{5}).minus(sample{2}); got[0] != 3 {
		t.Errorf("difference %v, want [3]", got)
	}
}

func TestVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		target *target
		of     sample
		fixed  bool
		want   string
	}{
		"all rounds above a least":      {atLeast(0.8), sample{0.85, 0.9, 0.88, 0.86, 0.87}, false, "met"},
		"all rounds below a least":      {atLeast(0.8), sample{0.7, 0.75, 0.72, 0.71, 0.7}, false, "missed"},
		"a least within the rounds":     {atLeast(0.8), sample{0.79, 0.9, 0.88, 0.86, 0.87}, false, "not shown"},
		"all rounds below a most":       {atMost(1.25), sample{1.1, 1.2, 1.15, 1.1, 1.1}, false, "met"},
		"all rounds above a most":       {atMost(1.25), sample{1.3, 1.4, 1.35, 1.3, 1.3}, false, "missed"},
		"a most within the rounds":      {atMost(1.25), sample{1.2, 1.3, 1.2, 1.2, 1.2}, false, "not shown"},
		"a round on the target itself":  {atMost(1.25), sample{1.25, 1.2, 1.2, 1.2, 1.2}, false, "not shown"},
		"too few rounds":                {atMost(1.25), sample{1, 1, 1, 1}, false, "not shown"},
		"what does not vary, met":       {atMost(45), sample{41}, true, "met"},
		"what does not vary, missed":    {atMost(45), sample{46}, true, "missed"},
		"what does not vary, on target": {atMost(45), sample{45}, true, "met"},
		"one round of what varies":      {atMost(45), sample{41}, false, "not shown"},
		"nothing":                       {atMost(45), nil, false, "not measured"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.target.verdict(tt.of, !tt.fixed); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestDifferenceWithinTheSpreadIsNotShown(t *testing.T) {
	for name, tt := range map[string]struct {
		ratio sample
		want  string
	}{
		"slower in every round": {sample{0.8, 0.82, 0.85, 0.84, 0.8}, "-18 %"},
		"faster in every round": {sample{1.5, 1.6, 1.4, 1.5, 1.5}, "+50 %"},
		"equal within rounds":   {sample{0.95, 1.02, 0.97, 0.99, 0.98}, "not shown"},
		"too few rounds":        {sample{0.5, 0.5}, "not shown"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := difference(tt.ratio); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnchorThatMovesTooMuchFails(t *testing.T) {
	steady, moving := &series{}, &series{}
	for i := range 5 {
		steady.add(window{rate: 1000 + float64(i), server: 100, redis: 20})
		moving.add(window{rate: 1000 + 100*float64(i), server: 100, redis: 20})
	}
	if err := restless(results{stepOf(bareServer, 8): steady, stepOf(onRedis, 8): moving}); err != nil {
		t.Errorf("a steady anchor: %v", err)
	}
	if err := restless(results{stepOf(bareServer, 8): moving}); err == nil {
		t.Error("an anchor that moved by a third passed")
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("percentile %v: %v, want %v", p, got, want)
		}
	}
}

// The values are those of R's wilcox.test(a, b, exact = FALSE, correct = FALSE).
func TestMannWhitney(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b sample
		want float64
	}{
		"apart":     {sample{1, 2, 3, 4, 5}, sample{6, 7, 8, 9, 10}, 0.0090234},
		"the same":  {sample{1, 2, 3, 4}, sample{1, 2, 3, 4}, 1},
		"interwove": {sample{1, 3, 5, 7}, sample{2, 4, 6, 8}, 0.5637029},
		"all equal": {sample{1, 1}, sample{1, 1}, 1},
	} {
		if got := mannWhitney(tt.a, tt.b); math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
