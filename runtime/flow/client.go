package flow

import (
	"net/netip"
	"strings"
)

// Client is who sent the request, as far as the transport can tell.
type Client struct {
	RemoteIP  netip.Addr
	UserAgent string
	Locales   string // Accept-Language
}

// fieldKept is how many bytes are kept of a User-Agent, by which people recognise
// a browser, and of an Accept-Language.
const fieldKept = 512

// ClientOf is a client with the fields of its request as far as they are kept.
func ClientOf(ip netip.Addr, userAgent, acceptLanguage string) Client {
	kept := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), fieldKept)], "") }
	return Client{RemoteIP: ip, UserAgent: kept(userAgent), Locales: kept(acceptLanguage)}
}
