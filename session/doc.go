// Package session keeps what expires: executions, the sign-on sessions of
// browsers, counters of limits and one-time secrets inside a flow.
//
// Redis holds all of it for nodes that share it; Embedded holds it for one
// process, executions, counters and secrets in memory and sessions in SQLite. One
// contract suite runs on both, and on Redis as one server, as a cluster and
// through a Sentinel failover.
//
// What every implementation promises:
//
//   - an execution is saved only by the holder of its lease and only as the
//     successor of the version that was loaded; of many at most one wins;
//   - whatever is done again because an answer was lost is done once: a save, a
//     resume and a secret's use know their own repeat;
//   - nothing is tried again behind the caller's back, except that repeat;
//   - what cannot be read is an error and never a pass: a limit that cannot be
//     counted refuses;
//   - every method of Executions and Sessions is one batch to the store.
//
// A record is a fixed header, which the scripts read, and a MessagePack array,
// which they do not:
//
//	version  8 bytes, big endian
//	flags    1 byte: 1 terminal, 2 resumed
//	binding 32 bytes
//	save    16 bytes: digest of the holder that wrote it
//	body    [format, plan, node, ...], at most 16 KiB
package session
