package httpapi

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorward/runtime/flow"
)

// refuseEncoded runs when the head of a request has arrived: a body with a
// content coding is not read, let alone inflated. Case DOS-GZIP.
func refuseEncoded(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if len(h.ContentEncoding()) > 0 {
		return fasthttp.RequestConfig{MaxRequestBodySize: 1}
	}
	if manages(h.RequestURI()) {
		return fasthttp.RequestConfig{MaxRequestBodySize: documentLimit}
	}
	return fasthttp.RequestConfig{}
}

// manages reports whether a request is for the management API, whose documents
// are larger than what people type.
func manages(target []byte) bool { return bytes.HasPrefix(target, []byte(managementPath)) }

const managementPath = "/v1/"

func encodedFault() *flow.Fault {
	return &flow.Fault{Code: flow.UnsupportedMedia, Message: "A body with a content coding is not taken; send it as it is."}
}

// framed refuses, and ends the connection of, a request that another server on
// the way could have read differently. fasthttp refuses most of these; it lets
// pass a length beside chunks, a folded line, a bare line feed, a user before the
// host and a missing host.
//
// Source: RFC 9112 2.2, 3.2, 6.1, 6.3. Case INJ-SMUGGLE.
func (x *exchange) framed() error {
	h := &x.Request().Header
	var length, coding bool
	raw := h.RawHeaders()
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		if len(line) == 0 || line[len(line)-1] != '\r' || line[0] == ' ' || line[0] == '\t' {
			return x.ambiguous()
		}
		name, value, _ := bytes.Cut(line[:len(line)-1], []byte{':'})
		switch {
		case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
			length = true
		case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			if !bytes.EqualFold(bytes.Trim(value, " \t"), []byte("chunked")) {
				return x.ambiguous()
			}
			coding = true
		case len(name) == 16 && bytes.EqualFold(name, []byte("Content-Encoding")):
			x.Response().SetConnectionClose()
			return encodedFault()
		case len(name) == 12 && bytes.EqualFold(name, []byte("Content-Type")):
			x.types = append(x.types, string(bytes.Trim(value, " \t")))
		}
	}
	if length && coding || !isHost(h.Host()) || len(x.Request().URI().Username()) > 0 {
		return x.ambiguous()
	}
	return nil
}

// isHost reports whether h is made of what a host and a port are made of: no
// user, path or list.
func isHost(h []byte) bool {
	for _, c := range h {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && bytes.IndexByte([]byte("-._:[]"), c) < 0 {
			return false
		}
	}
	return len(h) > 0
}

func (x *exchange) ambiguous() error {
	x.Response().SetConnectionClose()
	return &flow.Fault{Code: flow.InvalidRequest, Message: "The request is not well-formed HTTP."}
}

// requestLimit is how many bytes one request may be on the wire, framing and
// all; it leaves chunks three times the size of what they carry. fasthttp counts
// the body only, and would skip over a chunk extension of any length.
const requestLimit = headerLimit + 4*bodyLimit

var errTooLong = errors.New("request over 272 KiB on the wire, or over 1.3 MiB for the management API")

// acceptPause is how long no connection is taken when there is no room for one.
const acceptPause = 500 * time.Millisecond

// countingListener counts what each connection reads. It waits where fasthttp
// would give up and end the process: when files or memory have run out.
type countingListener struct {
	net.Listener
	log *slog.Logger
}

func (l countingListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			return &countingConn{Conn: c, left: requestLimit, begins: true}, nil
		}
		if !exhausted(err) {
			return nil, err
		}
		l.log.Error("no connection is taken", "error", err)
		time.Sleep(acceptPause)
	}
}

// exhausted reports whether the machine or the process has no room, which passes.
func exhausted(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// countingConn is read, and given its next allowance, by one goroutine.
type countingConn struct {
	net.Conn
	left   int
	begins bool // the next bytes are the first of a request, unless it was sent ahead
}

func (c *countingConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	if n > 0 && c.begins {
		c.begins = false
		if line, _, _ := bytes.Cut(b[:n], []byte{'\n'}); bytes.Contains(line, []byte(" "+managementPath)) {
			c.left += documentLimit
		}
	}
	return n, err
}

// allow gives the connection the allowance of another request.
func allow(c *fiber.Ctx) {
	if conn, ok := c.Context().Conn().(*countingConn); ok {
		conn.left, conn.begins = requestLimit, true
	}
}
