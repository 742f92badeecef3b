package delivery_test

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"doorward/delivery"
)

// FuzzServer looks for a URL that panics, whose error or name tells a secret, or
// whose password would go over a network in clear.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{
		"", "smtp://", "smtp://u:hunter22@mail.example:587?tls=mandatory&auth=plain", "smtps://u:hunter22@[::1]:465", "smtp://u:hunter22@h?tls=none",
		"smtp://u:hunter22%zz@h", "smtp://[fe80::1%25eth0]:25", "smtp:u:hunter22@h", "smtp://u:hunter22@h:99999999999999999999", "smtp://u:hunter22@127.0.0.2?tls=none",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := delivery.SMTP(raw, "a@b.example", (&net.Dialer{}).DialContext, nil)
		if err != nil {
			if strings.Contains(err.Error(), "hunter22") {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q was taken: %v", raw, err)
		}
		if strings.Contains(r.String(), "@") || strings.ContainsAny(r.String(), "\r\n ") {
			t.Errorf("%q is named %q", raw, r)
		}
		ip := net.ParseIP(u.Hostname())
		near := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
		secured := strings.HasPrefix(r.String(), "smtps://") || strings.HasSuffix(r.String(), "tls=mandatory")
		if _, has := u.User.Password(); has && !near && !secured {
			t.Errorf("%q sends a password in clear", raw)
		}
	})
}

// FuzzRender looks for stored text that becomes markup, a header or another mail.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{"Ada", "<script>", "\"'><img src=x>", "a\r\nb", "{{.}}", "\x00\xff", "\u202e", strings.Repeat("<", 100)} {
		f.Add("recovery", "de", seed, seed, seed, "K7MQ2XPF")
		f.Add("password.changed", seed, seed, seed, seed, seed)
		f.Add("device.added", "es", seed, seed, seed, seed)
		f.Add("account.linked", "en", seed, seed, seed, "")
	}
	templates, err := delivery.NewTemplates()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, locales, given, username, environment, code string) {
		m := message("m1")
		m.Template, m.Locales, m.Params = name, locales, map[string]string{"code": code, "given": given, "username": username, "provider": given}
		got, err := templates.Render(m, delivery.Place{Name: environment, SignOnURL: "https://auth.example/?flowId=f"}, time.Now())
		if err != nil {
			return
		}
		if strings.ContainsAny(got.Subject+got.From, "\r\n\x00") || got.Subject == "" || !utf8.ValidString(got.Subject+got.From+got.Text+got.HTML) {
			t.Errorf("subject %q from %q", got.Subject, got.From)
		}
		if strings.Contains(got.Text, "\r") || strings.Contains(got.Text, "\n\n\n") {
			t.Errorf("text %q", got.Text)
		}
		for _, element := range elementsOf(got.HTML) {
			if !slices.Contains([]string{"html", "head", "meta", "title", "body", "div", "h1", "p", "span", "a"}, element) {
				t.Errorf("a %s in\n%s", element, got.HTML)
			}
		}
	})
}

// elementsOf are the names of the elements, in order.
func elementsOf(page string) (out []string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			out = append(out, string(name))
		default: // text, and the ends of elements
		}
	}
}
