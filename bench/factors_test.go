package main

import "testing"

func TestRightAnswersAreMeasured(t *testing.T) {
	for _, a := range factorArms() {
		if w, err := a.run(t.Context()); err != nil || w.value <= 0 {
			t.Errorf("%s: %v, %v", a.name, w.value, err)
		} else {
			t.Logf("%s: %.0f us", a.name, w.value)
		}
	}
}
