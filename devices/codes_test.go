package devices_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/devices/client"
)

// TestASeedIsToldWhenTheDeviceIsPaired, and again to the same key until a code of it was
// accepted; never otherwise.
func TestASeedIsToldWhenTheDeviceIsPaired(t *testing.T) {
	for name, row := range map[string]struct {
		before      func(h *house)
		told, again bool
		period      int
		enabled     bool
	}{
		"once, and once more":           {func(*house) {}, true, true, 30, true},
		"not after a code was accepted": {func(*house) {}, true, false, 30, true},
		"not where there is none":       {func(h *house) { h.seedless = true }, false, false, 0, false},
		"also where it is not taken":    {func(h *house) { h.untaken = true }, true, true, 30, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			row.before(h)
			code, c := h.key(envID, ada), h.fresh(envID, p256(t))
			r, err := c.Pair(t.Context(), code, "Pixel", "")
			if err != nil || (r.OTP != nil) != (row.period > 0) {
				t.Fatalf("%+v, %v", r, err)
			}
			if row.told != (r.OTP != nil && r.OTP.Secret == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") {
				t.Errorf("%+v", r.OTP)
			}
			h.accepted = !row.again
			if r, err = c.Pair(t.Context(), code, "Pixel", ""); err != nil || row.again != (r.OTP != nil && r.OTP.Secret != "") {
				t.Errorf("again: %+v, %v", r.OTP, err)
			}
			status, body := h.play(c, http.MethodGet, strings.TrimPrefix(h.base(envID), h.URL)+"/devices/v1/device", "")
			if status != http.StatusOK || strings.Contains(body, "secret") || strings.Contains(body, `"otp":{"enabled":`) != (row.period > 0) {
				t.Errorf("%d: %s", status, body)
			}
			if r, err = c.Show(t.Context()); err != nil || row.period > 0 && (r.OTP.Period != row.period || r.OTP.Enabled != row.enabled) {
				t.Errorf("%+v, %v", r.OTP, err)
			}
		})
	}
	h := open(t)
	code, c := h.key(envID, ada), h.fresh(envID, p256(t))
	if _, err := c.Pair(t.Context(), code, "Pixel", ""); err != nil {
		t.Fatal(err)
	}
	if r, err := h.fresh(envID, p256(t)).Pair(t.Context(), code, "Pixel", ""); err == nil || r.OTP != nil {
		t.Errorf("another key is told it: %+v", r.OTP)
	}
}

// TestCodesAreThoseOfTheStandard has its vectors. Source: RFC 6238 appendix B.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		for digits := 6; digits <= 8; digits++ {
			c := client.Codes{Secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Algorithm: "SHA1", Digits: digits, Period: 30}
			got, left, err := c.At(time.Unix(at, 0))
			if err != nil || got != want[8-digits:] || left != time.Duration(30-at%30)*time.Second {
				t.Errorf("%d digits at %d: %s for %s, %v", digits, at, got, left, err)
			}
		}
	}
	for name, c := range map[string]client.Codes{
		"no seed": {Algorithm: "SHA1", Digits: 6, Period: 30}, "another algorithm": {Secret: "GEZDGNBV", Algorithm: "SHA256", Digits: 6, Period: 30},
		"no base32": {Secret: "1", Algorithm: "SHA1", Digits: 6, Period: 30}, "no period": {Secret: "GEZDGNBV", Algorithm: "SHA1", Digits: 6}, "no digits": {Secret: "GEZDGNBV", Algorithm: "SHA1", Period: 30},
	} {
		if got, _, err := c.At(time.Unix(59, 0)); err == nil || got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestWhatTheServerSaysOfCodesIsKept but for the seed, which it says once.
func TestWhatTheServerSaysOfCodesIsKept(t *testing.T) {
	p := client.Paired{Codes: &client.Codes{Enabled: true, Secret: "GEZDGNBV", Algorithm: "SHA1", Digits: 6, Period: 30}}
	now := *p.Codes
	now.Secret = ""
	if p.Heard(&now) {
		t.Error("nothing is something else")
	}
	now.Period = 60
	if !p.Heard(&now) || p.Codes.Period != 60 || p.Codes.Secret != "GEZDGNBV" {
		t.Errorf("%+v", p.Codes)
	}
	if p.Heard(nil) || (&client.Paired{}).Heard(&now) {
		t.Error("what computes no codes hears of none")
	}
}
