// Package mfa is the one implementation of second factors and passkeys: which devices
// somebody may use, how they are asked, whether an answer is right, and how devices are
// added. Sign-on policies, flow definitions, the management API and account pages all
// call it, so that the same rules hold and the same counters count.
//
// It keeps nothing. What lasts is in the Store, what was sent in Secrets. What it
// returns for a step to remember (Challenge, Creation) holds no secret.
//
// A try is counted before it is compared, three times over: against the code that was
// sent, against the account in a window of time (Tries), and, when it was wrong,
// against the device and the account for good (Store). A right answer takes its count
// in the window back, so that only wrong ones use it up.
//
// Source: docs/decisions/0012-devices.md; reference/flows.md 8.
package mfa
