package httpapi

import (
	"bytes"
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"doorward/runtime/flow"
)

// origin says who sent the request and to which host. Forwarded fields count
// only from a configured proxy: of X-Forwarded-For the last address that is no
// proxy itself, of X-Forwarded-Host a single value. A proxy may have added a line of
// its own below that of the client.
func (s *Server) origin(c *fiber.Ctx) (flow.Client, string) {
	fc := c.Context()
	var peer netip.Addr
	if tcp, ok := fc.RemoteAddr().(*net.TCPAddr); ok {
		peer = tcp.AddrPort().Addr().Unmap()
	}
	host := string(fc.Host())
	if s.trusted(peer) {
		if h := lines(c, fiber.HeaderXForwardedHost); h != "" && !strings.Contains(h, ",") {
			host = h
		}
		peer = s.behind(peer, lines(c, fiber.HeaderXForwardedFor))
	}
	return flow.ClientOf(peer, string(fc.UserAgent()), string(c.Request().Header.Peek(fiber.HeaderAcceptLanguage))), strings.ToLower(host)
}

// lines are all values of a field, in their order. Source: RFC 9110 5.3.
func lines(c *fiber.Ctx, field string) string {
	return string(bytes.Join(c.Request().Header.PeekAll(field), []byte(",")))
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
