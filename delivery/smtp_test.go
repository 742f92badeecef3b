package delivery_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorward/delivery"
	"doorward/internal/mailtest"
)

const password = "s3cr%t/pa:ss" // what a URL must escape

func letter() delivery.Mail {
	return delivery.Mail{
		To: address, From: "Acme Travel", Subject: "Your code", Text: "Grüße\n.\n" + strings.Repeat("long ", 300) + "\n",
		HTML: "<p>Grüße</p>", Language: "de", MessageID: "0d5a7f1e-1111-4000-8000-000000000001", At: time.Unix(1800000000, 0),
	}
}

// send goes over a relay made for it.
func send(t *testing.T, url, from string, roots *x509.CertPool, m delivery.Mail) error {
	t.Helper()
	r, err := delivery.SMTP(url, from, (&net.Dialer{}).DialContext, roots)
	if err != nil {
		t.Fatal(err)
	}
	return r.Send(t.Context(), m)
}

func TestURLSaysHowTheServerIsReached(t *testing.T) {
	for url, want := range map[string]string{
		"smtp://mail.example":                                  "smtp://mail.example:587?tls=mandatory",
		"smtp://mail.example/":                                 "smtp://mail.example:587?tls=mandatory",
		"smtp://mail.example:25?tls=opportunistic":             "smtp://mail.example:25?tls=opportunistic",
		"smtp://mail.example:25?tls=none":                      "smtp://mail.example:25?tls=none",
		"smtp://u:s3cret@mail.example:2525":                    "smtp://mail.example:2525?tls=mandatory",
		"smtp://u%40x:s3cret%2F@mail.example?auth=login":       "smtp://mail.example:587?tls=mandatory",
		"smtps://mail.example":                                 "smtps://mail.example:465",
		"smtps://u:s3cret@mail.example:4650?auth=plain":        "smtps://mail.example:4650",
		"smtp://localhost:1025":                                "smtp://localhost:1025?tls=opportunistic",
		"smtp://u:s3cret@127.0.0.1:1025?tls=none":              "smtp://127.0.0.1:1025?tls=none",
		"smtp://u:s3cret@[::1]:1025":                           "smtp://[::1]:1025?tls=opportunistic",
		"smtp://[2001:db8::1]":                                 "smtp://[2001:db8::1]:587?tls=mandatory",
		"smtp://u:s3cret@mail.example?auth=auto&tls=mandatory": "smtp://mail.example:587?tls=mandatory",
	} {
		r, err := delivery.SMTP(url, "a@b.example", (&net.Dialer{}).DialContext, nil)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%s became %s", url, r)
		}
	}
}

func TestURLThatCannotBeMeantIsRefusedWithoutQuotingIt(t *testing.T) {
	for name, url := range map[string]string{
		"nothing":                     "",
		"no scheme":                   "mail.example:587",
		"another scheme":              "http://u:s3cret@mail.example",
		"no host":                     "smtp://u:s3cret@",
		"a host of spaces":            "smtp://u:s3cret@mail%20example",
		"no host before the port":     "smtp://u:s3cret@:25",
		"a path":                      "smtp://u:s3cret@mail.example/queue",
		"a fragment":                  "smtp://u:s3cret@mail.example#x",
		"a password that is cut off":  "smtp://u:s3cret#x@mail.example",
		"a password with a slash":     "smtp://u:s3cret/x@mail.example",
		"a password with a percent":   "smtp://u:s3cret%zz@mail.example",
		"port 0":                      "smtp://mail.example:0",
		"a port too high":             "smtp://mail.example:65536",
		"a port of letters":           "smtp://u:s3cret@mail.example:smtp",
		"an unknown parameter":        "smtp://u:s3cret@mail.example?verify=no",
		"a secret parameter":          "smtp://mail.example?s3cret=s3cret",
		"tls twice":                   "smtp://u:s3cret@mail.example?tls=mandatory&tls=none",
		"tls of another kind":         "smtp://u:s3cret@mail.example?tls=s3cret",
		"tls of smtps":                "smtps://u:s3cret@mail.example?tls=none",
		"auth of another kind":        "smtp://u:s3cret@mail.example?auth=ntlm",
		"auth without a user":         "smtp://mail.example?auth=plain",
		"a user without a password":   "smtp://user@mail.example",
		"a password without a user":   "smtp://:s3cret@mail.example",
		"a line end in the password":  "smtp://u:s3cret%0d%0aRSET@mail.example",
		"a zero in the user":          "smtp://u%00:s3cret@mail.example",
		"a password in clear":         "smtp://u:s3cret@mail.example?tls=none",
		"a password perhaps in clear": "smtp://u:s3cret@mail.example?tls=opportunistic",
		"a query that is none":        "smtp://u:s3cret@mail.example?%zz",
	} {
		_, err := delivery.SMTP(url, "a@b.example", (&net.Dialer{}).DialContext, nil)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSenderIsAnAddress(t *testing.T) {
	for _, from := range []string{
		"", "Acme", "Acme <>", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "\"a b\"@x.example",
		"Ac\x00me <a@b.example>", "a@[127.0.0.1]", "a@b..example", "=?utf-8?q?Acme=0D=0ABcc:_c@d.example?= <a@b.example>",
	} {
		if _, err := delivery.SMTP("smtp://mail.example", from, (&net.Dialer{}).DialContext, nil); err == nil {
			t.Errorf("%q: accepted", from)
		}
	}
	if _, err := delivery.SMTP("smtp://mail.example", "a@b.example", nil, nil); err == nil {
		t.Error("accepted without a way to dial")
	}
}

func TestMailHasWhatReceiversLookAt(t *testing.T) {
	sink := mailtest.Start(t)
	for from, want := range map[string]string{
		"no-reply@acme.example":                  `"Acme Travel" <no-reply@acme.example>`,
		"Doorwärts GmbH <no-reply@acme.example>": `Doorwärts GmbH <no-reply@acme.example>`,
		"no-reply@bücher.example":                `"Acme Travel" <no-reply@xn--bcher-kva.example>`,
	} {
		if err := send(t, sink.URL(), from, nil, letter()); err != nil {
			t.Fatal(err)
		}
		got := sink.Wait(t, address)
		if got.From != want || got.Subject != "Your code" || got.Text != letter().Text || got.HTML != letter().HTML {
			t.Errorf("%+v", got)
		}
		_, domain, _ := strings.Cut(strings.TrimSuffix(want, ">"), "@")
		for header, value := range map[string]string{
			"Message-ID": "<0d5a7f1e-1111-4000-8000-000000000001@" + domain + ">", "Auto-Submitted": "auto-generated",
			"Content-Language": "de", "Date": time.Unix(1800000000, 0).Format(time.RFC1123Z), "To": "<" + address + ">",
			"X-Mailer": "", "User-Agent": "",
		} {
			if got.Header.Get(header) != value {
				t.Errorf("%s: %q, want %q", header, got.Header.Get(header), value)
			}
		}
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "multipart/alternative") || strings.Index(string(got.Raw), "text/plain") > strings.Index(string(got.Raw), "text/html") {
			t.Errorf("not text first, then HTML:\n%s", got.Raw)
		}
	}
}

func TestNothingTypedBecomesAHeader(t *testing.T) {
	const evil = "x\r\nBcc: mallory@evil.example\r\n\r\nSubject: evil\u0085\u2028\x00"
	sink := mailtest.Start(t)
	m := letter()
	m.Subject, m.From, m.Language = evil, evil, evil
	if err := send(t, sink.URL(), "a@b.example", nil, m); err != nil {
		t.Fatal(err)
	}
	got := sink.Wait(t, address)
	if len(got.Header["Bcc"]) != 0 || len(got.Header["Subject"]) != 1 || got.Subject != "x Bcc: mallory@evil.example Subject: evil" || got.Text != m.Text {
		t.Errorf("header %v", got.Header)
	}
	for name, to := range map[string]string{
		"line ends":             "a@b.example\r\nBcc: mallory@evil.example",
		"another command":       "a@b.example>\r\nRCPT TO:<mallory@evil.example",
		"two addresses":         "a@b.example, mallory@evil.example",
		"a name":                "Ada <a@b.example>",
		"a quoted local part":   `"a b"@b.example`,
		"a quoted bracket":      `"mallory@evil.example> x"@b.example`,
		"a comment":             "a(x)@b.example",
		"a route":               "@evil.example:a@b.example",
		"a percent in a domain": "a@b%0d.example",
		"no domain":             "a@",
		"no local part":         "@b.example",
		"a space of its own":    "a\u2028b@b.example",
		"bytes that are none":   "a\xff@b.example",
		"nothing at all":        "",
		"one that is too long":  strings.Repeat("a", 250) + "@b.example",
	} {
		m := letter()
		m.To = to
		var f *delivery.Failure
		if err := send(t, sink.URL(), "a@b.example", nil, m); !errors.As(err, &f) || !f.Final || f.Reason != delivery.Unaddressed {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "b.example") {
			t.Errorf("%s: the error quotes it: %v", name, err)
		}
	}
	m = letter()
	m.MessageID = "x>\r\nBcc: mallory@evil.example"
	if send(t, sink.URL(), "a@b.example", nil, m) == nil {
		t.Error("an id with a line end was taken")
	}
	if n := len(sink.All()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestAddressesOfTheWorldArrive(t *testing.T) {
	sink := mailtest.Start(t)
	for to, want := range map[string]string{
		"ada+tag@b.example":  "ada+tag@b.example",
		"o'neill@b.example":  "o'neill@b.example",
		"ada@Bücher.example": "ada@xn--bcher-kva.example",
		"jörg@b.example":     "jörg@b.example",
	} {
		m := letter()
		m.To = to
		if err := send(t, sink.URL(), "a@b.example", nil, m); err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		sink.Wait(t, want)
	}
}

func TestTLS(t *testing.T) {
	plain, starttls, implicit := mailtest.Start(t), mailtest.Start(t, mailtest.STARTTLS()), mailtest.Start(t, mailtest.Implicit())
	mandatory := func(s *mailtest.Server) string {
		return strings.TrimSuffix(s.URL(), "?tls=mandatory") + "?tls=mandatory"
	}
	bare := func(s *mailtest.Server) string { return strings.TrimSuffix(s.URL(), "?tls=mandatory") }
	for name, row := range map[string]struct {
		url   string
		roots *x509.CertPool
		cause string // of the failure; empty: sent
	}{
		"STARTTLS that is trusted":               {mandatory(starttls), starttls.Roots(), ""},
		"STARTTLS that is not":                   {mandatory(starttls), nil, "certificate"},
		"STARTTLS that is missing":               {mandatory(plain), nil, "offers no STARTTLS"},
		"STARTTLS that is used when offered":     {bare(starttls), starttls.Roots(), ""},
		"STARTTLS offered with a bad name":       {bare(starttls), nil, "certificate"},
		"STARTTLS that is not wanted":            {bare(starttls) + "?tls=none", nil, ""},
		"nothing offered and nothing demanded":   {bare(plain), nil, ""},
		"TLS from the first byte":                {implicit.URL(), implicit.Roots(), ""},
		"TLS from the first byte, not trusted":   {implicit.URL(), nil, "certificate"},
		"TLS from the first byte, and it is not": {strings.Replace(plain.URL(), "smtp:", "smtps:", 1), nil, "tls: "},
	} {
		t.Run(name, func(t *testing.T) {
			err := send(t, row.url, "a@b.example", row.roots, letter())
			var f *delivery.Failure
			switch {
			case row.cause == "" && err != nil, row.cause != "" && !errors.As(err, &f):
				t.Fatal(err)
			case row.cause == "":
			case f.Final || f.Reason != delivery.Unreachable || !strings.Contains(f.Cause, row.cause):
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestSignIn(t *testing.T) {
	for name, row := range map[string]struct {
		password, query string
		ok              bool
	}{
		"whatever is offered": {password, "", true},
		"PLAIN":               {password, "&auth=plain", true},
		"LOGIN":               {password, "&auth=login", true},
		"a wrong password":    {"wr0ng", "", false},
		"wrong by LOGIN":      {"wr0ng", "&auth=login", false},
	} {
		t.Run(name, func(t *testing.T) {
			sink := mailtest.Start(t, mailtest.STARTTLS(), mailtest.Login("us3r", password))
			url := strings.Replace(sink.URL(), escaped(password), escaped(row.password), 1) + row.query
			err := send(t, url, "a@b.example", sink.Roots(), letter())
			var f *delivery.Failure
			switch {
			case row.ok && err != nil, !row.ok && !errors.As(err, &f):
				t.Fatal(err)
			case row.ok:
			case f.Final || f.Reason != delivery.Unreachable || !strings.Contains(f.Cause, "535"):
				t.Errorf("%+v", f)
			case strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "us3r"):
				t.Errorf("the error holds the credentials: %v", err)
			}
		})
	}
	t.Run("over plain text on this machine", func(t *testing.T) {
		sink := mailtest.Start(t, mailtest.Login("us3r", password))
		if err := send(t, sink.URL(), "a@b.example", nil, letter()); err != nil {
			t.Error(err)
		}
	})
	t.Run("of a server that wants none", func(t *testing.T) {
		sink := mailtest.Start(t)
		url := strings.Replace(sink.URL(), "smtp://", "smtp://us3r:pw@", 1)
		var f *delivery.Failure
		if err := send(t, url, "a@b.example", nil, letter()); !errors.As(err, &f) || f.Final || !strings.Contains(f.Cause, "no sign-in") {
			t.Error(err)
		}
	})
	t.Run("that is missing is no fault of the message", func(t *testing.T) {
		sink := mailtest.Start(t)
		sink.Refuse("MAIL", 530)
		var f *delivery.Failure
		if err := send(t, sink.URL(), "a@b.example", nil, letter()); !errors.As(err, &f) || f.Final || f.Reason != delivery.Unreachable {
			t.Error(err)
		}
	})
}

func escaped(s string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F", ":", "%3A").Replace(s)
}

// counted is a connection that knows whether it was closed.
type counted struct {
	net.Conn
	open *atomic.Int32
	once atomic.Bool
}

func (c *counted) Close() error {
	if c.once.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

func TestNoConnectionIsLeftBehind(t *testing.T) {
	var open atomic.Int32
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &counted{Conn: conn, open: &open}, nil
	}
	fine, hangs, refuses, secured := mailtest.Start(t), mailtest.Start(t), mailtest.Start(t), mailtest.Start(t, mailtest.STARTTLS())
	hangs.Hang(true)
	refuses.Refuse("RCPT", 550)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	for name, url := range map[string]string{
		"a server that takes it": fine.URL(), "one that hangs": hangs.URL(), "one that refuses": refuses.URL(),
		"one that is not trusted": secured.URL(), "one without TLS": fine.URL() + "?tls=mandatory", "one that is gone": "smtp://" + dead.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := delivery.SMTP(url, "a@b.example", dial, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err = r.Send(ctx, letter())
			var f *delivery.Failure
			if name != "a server that takes it" && !errors.As(err, &f) {
				t.Errorf("sent, or an error that says nothing: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), address) {
				t.Errorf("the error holds the address: %v", err)
			}
			if n := open.Load(); n != 0 {
				t.Errorf("%d connections stay open", n)
			}
		})
	}
}
