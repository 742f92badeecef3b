// Package redistest starts real Redis servers for tests: one, a cluster of three
// and a master with a replica under three Sentinels, all on free ports of
// 127.0.0.1 and gone when the test ends. A test that needs them fails when the
// program redis-server (7.0 or later) is missing.
package redistest
