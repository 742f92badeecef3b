package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// conn is one kept-alive HTTP/1.1 connection that reads no more of an answer than
// it must, because it shares the cores with the server.
type conn struct {
	net.Conn
	buf []byte
}

// slowest is the longest that any answer may take.
const slowest = 15 * time.Second

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, buf: make([]byte, 32<<10)}, nil
}

// reply is an answer; it holds until the next one is read.
type reply struct {
	status int
	head   []byte // status line and headers, each line with its CR LF
	body   []byte
}

// do sends a request and reads its answer, which must have a Content-Length and
// fit into 32 KiB.
func (c *conn) do(request []byte) (reply, error) {
	if err := c.SetDeadline(time.Now().Add(slowest)); err != nil {
		return reply{}, err
	}
	if _, err := c.Write(request); err != nil {
		return reply{}, err
	}
	n, end, length := 0, -1, 0
	for {
		m, err := c.Read(c.buf[n:])
		if err != nil {
			return reply{}, err
		}
		n += m
		if end < 0 {
			if end = bytes.Index(c.buf[:n], []byte("\r\n\r\n")); end < 0 {
				continue
			}
			end += 4
			if length, err = strconv.Atoi(string(header(c.buf[:end], "Content-Length"))); err != nil {
				return reply{}, fmt.Errorf("answer without Content-Length: %q", c.buf[:end])
			}
			if end+length > len(c.buf) {
				return reply{}, fmt.Errorf("answer of %d bytes", end+length)
			}
		}
		if n >= end+length {
			break
		}
	}
	status, err := strconv.Atoi(string(c.buf[9:12]))
	if err != nil {
		return reply{}, errors.New("answer without a status")
	}
	return reply{status: status, head: c.buf[:end], body: c.buf[end : end+length]}, nil
}

// header is the value of the first header of that name; nil when there is none.
func header(head []byte, name string) []byte {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}
