// Package account serves the pages at /{environment}/account, where a person who is
// signed on sees and changes what is theirs: devices and passkeys, recovery codes,
// trusted browsers, where they are signed on, their password and what is known of them.
//
// It is a face: whatever asks a person for a password or a code is an execution of the
// engine, begun here and come back to. Source: docs/decisions/0013-account.md.
package account
