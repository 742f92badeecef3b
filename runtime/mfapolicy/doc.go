// Package mfapolicy says what an environment asks of devices: which types there are,
// how their codes are sent, how many wrong ones lock, and what a passkey must be. It is
// vocabulary: the configuration writes policies, runtime/mfa and runtime/passkey go by
// them.
//
// Each of the three documents is read whole, with every fault at once. A number that
// the reference gives a range has that range; where it gives none, ours is named beside
// it. Source: reference/flows.md 8.1, 8.4; reference/management.md 5.10.
package mfapolicy
