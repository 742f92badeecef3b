package delivery

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// server is what an SMTP URL says.
type server struct {
	host     string
	port     int
	implicit bool // TLS from the first byte
	policy   mail.TLSPolicy
	user     string
	password string
	auth     string // plain, login, or auto: what the server offers
}

// parseServer reads smtp://user:password@host:587?tls=mandatory&auth=auto and
// smtps://user:password@host:465. Its errors never quote the URL, which holds a
// password. Source of the ports: RFC 6409 3.1, RFC 8314 3.3.
func parseServer(raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return server{}, errors.New("not a URL; in a user name and a password, write what is neither a letter nor a digit as %XX")
	}
	s := server{host: u.Hostname(), auth: "auto"}
	port := "587"
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.implicit, port = true, "465"
	default:
		return server{}, errors.New("the scheme must be smtp or smtps")
	}
	if s.host == "" || strings.ContainsFunc(s.host, unprintable) || u.Opaque != "" {
		return server{}, errors.New("a host is needed")
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return server{}, errors.New("nothing may follow the host but tls and auth")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
		return server{}, errors.New("the port must be between 1 and 65535")
	}
	if err := s.options(u.RawQuery); err != nil {
		return server{}, err
	}
	return s, s.login(u.User)
}

func (s *server) options(raw string) error {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the part after ? cannot be read")
	}
	s.policy = mail.TLSMandatory
	if s.loopback() {
		s.policy = mail.TLSOpportunistic
	}
	for name, values := range q {
		value := values[0]
		switch {
		case len(values) > 1:
			return fmt.Errorf("%q is given twice", name)
		case name == "auth" && (value == "plain" || value == "login" || value == "auto"):
			s.auth = value
		case name == "tls" && s.implicit:
			return errors.New("smtps always has TLS; tls is for smtp")
		case name == "tls" && value == "mandatory":
			s.policy = mail.TLSMandatory
		case name == "tls" && value == "opportunistic":
			s.policy = mail.TLSOpportunistic
		case name == "tls" && value == "none":
			s.policy = mail.NoTLS
		case name == "tls":
			return errors.New("tls must be mandatory, opportunistic or none")
		case name == "auth":
			return errors.New("auth must be plain, login or auto")
		default:
			return errors.New("only tls and auth may be given")
		}
	}
	return nil
}

// login keeps a password from going over a network in clear, also when somebody
// on it hides that the server offers TLS.
func (s *server) login(u *url.Userinfo) error {
	if u == nil {
		if s.auth != "auto" {
			return errors.New("auth needs a user name and a password")
		}
		return nil
	}
	s.user = u.Username()
	s.password, _ = u.Password()
	switch {
	case s.user == "" || s.password == "":
		return errors.New("a user name needs a password, and a password a user name")
	case strings.ContainsFunc(s.user+s.password, unprintable):
		return errors.New("user name and password may not hold control characters")
	case !s.implicit && s.policy != mail.TLSMandatory && !s.loopback():
		return errors.New("a password needs tls=mandatory, unless the server is on this machine")
	}
	return nil
}

func (s *server) loopback() bool {
	ip := net.ParseIP(s.host)
	return s.host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// String has no user name and no password.
func (s *server) String() string {
	if s.implicit {
		return "smtps://" + s.address()
	}
	policy := map[mail.TLSPolicy]string{mail.TLSMandatory: "mandatory", mail.TLSOpportunistic: "opportunistic", mail.NoTLS: "none"}
	return "smtp://" + s.address() + "?tls=" + policy[s.policy]
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f }
