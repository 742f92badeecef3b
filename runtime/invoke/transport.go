package invoke

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"syscall"
	"time"
)

// What a connection may take to be made: short enough that a dead address leaves
// most of a call's time, long enough for a slow line to shake hands.
const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 30 * time.Second
)

// connector makes the connections of one target: each is judged at its dial.
type connector struct {
	guard    *Guard
	resolver *net.Resolver
	config   *tls.Config
	plain    bool // http may go where https may
}

// transport reads neither the proxies of the environment nor compressed bodies. It
// bounds headers and idle time; the time of headers and body, and the length of the
// body, are bounded by each call.
func (c *connector) transport() *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            c.dialPlain,
		DialTLSContext:         c.dialTLS,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        100,
		MaxResponseHeaderBytes: MaxHeader,
		DisableCompression:     true,
	}
}

// tlsConfig takes what is the target's to choose, and nothing that weakens it.
func tlsConfig(given *tls.Config) *tls.Config {
	config := given.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.InsecureSkipVerify = false
	config.KeyLogWriter = nil
	config.NextProtos = []string{"http/1.1"}
	return config
}

func (c *connector) dial(ctx context.Context, address string, judge func(network, address string, raw syscall.RawConn) error) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: idleTimeout, Resolver: c.resolver, Control: judge}
	return d.DialContext(ctx, "tcp", address)
}

func (c *connector) dialPlain(ctx context.Context, _, address string) (net.Conn, error) {
	if c.plain {
		return c.dial(ctx, address, c.guard.Control)
	}
	return c.dial(ctx, address, c.guard.openedOnly)
}

func (c *connector) dialTLS(ctx context.Context, _, address string) (net.Conn, error) {
	raw, err := c.dial(ctx, address, c.guard.Control)
	if err != nil {
		return nil, err
	}
	config := c.config
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	conn := tls.Client(raw, config)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, &handshakeError{err}
	}
	return conn, nil
}
