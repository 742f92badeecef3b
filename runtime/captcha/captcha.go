// Package captcha tells people from programs: by some work that the person's
// browser does for this server, so that nobody else takes part, or by Google's
// reCAPTCHA v2.
package captcha

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"doorward/runtime/form"
)

// Bits is how much work a challenge is: a browser tries 2^Bits times on average,
// which takes a phone about a second.
const Bits = 16

// longestAnswer is what a number or a token of Google's may have, in bytes.
const longestAnswer = 4096

// Where Google is asked. Source: https://developers.google.com/recaptcha/docs/verify
const (
	Origin    = "https://www.google.com"
	verifyURL = Origin + "/recaptcha/api/siteverify"
)

// Settings are those of one environment. The zero Settings are a proof of work.
type Settings struct {
	SiteKey   string // of Google's reCAPTCHA v2; empty: a proof of work
	SecretKey string
}

// Captcha makes challenges and checks what comes back.
type Captcha struct {
	settings func(env string) (Settings, bool)
	client   *http.Client
	random   io.Reader
}

// New makes a Captcha. client goes out to Google, and is never used where the
// settings name no site key; it must be one that guards where it goes.
func New(settings func(env string) (Settings, bool), client *http.Client, random io.Reader) *Captcha {
	return &Captcha{settings, client, random}
}

// Challenge is a new one. The step that shows it keeps it, and takes an answer to
// it once.
func (c *Captcha) Challenge(_ context.Context, env string) (form.Challenge, error) {
	s, known := c.settings(env)
	switch {
	case !known:
		return form.Challenge{}, fmt.Errorf("environment %s is not served", env)
	case s.SiteKey != "":
		return form.Challenge{Provider: form.GoogleCaptcha, SiteKey: s.SiteKey}, nil
	}
	var seed [16]byte
	if _, err := io.ReadFull(c.random, seed[:]); err != nil {
		return form.Challenge{}, err
	}
	return form.Challenge{Provider: form.ProofOfWork, Data: base64.RawURLEncoding.EncodeToString(seed[:]), Bits: Bits}, nil
}

// Check reports whether token answers a challenge: "data.n" that of a proof of
// work, anything else is for Google to judge. An error says that it could not be
// checked.
func (c *Captcha) Check(ctx context.Context, env, token string, ip netip.Addr) (bool, error) {
	s, known := c.settings(env)
	switch {
	case !known:
		return false, fmt.Errorf("environment %s is not served", env)
	case len(token) > longestAnswer:
		return false, nil
	case s.SiteKey == "":
		return worked(token), nil
	case token == "":
		return false, nil
	}
	return c.asked(ctx, s, token, ip)
}

// worked reports whether the SHA-256 of "data.n" begins with Bits zero bits.
func worked(token string) bool {
	data, n, ok := strings.Cut(token, ".")
	if !ok || data == "" || n == "" || len(n) > 20 || strings.Trim(n, "0123456789") != "" {
		return false
	}
	sum := sha256.Sum256([]byte(token))
	zeros := 0
	for _, b := range sum {
		zeros += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return zeros >= Bits
}

// asked has Google judge.
func (c *Captcha) asked(ctx context.Context, s Settings, token string, ip netip.Addr) (bool, error) {
	q := url.Values{"secret": {s.SecretKey}, "response": {token}}
	if ip.IsValid() {
		q.Set("remoteip", ip.String())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, verifyURL, strings.NewReader(q.Encode()))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("reCAPTCHA: %w", err)
	}
	defer res.Body.Close()
	var verdict struct {
		Success bool     `json:"success"`
		Errors  []string `json:"error-codes"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&verdict); err != nil || res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("reCAPTCHA answered %d", res.StatusCode)
	}
	for _, e := range verdict.Errors { // ours, and not the person's
		if strings.HasSuffix(e, "input-secret") || e == "bad-request" {
			return false, fmt.Errorf("reCAPTCHA refuses the secret key: %s", e)
		}
	}
	return verdict.Success, nil
}
