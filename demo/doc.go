// Package demo is an application to try the product with: a relying party at
// /demo/ that signs a person on with authorization code, PKCE, state and nonce,
// and shows what it learnt.
//
// It knows the provider by its issuer only, and speaks to it only over HTTP,
// with the client it is given. It keeps its sessions in memory: they end with the
// process.
//
// Where no mail is sent, /dev/outbox shows the mails that would have been, so that
// a code can be read without a mail server.
package demo
