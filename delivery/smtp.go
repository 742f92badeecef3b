package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

const (
	patience = 10 * time.Second // with the server: to connect, to greet and sign in, to take the mail
	farewell = time.Second      // for its answer to QUIT
)

// Dial connects, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Relay hands mail to an SMTP server, each over a connection of its own.
// Source: RFC 5321, RFC 3207, RFC 4954.
type Relay struct {
	server server
	from   netmail.Address
	domain string // of from
	dial   Dial
	roots  *x509.CertPool
}

// SMTP reads where mail goes, smtp://user:password@host:587?tls=mandatory&auth=auto
// or smtps://user:password@host:465, and from whom it comes: an address, or a name
// and an address. Without tls it is mandatory, and opportunistic for a server on
// this machine. Roots vouch for the server's certificate; nil: those of the system.
// It connects to nobody. No error holds the URL.
func SMTP(address, from string, dial Dial, roots *x509.CertPool) (*Relay, error) {
	s, err := parseServer(address)
	if err != nil {
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	sender, err := netmail.ParseAddress(from)
	if err != nil || strings.ContainsFunc(sender.Name, unprintable) {
		return nil, errors.New("sender: want an address, as in Acme <no-reply@acme.example>")
	}
	plain, domain, err := addressOf(sender.Address)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if dial == nil {
		return nil, errors.New("SMTP server: nothing to dial with")
	}
	return &Relay{server: s, from: netmail.Address{Name: sender.Name, Address: plain}, domain: domain, dial: dial, roots: roots}, nil
}

// String names the server, without credentials.
func (r *Relay) String() string { return r.server.String() }

// Send hands a mail over. To connect, to greet and sign in, and to take the mail,
// the server has 10 s each.
func (r *Relay) Send(ctx context.Context, m Mail) error {
	composed, err := r.compose(m)
	if err != nil {
		return &Failure{Reason: Unaddressed, Final: true, Cause: err.Error()}
	}
	line := &line{relay: r}
	defer line.close()
	client, err := mail.NewClient(r.server.host, r.options(line)...)
	if err != nil {
		return &Failure{Reason: Unreachable, Cause: "this host has no name"}
	}
	stop := context.AfterFunc(ctx, line.close) // the library knows of ctx only while it dials
	defer stop()
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &Failure{Reason: Unreachable, Cause: cause(ctx, err)}
	}
	err = client.SendWithSMTPClient(session, composed)
	if err != nil && !composed.IsDelivered() {
		return verdict(ctx, err)
	}
	bye := time.AfterFunc(farewell, line.close)
	defer bye.Stop()
	_ = client.CloseWithSMTPClient(session) // the mail is theirs, whatever they say now
	return nil
}

// options are of one connection: the library writes to a client while it sends.
func (r *Relay) options(l *line) []mail.Option {
	s := r.server
	options := []mail.Option{
		mail.WithPort(s.port), mail.WithTimeout(patience), mail.WithTLSConfig(r.tls()), mail.WithTLSPolicy(s.policy),
		mail.WithDialContextFunc(l.dial), mail.WithoutNoop(), mail.WithoutRset(),
	}
	if s.implicit {
		options = append(options, mail.WithSSL())
	}
	if s.user == "" {
		return options
	}
	plain, login := mail.SMTPAuthPlain, mail.SMTPAuthLogin
	if s.loopback() {
		plain, login = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
	}
	options = append(options, mail.WithUsername(s.user), mail.WithPassword(s.password))
	switch s.auth {
	case "plain":
		return append(options, mail.WithSMTPAuth(plain))
	case "login":
		return append(options, mail.WithSMTPAuth(login))
	default:
		return append(options, mail.WithOpportunisticSMTPAuth(plain, login))
	}
}

func (r *Relay) tls() *tls.Config {
	return &tls.Config{ServerName: r.server.host, RootCAs: r.roots, MinVersion: tls.VersionTLS12}
}

// compose writes the message. Source: RFC 5322; RFC 3834 5 for Auto-Submitted.
func (r *Relay) compose(m Mail) (*mail.Msg, error) {
	to, _, err := addressOf(m.To)
	if err != nil {
		return nil, err
	}
	from := r.from
	if from.Name == "" {
		from.Name = oneLine(m.From)
	}
	if m.MessageID == "" || strings.ContainsFunc(m.MessageID, func(c rune) bool { return !atom(c) }) {
		return nil, errors.New("the message's id cannot be in a header")
	}
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	out.FromMailAddress(&from)
	out.ToMailAddress(&netmail.Address{Address: to})
	out.Subject(oneLine(m.Subject))
	out.SetMessageIDWithValue(m.MessageID + "@" + r.domain)
	out.SetDateWithValue(m.At)
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetGenHeader("Content-Language", oneLine(m.Language))
	out.SetBodyString(mail.TypeTextPlain, m.Text)
	out.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return out, nil
}

// addressOf takes a plain address, local@domain: no name, no quotes, no comment.
// It returns the address with its domain in ASCII, and that domain.
func addressOf(s string) (address, domain string, err error) {
	at := strings.LastIndexByte(s, '@')
	bad := func(c rune) bool {
		return c != '.' && !atom(c) && (c < 0x80 || unicode.IsSpace(c) || !unicode.IsGraphic(c))
	}
	if at < 1 || len(s) > 254 || !utf8.ValidString(s) || strings.ContainsFunc(s[:at], bad) {
		return "", "", errors.New("not an address")
	}
	if domain, err = idna.Lookup.ToASCII(s[at+1:]); err != nil || domain == "" {
		return "", "", errors.New("not an address: its domain")
	}
	address = s[:at+1] + domain
	if parsed, err := netmail.ParseAddress(address); err != nil || parsed.Address != address {
		return "", "", errors.New("not an address")
	}
	return address, domain, nil
}

// atom says whether c may stand in a name without quotes. Source: RFC 5322 3.2.3.
func atom(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c)
}

// oneLine makes spaces of what would end a line, or is no text at all.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(c rune) bool {
		return c == ' ' || unprintable(c) || c >= 0x80 && c < 0xa0 || c == '\u2028' || c == '\u2029'
	}), " ")
}
