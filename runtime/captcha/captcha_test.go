package captcha_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"doorward/runtime/captcha"
	"doorward/runtime/form"
)

func settings(s captcha.Settings) func(string) (captcha.Settings, bool) {
	return func(env string) (captcha.Settings, bool) { return s, env == "here" }
}

// solve does the work.
func solve(t *testing.T, c *captcha.Captcha, data string) string {
	t.Helper()
	for n := range 1 << (captcha.Bits + 6) {
		token := data + "." + strconv.Itoa(n)
		if ok, err := c.Check(t.Context(), "here", token, netip.Addr{}); err != nil {
			t.Fatal(err)
		} else if ok {
			return token
		}
	}
	t.Fatal("no number solves it")
	return ""
}

func TestAProofOfWorkTakesWork(t *testing.T) {
	c := captcha.New(settings(captcha.Settings{}), nil, rand.Reader)
	one, err := c.Challenge(t.Context(), "here")
	if err != nil || one.Provider != form.ProofOfWork || one.Bits != captcha.Bits {
		t.Fatalf("%+v, %v", one, err)
	}
	other, _ := c.Challenge(t.Context(), "here")
	if one.Data == other.Data {
		t.Error("two challenges are one")
	}
	token := solve(t, c, one.Data)
	_, n, _ := strings.Cut(token, ".")
	for name, wrong := range map[string]string{
		"none": "", "the data alone": one.Data, "no number": one.Data + ".", "of another": other.Data + "." + n, "without data": "." + n,
		"more than a number": token + "x", "a sign": one.Data + ".+" + n, "endless": token + strings.Repeat("0", 5000),
	} {
		if ok, err := c.Check(t.Context(), "here", wrong, netip.Addr{}); ok || err != nil {
			t.Errorf("%s: taken %t, error %v", name, ok, err)
		}
	}
}

func TestAnUnknownEnvironmentIsRefused(t *testing.T) {
	c := captcha.New(settings(captcha.Settings{}), nil, rand.Reader)
	if _, err := c.Challenge(t.Context(), "elsewhere"); err == nil {
		t.Error("there is a challenge")
	}
	if ok, err := c.Check(t.Context(), "elsewhere", "a.1", netip.Addr{}); ok || err == nil {
		t.Errorf("taken %t, error %v", ok, err)
	}
}

// answers is Google, as far as it can be had without it.
type answers func(q url.Values) (int, string)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	q, err := url.ParseQuery(string(b))
	if err != nil || r.URL.String() != "https://www.google.com/recaptcha/api/siteverify" || r.Method != http.MethodPost {
		return nil, context.Canceled
	}
	status, body := f(q)
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestGoogleIsAskedAndAnythingButAYesIsANo(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		ok     bool
		err    bool
	}{
		"a yes":             {200, `{"success":true,"hostname":"x"}`, true, false},
		"a no":              {200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, false, false},
		"our key is wrong":  {200, `{"success":false,"error-codes":["invalid-input-secret"]}`, false, true},
		"a yes that failed": {500, `{"success":true}`, false, true},
		"nothing":           {200, ``, false, true},
		"a page":            {200, `<html>`, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var asked url.Values
			client := &http.Client{Transport: answers(func(q url.Values) (int, string) { asked = q; return tt.status, tt.body })}
			c := captcha.New(settings(captcha.Settings{SiteKey: "site", SecretKey: "top-secret"}), client, rand.Reader)
			if ch, err := c.Challenge(t.Context(), "here"); err != nil || ch.Provider != form.GoogleCaptcha || ch.SiteKey != "site" || ch.Data != "" {
				t.Errorf("challenge %+v, %v", ch, err)
			}
			ok, err := c.Check(t.Context(), "here", "their-token", netip.MustParseAddr("192.0.2.1"))
			if ok != tt.ok || (err != nil) != tt.err {
				t.Errorf("taken %t, error %v", ok, err)
			}
			if err != nil && strings.Contains(err.Error(), "top-secret") {
				t.Errorf("the error tells the key: %v", err)
			}
			if asked.Get("secret") != "top-secret" || asked.Get("response") != "their-token" || asked.Get("remoteip") != "192.0.2.1" {
				t.Errorf("asked %v", asked)
			}
		})
	}
	c := captcha.New(settings(captcha.Settings{SiteKey: "site", SecretKey: "s"}), nil, rand.Reader)
	if ok, err := c.Check(t.Context(), "here", "", netip.Addr{}); ok || err != nil {
		t.Errorf("no token: taken %t, error %v", ok, err)
	}
}
