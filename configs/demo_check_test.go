package configs_test

import (
	"testing"

	"doorward/configs"
	"doorward/steps"
)

func TestTheDemoIsSoundAndHasNoFindings(t *testing.T) {
	faults, warnings, err := configs.Check(configs.Demo, steps.Builtin(steps.Parts{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(faults, warnings...) {
		t.Errorf("%+v", f)
	}
}
