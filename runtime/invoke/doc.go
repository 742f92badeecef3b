// Package invoke is the one way out of the house: every HTTP call whose
// destination somebody else may have a say in is made by a Client of this
// package. Four things hold for each call:
//
//   - the address is judged when it is dialled, once its name is resolved, and
//     never before: a name that changes its answer gains nothing;
//   - one deadline ends the whole call, name lookup and body included;
//   - an answer is refused when its headers pass 32 KiB, its body passes 256 KiB,
//     it is encoded, or it redirects;
//   - the caller learns that the call failed and nothing else. Reason has the
//     cause, for the log.
//
// Proxies named in the environment, cookies and connections shared between
// services are not used. No call is ever repeated by this package.
//
// The telemetry exporter does not come through here: its collector is chosen by
// the operator alone, on the command line, usually on the same host, and nothing
// that a tenant or a person enters reaches its address.
package invoke
