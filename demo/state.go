package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The cookies. Both are HttpOnly, and Lax because the provider's redirect back
// is a navigation from elsewhere.
const (
	browserCookie = "demo-browser"
	sessionCookie = "demo-session"
	stateLife     = 10 * time.Minute
	sessionLife   = time.Hour
)

// browser returns the random value that names the browser while sign-ons are
// under way in it. State, nonce and verifier of each derive from it, so that any
// number of tabs can be at it and nothing is kept for them.
func (d *Demo) browser(w http.ResponseWriter, r *http.Request) string {
	value := cookie(r, browserCookie)
	if len(value) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		value = random()
	}
	d.setCookie(w, browserCookie, value, stateLife)
	return value
}

// newState is a random value, when it ends, and the proof that both are ours and
// the browser's.
func (d *Demo) newState(browser string) string {
	head := random() + "." + strconv.FormatInt(d.config.Now().Add(stateLife).Unix(), 10)
	return head + "." + d.derive("state", browser, head)
}

func (d *Demo) validState(browser, state string) bool {
	at := strings.LastIndexByte(state, '.')
	if at < 0 || browser == "" || !hmac.Equal([]byte(state[at+1:]), []byte(d.derive("state", browser, state[:at]))) {
		return false
	}
	_, end, _ := strings.Cut(state[:at], ".")
	unix, err := strconv.ParseInt(end, 10, 64)
	return err == nil && d.config.Now().Before(time.Unix(unix, 0))
}

// derive is an HMAC of its arguments under the process's secret: 43 characters
// of base64url, which is also the shortest PKCE verifier. Source: RFC 7636 4.1.
func (d *Demo) derive(purpose, browser, state string) string {
	mac := hmac.New(sha256.New, d.secret[:])
	for _, s := range []string{purpose, browser, state} {
		sum := sha256.Sum256([]byte(s))
		mac.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// random is 256 bits in base64url.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie that ends after life, or at once when life is negative.
func (d *Demo) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the scheme; plain http is for loopback
		Name: name, Value: value, Path: HomePath, MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteLaxMode,
	})
}
