package mfa

import (
	"crypto/subtle"
	"encoding/base32"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"doorward/runtime/device"
	"doorward/runtime/mfapolicy"
)

// What apps compute codes by: SHA-1, six digits, thirty seconds, as all of them can.
// Source: RFC 6238 4.1, 5.2; the Key URI Format of Google Authenticator.
const (
	totpPeriod = 30 * time.Second
	totpDigits = otp.DigitsSix
	seedSize   = 20 // bytes; RFC 4226 4 (R6)
)

func seedText(seed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}

// matching is the latest step around now whose code is the one that was typed. It
// computes and compares them all, whatever is right.
func matching(seed []byte, code string, now time.Time, period time.Duration, grace int) (step int64, found bool) {
	if len(seed) == 0 {
		return 0, false
	}
	current := now.Unix() / int64(period/time.Second)
	text := seedText(seed)
	right := 0
	for i := -int64(grace); i <= int64(grace); i++ {
		want, err := hotp.GenerateCodeCustom(text, uint64(current+i), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // times after 1970
		if err != nil {
			return 0, false
		}
		same := subtle.ConstantTimeCompare([]byte(want), []byte(code))
		step = int64(subtle.ConstantTimeSelect(same, int(current+i), int(step)))
		right |= same
	}
	return step, right == 1
}

// comparing is how a code is compared with those of a seed. Of a step that is used up
// it is for the Store to say so. Steps of every period are counted in those of the
// shortest: a policy that changes the period neither revives a code nor holds back those
// to come.
func comparing(code string, now time.Time, period time.Duration, grace int) func(seed []byte, last int64) (int64, bool) {
	return func(seed []byte, _ int64) (int64, bool) {
		step, found := matching(seed, code, now, period, grace)
		return step * int64(period/totpPeriod), found
	}
}

// key is a seed as it is handed to an app. Source: the Key URI Format of Google
// Authenticator.
func key(seed []byte, issuer, account string, more map[string]string) *Key {
	q := url.Values{}
	for name, value := range more {
		q.Set(name, value)
	}
	secret := seedText(seed)
	q.Set("secret", secret)
	q.Set("issuer", issuer)
	q.Set("algorithm", "SHA1")
	q.Set("digits", strconv.Itoa(totpDigits.Length()))
	q.Set("period", strconv.Itoa(int(totpPeriod/time.Second)))
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account, RawQuery: encodeQuery(q)}
	return &Key{Secret: secret, URI: u.String()}
}

// encodeQuery writes blanks as %20: apps do not read a plus as one.
func encodeQuery(q url.Values) string {
	text := q.Encode()
	out := make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		if c == '+' {
			out = append(out, "%20"...)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// period is for how long a code of a paired app is the current one: as the policy says
// under which it was paired, since an app has one clock for all policies; of one that is
// gone, as the default one says.
func (s *Service) period(d *device.Device) time.Duration {
	for _, id := range []string{d.Policy, ""} {
		if p, err := s.o.Policies.Policy(d.Env, id); err == nil && p.Mobile.Step > 0 {
			return p.Mobile.Step
		}
	}
	return totpPeriod
}

// Computed says how a MOBILE device computes its codes; not ok: it does not.
func (s *Service) Computed(d *device.Device) (c device.Computed, ok bool) {
	c = device.Computed{Algorithm: "SHA1", Digits: totpDigits.Length(), Period: s.period(d)}
	if p, err := s.o.Policies.Policy(d.Env, d.Policy); err == nil {
		app, _ := p.Mobile.Application(d.Application)
		c.Taken = p.Mobile.Enabled && computes(&app, d)
	}
	return c, d.Codes
}

// NewSeed makes a seed, by which a device computes codes.
func (s *Service) NewSeed() ([]byte, error) {
	seed := make([]byte, seedSize)
	_, err := io.ReadFull(s.o.Random, seed)
	return seed, err
}

// grace is how many steps a code may be early or late.
func grace(p *mfapolicy.Policy) int { return max(1, min(p.TOTP.Grace, 10)) }
