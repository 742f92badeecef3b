// Package federation speaks OpenID Connect to the external providers at which people
// may sign on instead of here.
//
// There are two halves. A Leg is what one sign-on there is made with: it is computed
// from the execution, going out and coming back, and nothing of it is kept. A Client
// then has the code that came back exchanged, and judges what the provider says:
//
//   - the code, the secret and the verifier go to the token endpoint of the provider
//     that the leg was made for, and nowhere that it redirects to;
//   - the ID token is judged as OpenID Connect Core 3.1.3.7 demands, by keys from the
//     configured endpoint alone; what the token itself says of keys is refused;
//   - an answer is strict JSON of at most 256 KiB, in which no name is there twice;
//   - whatever is no good is a Refusal, whose text holds nothing that a provider or a
//     browser has sent.
//
// Calls are made by clients that are given, so that they are guarded where every other
// call out of the house is.
package federation
