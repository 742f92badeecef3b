package demo_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/demo"
)

// withMail is a demo that has these mails.
func withMail(t *testing.T, outbox func() []demo.Mail) string {
	t.Helper()
	mux := routes{http.NewServeMux()}
	d, err := demo.New(demo.Config{
		Issuer: "https://op.example", ClientID: "demo", RedirectURI: "https://app.example" + demo.CallbackPath,
		Client: http.DefaultClient, Log: slog.New(slog.DiscardHandler), Now: time.Now, Outbox: outbox != nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Register(mux)
	if outbox != nil {
		demo.NewOutbox(outbox, slog.New(slog.DiscardHandler), true).Register(mux)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func mails() []demo.Mail {
	return []demo.Mail{
		{
			To: "ada@b.example", Subject: "Ihr Code <b>", Language: "de", At: time.Unix(1700000000, 0), HTML: "<h1>no</h1>", Template: "verification",
			Text: "<script>\n\n    K7MQ 2XPF\n\nhttps://auth.example/?a=b&code=K7MQ2XPF\n\"https://x.example/\"><i>\njavascript:alert(1)\n",
		},
		{To: "bob@b.example", Subject: "older", Language: "en", At: time.Unix(1600000000, 0), Text: "text"},
	}
}

func TestOutboxShowsMailAsText(t *testing.T) {
	at := withMail(t, mails)
	b := newBrowser(t)
	p := b.get(at + demo.OutboxPath)
	p.holds(
		t, `<h2 lang="de">Ihr Code &lt;b&gt;</h2>`, `<p class="text" lang="de">`, "ada@b.example", "2023-11-14 22:13:20 UTC", "    K7MQ 2XPF\n",
		`<a href="https://auth.example/?a=b&amp;code=K7MQ2XPF">https://auth.example/?a=b&amp;code=K7MQ2XPF</a>`,
		`&#34;<a href="https://x.example/">https://x.example/</a>&#34;&gt;&lt;i&gt;`, "&lt;script&gt;",
	)
	for _, never := range []string{"<script", "<h1>no", "<i>", `href="javascript`} {
		if strings.Contains(p.body, never) {
			t.Errorf("%q in\n%s", never, p.body)
		}
	}
	if strings.Index(p.body, "ada@") > strings.Index(p.body, "bob@") {
		t.Error("the order was changed")
	}
	if p.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(p.header.Get("Content-Security-Policy"), "default-src 'none'") || p.header.Get("Vary") != "Accept" {
		t.Errorf("headers %v", p.header)
	}
	b.get(at+demo.HomePath).holds(t, `href="/dev/outbox"`)
}

func TestOutboxShowsSMSAndCalls(t *testing.T) {
	at := withMail(t, func() []demo.Mail {
		return []demo.Mail{
			{Channel: "VOICE", To: "+15125551111", Language: "en", At: time.Unix(1700000000, 0), Text: "1, 2, 3"},
			{Channel: "SMS", To: "+15125551112", Language: "en", At: time.Unix(1700000000, 0), Text: "Code 123"},
			{Channel: "EMAIL", To: "a@b.example", Subject: "Hello", Language: "en", At: time.Unix(1700000000, 0), Text: "text"},
		}
	})
	b := newBrowser(t)
	b.get(at+demo.OutboxPath).holds(t, "<h2>Call</h2>", "1, 2, 3", "<h2>SMS</h2>", `SMS to <span class="to">+15125551112</span>`, `<h2 lang="en">Hello</h2>`)
	if p := b.do(http.MethodGet, at+demo.OutboxPath, http.Header{"Accept": {"application/json"}}); !strings.Contains(p.body, `"channel":"VOICE"`) {
		t.Error(p.body)
	}
}

func TestOutboxIsJSONForThoseWhoAskForIt(t *testing.T) {
	at := withMail(t, mails)
	for accept, want := range map[string]bool{
		"application/json": true, "application/json, text/plain": true, "application/json;q=0.9,text/html": true,
		"": false, "*/*": false, "text/html,application/xhtml+xml,*/*;q=0.8": false, "text/html, application/json;q=0.5": false,
	} {
		p := newBrowser(t).do(http.MethodGet, at+demo.OutboxPath, http.Header{"Accept": {accept}})
		if got := p.header.Get("Content-Type") == "application/json"; got != want || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %v", accept, p.header)
			continue
		}
		if !want {
			continue
		}
		var got []demo.Mail
		if err := json.Unmarshal([]byte(p.body), &got); err != nil || !slices.EqualFunc(got, mails(), func(a, b demo.Mail) bool {
			return a.At.Equal(b.At) && a.Text == b.Text && a.To == b.To && a.Subject == b.Subject && a.HTML == b.HTML && a.Template == b.Template && a.Language == b.Language
		}) {
			t.Errorf("%q: %v, %s", accept, err, p.body)
		}
	}
}

func TestEmptyOutboxSaysSo(t *testing.T) {
	at := withMail(t, func() []demo.Mail { return nil })
	newBrowser(t).get(at+demo.OutboxPath).holds(t, "There is no message yet")
	if p := newBrowser(t).do(http.MethodGet, at+demo.OutboxPath, http.Header{"Accept": {"application/json"}}); p.body != "[]" {
		t.Errorf("%q", p.body)
	}
}

func TestOutboxIsThereOnlyWhenMailIsKept(t *testing.T) {
	at := withMail(t, nil)
	b := newBrowser(t)
	if p := b.get(at + demo.OutboxPath); p.status != http.StatusNotFound {
		t.Errorf("status %d", p.status)
	}
	if p := b.get(at + demo.HomePath); strings.Contains(p.body, "outbox") {
		t.Errorf("it is linked:\n%s", p.body)
	}
}
