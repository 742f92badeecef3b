package client

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA-1, which RFC 6238 names
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Codes is how the device computes codes, for a sign-on while it is offline. Source:
// RFC 6238.
type Codes struct {
	Enabled   bool   `json:"enabled"`          // the server takes them
	Secret    string `json:"secret,omitempty"` // base32; told once, when the device is paired
	Algorithm string `json:"algorithm"`
	Digits    int    `json:"digits"`
	Period    int    `json:"period"` // in seconds
}

// At is the code of a time, and for how long it still is the one.
func (c *Codes) At(at time.Time) (code string, left time.Duration, err error) {
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(c.Secret)
	if err != nil || len(seed) == 0 || c.Algorithm != "SHA1" || c.Digits < 6 || c.Digits > 8 || c.Period < 1 {
		return "", 0, errors.New("the device was told no seed that this program can compute codes of")
	}
	period := int64(c.Period)
	mac := hmac.New(sha1.New, seed)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/period)
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0xf // RFC 4226 5.3
	n, most := binary.BigEndian.Uint32(sum[from:])&0x7fffffff, uint32(1)
	for range c.Digits {
		most *= 10
	}
	return fmt.Sprintf("%0*d", c.Digits, n%most), time.Duration(period-at.Unix()%period) * time.Second, nil
}

// Heard takes over what the server says of the codes now: all but the seed, which it
// does not say again. It reports whether that is something else.
func (p *Paired) Heard(now *Codes) bool {
	if p.Codes == nil || now == nil {
		return false
	}
	was := *p.Codes
	*p.Codes = *now
	p.Codes.Secret = was.Secret
	return *p.Codes != was
}
