package rehearsal

import (
	"time"

	"doorward/runtime/flow"
)

// script is a file of a flow test.
type script struct {
	file        string
	config      string // directory, relative to the file
	environment string // name, id or folder; empty: the only one that has what is run
	kind        string // of what is run
	subject     string // name or id of it
	clock       time.Time
	redirectURI string // where an experience ends; empty: some address
	client      flow.Client
	parameters  map[string]any
	users       []scriptUser
	services    []scriptService
	steps       []scriptStep
}

// scriptUser is as a file of users has it, but that the id may be left out.
type scriptUser struct {
	line    int
	members map[string]any
}

// scriptStep is one step of a script; one of its members is set.
type scriptStep struct {
	line   int
	name   string // expect, submit, wait, mail or call
	expect *expectation
	submit *submission
	wait   time.Duration
	mail   *mailbox
	call   *wantedCall
}

// submission is an action that is sent.
type submission struct {
	action string
	values map[string]any // with ${...}
}

// mailbox is a mail that is looked for: the newest that no step has taken yet.
type mailbox struct {
	none     bool   // there is to be none
	to       string // empty: anybody
	template string // empty: any
	as       string // what its code is called from now on; empty: not needed
}

// expectation is what is to be seen. A member that is not set is not looked at,
// but that an error is always to be expected.
type expectation struct {
	set      map[string]bool // the members that are
	status   string
	offers   []string // all but session.reset, in any order
	err      *expectedError
	user     string // username; empty: nobody has signed on
	amr      []string
	redirect string // a * stands for anything
	form     string // its name
	values   map[string]any
}

// expectedError is an error that a submit is answered with, or that the view shows.
// What is empty is not looked at.
type expectedError struct {
	code    string // of the error or one of its details
	target  string // of that detail
	message string // a part of it
}

// The members of a script and of its parts.
func scriptMembers() []string {
	return []string{"config", "environment", "definition", "policy", "clock", "redirectUri", "client", "parameters", "users", "services", "steps"}
}

func expectationMembers() []string {
	return []string{"status", "offers", "error", "user", "amr", "redirect", "form", "values"}
}
