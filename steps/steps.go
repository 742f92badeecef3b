// Package steps lists the step kinds of this build: one constructor call a line,
// written by hand. It is the one file outside a kind's folder that knows it.
package steps

import (
	"doorward/runtime/flow"
	"doorward/steps/change"
	"doorward/steps/identify"
	"doorward/steps/lookup"
	"doorward/steps/password"
	"doorward/steps/recover"
	"doorward/steps/register"
	"doorward/steps/verify"
)

// Parts is what the kinds need from outside. Describing kinds and compiling plans
// needs none of it, running them all.
type Parts struct {
	Passwords     password.Passwords
	Changes       change.Passwords
	Recoveries    recover.Recoveries
	Registrations register.Registrations
	Verifications verify.Verifications
}

// Builtin returns every step kind.
func Builtin(p Parts) []flow.Kind {
	return []flow.Kind{
		identify.New(),
		lookup.New(),
		password.New(p.Passwords),
		change.New(p.Changes),
		recover.New(p.Recoveries),
		register.New(p.Registrations),
		verify.New(p.Verifications),
	}
}
