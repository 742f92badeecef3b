// Package flow is the vocabulary of the house: what an execution is, what a
// step kind offers, how a step answers, what proves who somebody is, and what a
// client is told. Every other package speaks in these words; this one imports
// the standard library only and does no input or output.
//
// Three rules hold everywhere:
//
//   - a Fault is for the client, any other error is for us;
//   - a Proof is only ever made by a step kind, and Ledger.Satisfies is the only
//     judge of whether proofs are enough;
//   - an Execution is changed by the engine's one transition function, and by
//     nothing else.
package flow
