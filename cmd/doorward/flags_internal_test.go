package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// processAsItIs is an environment in which serve does not tune the process, which
// other tests share.
func processAsItIs(name string) string {
	if name == "GOMAXPROCS" || name == "GOGC" {
		return "as it is"
	}
	return ""
}

// What cannot work is refused before anything is served, in words that name the
// flag and say what to give.
func TestWhatServeRefuses(t *testing.T) {
	t.Parallel()
	ring := filepath.Join(t.TempDir(), "keys.json")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"keys", "new", ring}, os.Getenv, strings.NewReader(""), &out, &out); err != nil {
		t.Fatal(err)
	}
	abroad := []string{"--listen", "127.0.0.1:0", "--base-url", "https://signon.example.com", "--allow-demo-secrets"}
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"an address without port":           {[]string{"--listen", "localhost"}, "--listen"},
		"a network without a base URL":      {[]string{"--listen", "0.0.0.0:8080"}, "--base-url is needed"},
		"plain http to others":              {[]string{"--base-url", "http://signon.example.com"}, "http is for loopback alone"},
		"a base URL with a path":            {[]string{"--base-url", "https://signon.example.com/x"}, "give scheme and host alone"},
		"another log format":                {[]string{"--log-format", "xml"}, "give text or json"},
		"Redis without a key ring":          {[]string{"--redis", "redis://127.0.0.1:1"}, "--keys is needed"},
		"PostgreSQL without a key ring":     {[]string{"--database", "postgres://u:canary@127.0.0.1:1/d"}, "--keys is needed"},
		"another database":                  {[]string{"--database", "mysql://u:canary@127.0.0.1/d"}, "give the path of a SQLite file or the URL of a PostgreSQL database"},
		"the demo's secrets to others":      {abroad[:4], "whose secrets are published"},
		"recovery without mail":             {abroad, "--smtp is needed: a sign-on policy lets people register or recover"},
		"a mail server without a sender":    {[]string{"--smtp", "smtp://u:canary@mail.example.com"}, "--smtp and --mail-from go together"},
		"a sender without a mail server":    {[]string{"--mail-from", "a@example.com"}, "--smtp and --mail-from go together"},
		"mail by another protocol":          {[]string{"--smtp", "http://u:canary@mail.example.com", "--mail-from", "a@example.com"}, "--smtp, --mail-from"},
		"a mail password in the clear":      {[]string{"--smtp", "smtp://u:canary@mail.example.com?tls=none", "--mail-from", "a@example.com"}, "--smtp, --mail-from"},
		"a sender that is no address":       {[]string{"--smtp", "smtps://mail.example.com", "--mail-from", "Acme"}, "sender: want an address"},
		"a proxy that is no network":        {[]string{"--trusted-proxies", "everybody"}, "--trusted-proxies"},
		"a configuration that is not there": {[]string{"--config", filepath.Join(t.TempDir(), "none")}, "none: there is no such directory"},
		"a rate below none":                 {[]string{"--rate-address", "-1"}, "take no negative number"},
		"events kept for less than no time": {[]string{"--audit-keep", "-5h"}, "take no negative number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			var out bytes.Buffer
			args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, tt.args...)
			if strings.Contains(tt.says, "--keys is needed") {
				args = append(args[:1], args[3:]...)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // what is not refused serves
			defer cancel()
			err := run(ctx, args, processAsItIs, strings.NewReader(""), &out, &out)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("refused with %v", err)
			}
			if strings.Contains(tt.says, "published") && strings.Contains(out.String(), "add environment") {
				t.Errorf("it is refused, and is in the database: %s", &out)
			}
			if err != nil && strings.Contains(err.Error()+out.String(), "canary") {
				t.Errorf("it repeats the password: %v", err)
			}
		})
	}
}
