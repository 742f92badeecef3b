// Package passkey holds the two ceremonies of WebAuthn, as functions of what came
// in: options go out in two forms, an answer comes back in either and is judged. It
// keeps nothing, draws no chance, and reads no clock but for the certificates of an
// attestation.
//
// Every answer is the word of a stranger. What it says is compared with what the
// caller knows (the relying party, the challenge, the credentials of the person),
// never believed, and each rule is checked here before the library sees the answer:
// the library reads JSON with names in any case, folds origins, ignores line ends in
// base64 and only marks a counter that went back. Then it judges the ceremony again
// and verifies the signature.
//
// Source: WebAuthn level 3, sections 5 to 8; reference/flows.md 8.4.
package passkey
