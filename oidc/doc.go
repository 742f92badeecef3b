// Package oidc is the OpenID provider of an environment: authorize, resume,
// sign-off, discovery, keys, token and userinfo under /{envID}/as.
//
// It decides who may ask and where an answer may go; who somebody is, the engine
// decides. A code is issued only from a flow.Completion and a token only from a
// code that was redeemed for the first time by the client, to the address and
// with the verifier it was issued for.
//
// Of github.com/zitadel/oidc the parsing of token requests, the forms of client
// authentication and the minting of tokens are used, and nothing that decides.
// What arrives as a JWT is verified here before any of it is decoded: the
// library decodes first, and panics on an audience that is not text.
//
// Sources: RFC 6749, 7636, 8252, 9207, 9700; OpenID Connect Core, Discovery,
// RP-Initiated Logout; reference/flows.md 1.
package oidc
