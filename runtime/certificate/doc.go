// Package certificate is the certificate authority of an environment: what a signing
// request may be, what a certificate of a person says, and which are good no more. It
// makes certificates with which somebody signs on to Windows, and no others.
//
// It keeps nothing: what lasts is in the Store. Keys of people are never here; an
// authority's own is sealed where it is kept.
//
// Source: RFC 5280; RFC 2986; docs/decisions/0014-windows.md.
package certificate
