package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// patience is how long a mail may take to arrive.
const patience = 15 * time.Second

// Server is the SMTP server.
type Server struct {
	addr           string
	user, password string // empty: nobody signs in
	implicit       bool   // TLS from the first byte
	certificate    *tls.Config
	roots          *x509.CertPool
	ended          chan struct{}

	mu      sync.Mutex
	news    chan struct{} // closed when a mail arrives
	mails   []Mail
	taken   []bool // by Wait
	dials   int
	hangs   bool
	held    []net.Conn
	refuses map[string]int
	slow    time.Duration
	loses   bool
}

// Option changes what the server asks of its clients.
type Option func(tb testing.TB, s *Server)

// STARTTLS offers it, with a certificate that only Roots vouches for.
func STARTTLS() Option {
	return func(tb testing.TB, s *Server) {
		tb.Helper()
		s.certificate, s.roots = newCertificate(tb)
	}
}

// Implicit talks TLS from the first byte.
func Implicit() Option {
	return func(tb testing.TB, s *Server) {
		tb.Helper()
		s.certificate, s.roots = newCertificate(tb)
		s.implicit = true
	}
}

// Login takes mail only from who signs in as user, by PLAIN or LOGIN.
func Login(user, password string) Option {
	return func(_ testing.TB, s *Server) { s.user, s.password = user, password }
}

// Start runs a server until the test ends.
func Start(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	s := &Server{ended: make(chan struct{}), news: make(chan struct{}), refuses: map[string]int{}}
	for _, o := range options {
		o(tb, s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.addr = l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain = "mail.test"
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if !s.implicit {
		server.TLSConfig = s.certificate
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(&door{Listener: l, s: s}) // ends by Close
	}()
	tb.Cleanup(func() {
		close(s.ended)
		_ = server.Close()
		_ = l.Close() // which the server does not know yet, when the test is over at once
		<-done
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.held {
			_ = c.Close()
		}
	})
	return s
}

// URL is the address in the form that --smtp takes.
func (s *Server) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.addr}
	if s.user != "" {
		u.User = url.UserPassword(s.user, s.password)
	}
	switch {
	case s.implicit:
		u.Scheme = "smtps"
	case s.certificate != nil:
		u.RawQuery = "tls=mandatory"
	}
	return u.String()
}

// Roots vouch for the server's certificate; nil when it has none.
func (s *Server) Roots() *x509.CertPool { return s.roots }

// Hang makes the server accept connections and never say a word on them. Those
// that it holds stay silent when it answers others again.
func (s *Server) Hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = on
}

// Refuse answers a verb (MAIL, RCPT or DATA, that is what follows the message)
// with code; 0 takes it again.
func (s *Server) Refuse(verb string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses[verb] = code
}

// Slow lets d pass between a message and the answer to it. The message is kept
// only then.
func (s *Server) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Lose makes the server keep a message and hang up instead of saying so.
func (s *Server) Lose(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loses = on
}

// Dials is how many connections there were.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// All is what arrived, oldest first.
func (s *Server) All() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Forget has Wait pass over what has arrived so far.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.taken {
		s.taken[i] = true
	}
}

// Wait returns the oldest mail to an address that no earlier Wait has returned.
func (s *Server) Wait(tb testing.TB, to string) Mail {
	tb.Helper()
	late := time.After(patience)
	for {
		m, ok, news := s.take(to)
		if ok {
			return m
		}
		select {
		case <-news:
		case <-late:
			tb.Fatalf("no mail to %s; %d arrived", to, len(s.All()))
		case <-tb.Context().Done():
			tb.Fatalf("no mail to %s when the test ended", to)
		}
	}
}

func (s *Server) take(to string) (Mail, bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.mails {
		if !s.taken[i] && strings.EqualFold(m.To, to) {
			s.taken[i] = true
			return m, true, nil
		}
	}
	return Mail{}, false, s.news
}

func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	s.taken = append(s.taken, false)
	close(s.news)
	s.news = make(chan struct{})
}

// door holds those connections that are to hear nothing.
type door struct {
	net.Listener
	s *Server
}

func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.s.mu.Lock()
		d.s.dials++
		hangs := d.s.hangs
		if hangs {
			d.s.held = append(d.s.held, c)
		}
		d.s.mu.Unlock()
		switch {
		case hangs:
		case d.s.implicit:
			return tls.Server(c, d.s.certificate), nil
		default:
			return c, nil
		}
	}
}
