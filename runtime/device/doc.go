// Package device is what every part of the product means by an authenticator of a
// person: what a device is, what may be shown of it, and what it proves.
//
// The wire calls them devices, whatever they are: a telephone number, an address, an
// app, a passkey. Source: reference/flows.md 8.2; reference/management.md 5.10.
package device
