// Package invoke is the one way out of the house: every HTTP call whose
// destination somebody else may have a say in is made by an Invoker. What holds
// for each call:
//
//   - the address is judged when it is dialled, once its name is resolved, and
//     never before: a name that changes its answer gains nothing;
//   - it goes to an origin of its target, by https unless the operator says
//     otherwise, and is redirected within that origin only;
//   - one deadline ends the whole call: name lookup, redirects, repeat and body;
//   - an answer is refused when its headers pass 32 KiB, its body passes 256 KiB,
//     or it is encoded;
//   - it is repeated at most once, and only where that can do nothing twice;
//   - the caller learns one of seven codes, and a sentence that is the same for all
//     addresses. Reason has the cause, for the log.
//
// A target is an environment and a name. Each has connections of its own, a rate,
// a place for so many calls, and a breaker; each environment has place for 45. Who
// finds no place is refused at once and never waits. Proxies named in the
// environment, cookies and connections shared between targets are not used, and
// only HTTP/1.1 is spoken.
//
// A kept connection that turns out to be closed before a byte of an answer is
// replaced by net/http: for a request of which nothing was written, or that is GET,
// HEAD or has an idempotency key.
//
// The telemetry exporter does not come through here: its collector is chosen by
// the operator alone, on the command line, usually on the same host, and nothing
// that a tenant or a person enters reaches its address.
package invoke
