package wire

import (
	"strconv"
	"time"
)

// CookieName is the name of the cookie that holds the sign-on session.
// Source: reference/flows.md 1.4.
const CookieName = "ST"

// SessionCookie is the Set-Cookie value that hands value to the browser for 30
// days, or takes it away when value is empty. Over plain http it goes without
// Secure, which browsers then tie to SameSite=Lax.
//
// Source: reference/flows.md 1.4.
func SessionCookie(value, path string, secure bool) string {
	age := "2592000"
	if value == "" {
		age = "0"
	}
	s := CookieName + "=" + value + "; Path=" + path + "; Max-Age=" + age + "; HttpOnly"
	if secure {
		return s + "; Secure; SameSite=None"
	}
	return s + "; SameSite=Lax"
}

// BrowserCookieName is the name of the cookie that makes a browser a trusted one. It
// is ours: no document names one.
const BrowserCookieName = "TB"

// AbleCookieName is the name of the cookie by which a script of our pages says that the
// browser can make passkeys. It names nobody, proves nothing, and lasts an hour.
const AbleCookieName = "PK"

// BrowserCookie is the Set-Cookie value that hands a browser its trust for life. It is
// of use to pages of this host alone.
func BrowserCookie(value string, life time.Duration, path string, secure bool) string {
	s := BrowserCookieName + "=" + value + "; Path=" + path + "; Max-Age=" + strconv.FormatInt(int64(life/time.Second), 10) + "; HttpOnly; SameSite=Lax"
	if secure {
		s += "; Secure"
	}
	return s
}
