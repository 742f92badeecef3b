package mailtest

import (
	"errors"
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one connection.
type session struct {
	s        *Server
	conn     *smtp.Conn
	signedIn bool
	to       string
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{s: s, conn: c, signedIn: s.user == ""}, nil
}

func (c *session) AuthMechanisms() []string {
	if c.s.user == "" {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

func (c *session) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == sasl.Login {
		return &login{check: c.check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return c.check(user, password) }), nil
}

// check answers, as careless servers do, with what it was sent.
func (c *session) check(user, password string) error {
	if user != c.s.user || password != c.s.password {
		return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "not " + user + " with " + password}
	}
	c.signedIn = true
	return nil
}

// login is the server's side of LOGIN, which the library has for clients only.
type login struct {
	check func(user, password string) error
	step  int
	user  string
}

func (l *login) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	case 3:
		return nil, true, l.check(l.user, string(response))
	default:
		return nil, false, sasl.ErrUnexpectedClientResponse
	}
}

func (c *session) Mail(string, *smtp.MailOptions) error {
	if !c.signedIn {
		return smtp.ErrAuthRequired
	}
	return c.refused("MAIL", "")
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = to
	return c.refused("RCPT", to)
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := c.refused("DATA", c.to); err != nil {
		return err
	}
	m, err := parse(c.to, raw)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	slow, loses := c.s.slow, c.s.loses
	c.s.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-c.s.ended:
		return errors.New("the test has ended")
	}
	c.s.keep(m)
	if loses {
		return c.conn.Conn().Close()
	}
	return nil
}

func (c *session) refused(verb, what string) error {
	c.s.mu.Lock()
	code := c.s.refuses[verb]
	c.s.mu.Unlock()
	if code == 0 {
		return nil
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "refused " + what}
}

func (c *session) Reset() {}

func (c *session) Logout() error { return nil }
