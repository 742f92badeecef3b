// Package external is an external service as data: variables, schemes of
// authentication and requests written in expressions, made into one HTTP request
// and its answer made into outputs. It knows what a request means and nothing of
// sockets; a Sender makes the call.
//
// Compile reads a document and reports every fault with its path. What it makes
// never changes, and holds no credential: those, and the service's secrets, are
// read at each call. Seal takes them out of a document before it is kept.
//
// Four things hold for each call, whatever the inputs are:
//
//   - scheme, host and port are those that the document gives; a document in which
//     they follow from an input or a secret is refused;
//   - the URL has as many path segments, and the same query names, as with inputs
//     of the same form that mean nothing in a URL, and no segment that leads up;
//   - a header value that would end its line is refused, before anything is sent;
//   - the body is written by an encoder from a value.
//
// For other packages that write requests, such as the step API_REQUEST, the same
// rules are functions: HeaderFault and ValueFault for headers, ReadAddress for URLs,
// ParseAnswer and AnswerValue for answers.
//
// Source: reference/management.md 1.
package external
