package wire

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
