package devices

import "strings"

// unknown is what is said of a browser or a system that is not known.
const unknown = "unknown"

// browserOf is what a User-Agent says of itself, in words of ours: "Firefox on
// Windows". A stranger writes that field, and what people read before they approve must
// not be a stranger's text, so that no part of it is repeated.
func browserOf(userAgent string) string {
	browser, system := firstOf(userAgent, browsers()), firstOf(userAgent, systems())
	switch {
	case browser == "" && system == "":
		return unknown
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// mark is a name, and what a User-Agent with it has in it.
type mark struct{ token, name string }

// browsers are in an order: most say that they are the others, too.
func browsers() []mark {
	return []mark{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
		{"okhttp/", "Android app"},
	}
}

func systems() []mark {
	return []mark{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	}
}

func firstOf(userAgent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(userAgent, m.token) {
			return m.name
		}
	}
	return ""
}
