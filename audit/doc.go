// Package audit carries security events to where they are kept. The list of
// events is closed (Types): one of them is recorded for each security decision,
// and operators alert on their names.
//
// An event is a fact about a decision already made. It holds ids and constants,
// never what somebody typed, so that every sink may be read by whoever may read
// the log.
package audit
