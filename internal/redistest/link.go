package redistest

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
)

// Link dials connections that can lose a reply: the server has done what it was
// asked, and the client never hears of it.
type Link struct {
	losses atomic.Int32
	Lost   atomic.Int32 // replies lost so far
	Dials  atomic.Int32
}

// Lose makes the next n batches that count, take or run a script lose their replies,
// each with its connection.
func (l *Link) Lose(n int) { l.losses.Store(int32(n)) }

// Dial connects over TCP.
func (l *Link) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.Dials.Add(1)
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil, net.UnknownNetworkError(network)
	}
	return &lossy{TCPConn: tcp, link: l}, nil
}

type lossy struct {
	*net.TCPConn // whose SyscallConn the client needs to see that a server is gone

	link *Link
	cut  atomic.Bool
}

func (c *lossy) Write(b []byte) (int, error) {
	if c.link.losses.Load() > 0 && losable(b) {
		c.link.losses.Add(-1)
		c.cut.Store(true)
	}
	return c.TCPConn.Write(b)
}

func losable(b []byte) bool {
	for _, name := range []string{"evalsha", "incr", "set"} {
		if bytes.Contains(b, []byte("\r\n"+name+"\r\n")) {
			return true
		}
	}
	return false
}

func (c *lossy) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b) // the answer is here: it has happened
	if c.cut.Load() {
		c.link.Lost.Add(1)
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}
