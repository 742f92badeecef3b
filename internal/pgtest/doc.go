// Package pgtest starts real PostgreSQL servers for tests, on free ports of
// 127.0.0.1: one that the tests of a process share, with a database for each, and
// servers of their own for tests that break them. A test that needs one fails when
// the programs initdb and postgres are missing.
//
// The programs refuse to run as root; then they run as user postgres, or nobody.
package pgtest
