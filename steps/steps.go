// Package steps lists the step kinds of this build: one constructor call a line,
// written by hand. It is the one file outside a kind's folder that knows it.
package steps

import (
	"doorward/runtime/flow"
	"doorward/steps/identify"
	"doorward/steps/password"
)

// Builtin returns every step kind.
func Builtin(passwords password.Passwords) []flow.Kind {
	return []flow.Kind{
		identify.New(),
		password.New(passwords),
	}
}
