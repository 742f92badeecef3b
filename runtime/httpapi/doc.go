// Package httpapi is the HTTP face of the house: the flow API, the hosted pages,
// health, and the one bridge over which every other face is served. Fiber and
// fasthttp end here: what leaves this package is copied, and has a deadline of
// its own.
//
// Measured on the way here: fasthttp reuses the memory of strings and bodies,
// never tells a handler that the client has gone, inflates compressed bodies
// without bound and has no read timeout; Fiber's listener returns while requests
// still run. Each has its answer in this package.
//
// Source: reference/flows.md 2, 5, 6; design of the house, sections 3 and 4.
package httpapi
