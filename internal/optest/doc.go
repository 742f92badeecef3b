// Package optest starts an OpenID provider for tests, in which nobody has to type: who
// signs on there is said by the test. It checks what a real one does (client, secret,
// redirect URI, PKCE, a code's one use), remembers what it was asked, and can be made
// to answer and to sign anything.
package optest
