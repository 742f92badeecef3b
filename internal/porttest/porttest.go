// Package porttest names ports for the programs that tests start.
package porttest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports are below those that a system gives to whoever asks for any: else another
// test's server could be given one between here and the start of the program that it
// is for. Source: net.ipv4.ip_local_port_range, 32768 and up.
const (
	first = 10_000
	past  = 30_000
)

// named are the ports that this process has named before.
var named sync.Map

// Free is a port that nobody listens on at 127.0.0.1, and that is not named again.
func Free(tb testing.TB) int {
	tb.Helper()
	for range 10_000 {
		port := first + rand.IntN(past-first)
		if _, again := named.LoadOrStore(port, true); again {
			continue
		}
		l, err := net.Listen("tcp", Addr(port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	tb.Fatal("no port is free")
	return 0
}

// Addr is the address of a port at 127.0.0.1.
func Addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
