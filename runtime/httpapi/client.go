package httpapi

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/runtime/flow"
)

// fieldKept is how many bytes are kept of a User-Agent, by which people recognise
// a browser, and of an Accept-Language.
const fieldKept = 512

// origin says who sent the request and to which host. Forwarded fields count
// only from a configured proxy: of X-Forwarded-For the last address that is no
// proxy itself, of X-Forwarded-Host a single value.
func (s *Server) origin(c *fiber.Ctx) (flow.Client, string) {
	fc := c.Context()
	var peer netip.Addr
	if tcp, ok := fc.RemoteAddr().(*net.TCPAddr); ok {
		peer = tcp.AddrPort().Addr().Unmap()
	}
	host := string(fc.Host())
	if s.trusted(peer) {
		if h := c.Get(fiber.HeaderXForwardedHost); h != "" && !strings.Contains(h, ",") {
			host = h
		}
		peer = s.behind(peer, c.Get(fiber.HeaderXForwardedFor))
	}
	return flow.Client{RemoteIP: peer, UserAgent: kept(fc.UserAgent()), Locales: kept(c.Request().Header.Peek(fiber.HeaderAcceptLanguage))}, strings.ToLower(host)
}

// kept is the value of a field as far as it is kept.
func kept(value []byte) string {
	return strings.ToValidUTF8(string(value[:min(len(value), fieldKept)]), "")
}

// behind walks the list of X-Forwarded-For from its end while it names proxies.
func (s *Server) behind(peer netip.Addr, forwarded string) netip.Addr {
	for forwarded != "" && s.trusted(peer) {
		i := strings.LastIndexByte(forwarded, ',')
		addr, err := netip.ParseAddr(strings.TrimSpace(forwarded[i+1:]))
		if err != nil {
			return peer
		}
		peer, forwarded = addr.Unmap(), forwarded[:max(i, 0)]
	}
	return peer
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
