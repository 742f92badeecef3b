package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"

	"github.com/wneessen/go-mail"
)

// line is the connection of one mail. The library forgets to close what it dialled
// when the greeting fails, and knows of no context once it has dialled.
type line struct {
	relay  *Relay
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

func (l *line) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := l.relay.dial(ctx, "tcp", l.relay.server.address())
	if err != nil {
		return nil, err
	}
	if !l.keep(conn) {
		return nil, context.Cause(ctx)
	}
	if !l.relay.server.implicit {
		return conn, nil
	}
	secured := tls.Client(conn, l.relay.tls())
	return secured, secured.HandshakeContext(ctx)
}

func (l *line) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close() // nobody has used it
		return false
	}
	l.conn = conn
	return true
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		_ = l.conn.Close() // what was to be heard on it was heard
	}
}

// verdict says what an error during the transaction means. A server that took the
// final dot and did not answer has the mail, or has not. Source: RFC 5321 4.2.1,
// 4.5.3.2.6, 6.1.
func verdict(ctx context.Context, err error) *Failure {
	var e *mail.SendError
	if !errors.As(err, &e) {
		return &Failure{Reason: Uncertain, Final: true, Cause: cause(ctx, err)}
	}
	code := e.ErrorCode()
	f := &Failure{Reason: Busy, Cause: strings.TrimSpace(fmt.Sprintf("%s: answered %d %s", e.Reason, code, e.EnhancedStatusCode()))}
	switch {
	case code == 0 && e.Reason == mail.ErrSMTPDataClose:
		return &Failure{Reason: Uncertain, Final: true, Cause: "no answer to the end of the mail"}
	case code == 0:
		return &Failure{Reason: Unreachable, Cause: e.Reason.String() + ": no answer"}
	case code == 530 || code == 534 || code == 535 || code == 538: // wants a sign-in: a matter of its settings
		f.Reason = Unreachable
	case code >= 500:
		f.Reason, f.Final = Refused, true
	}
	return f
}

// cause is what may be known of an error before the transaction. What a server
// says is not: it may quote what it was sent.
func cause(ctx context.Context, err error) string {
	var (
		answer *textproto.Error
		call   *net.OpError
		cert   *tls.CertificateVerificationError
		host   x509.HostnameError
		wait   net.Error
	)
	text := err.Error()
	switch {
	case errors.As(err, &answer):
		return fmt.Sprintf("answered %d", answer.Code)
	case errors.Is(ctx.Err(), context.Canceled):
		return "broken off"
	case ctx.Err() != nil, errors.As(err, &wait) && wait.Timeout():
		return "no answer in time"
	case errors.As(err, &cert):
		return cert.Error()
	case errors.As(err, &host):
		return host.Error()
	case errors.As(err, &call):
		return call.Error()
	case errors.Is(err, io.EOF):
		return "hung up"
	case strings.HasPrefix(text, "tls: "):
		return text
	case strings.HasSuffix(text, "does not support STARTTLS"):
		return "the server offers no STARTTLS"
	case strings.HasSuffix(text, "does not support SMTP AUTH"), errors.Is(err, mail.ErrPlainAuthNotSupported),
		errors.Is(err, mail.ErrLoginAuthNotSupported), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return "the server offers no sign-in that could be used"
	default:
		return "not understood"
	}
}
