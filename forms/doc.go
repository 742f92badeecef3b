// Package forms turns what an execution offers into pages a person can fill in,
// and what a browser posts back into the values of an action. A form is drawn
// from the same declaration that checks its submission. No step kind is known
// here; of actions the engine's own reset is, and those about devices (room.go),
// whose pages show more than a form: a list to choose from, a number to match, a
// code to scan, and what the browser is asked to sign. Who signs on elsewhere is shown
// a link (elsewhere.go).
//
// What pages say lies in texts/, one file a language, by the keys that steps and
// faults carry. What pages are made of lies in components.go and fields.go, one
// function a component; only literals of this package become markup, everything
// else is text.
//
// Source: visual.md in the design of the house; HTML Living Standard 4.10.
package forms
