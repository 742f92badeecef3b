// Package forms turns what an execution offers into pages a person can fill in,
// and what a browser posts back into the values of an action. It knows no action
// by name but the engine's own reset, and no step kind at all: a form is drawn
// from the same declaration that checks its submission.
//
// What pages say lies in texts/, one file a language, by the keys that steps and
// faults carry. What pages are made of lies in components.go and fields.go, one
// function a component; only literals of this package become markup, everything
// else is text.
//
// Source: visual.md in the design of the house; HTML Living Standard 4.10.
package forms
