package invoke

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// httpsPort is the only port dialled without an opening.
const httpsPort = 443

// Guard judges the address of every single dial: each answer of a name, each
// attempt, each family. It permits public unicast addresses on port 443 and what
// the operator opened.
type Guard struct {
	openings []Opening
	never    []netip.Prefix
	public   *ssrf.Guardian
}

// strict is the Guard without an opening.
func strict() *Guard {
	return &Guard{never: neverDialled(), public: ssrf.New(ssrf.WithPorts(httpsPort), ssrf.WithNetworks("tcp4", "tcp6"))}
}

// NewGuard refuses an opening that reaches into the never-list, so that no
// exception makes a metadata service reachable. Own are public networks of this
// very deployment (its load balancer, its other tenants' hosts), which are denied
// like private ones but may be opened.
func NewGuard(openings []Opening, own []netip.Prefix) (*Guard, error) {
	g := &Guard{openings: openings, never: neverDialled()}
	var own4, own6 []netip.Prefix
	for _, p := range own {
		if p.Addr().Is4() {
			own4 = append(own4, p)
		} else {
			own6 = append(own6, p)
		}
	}
	g.public = ssrf.New(
		ssrf.WithPorts(httpsPort), ssrf.WithNetworks("tcp4", "tcp6"),
		ssrf.WithDeniedV4Prefixes(own4...), ssrf.WithDeniedV6Prefixes(own6...),
	)
	for _, o := range openings {
		if err := g.judge(o); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// judge refuses an opening that is no network, too wide for a mistake of one digit
// to be noticed, or that reaches what is never dialled.
func (g *Guard) judge(o Opening) error {
	if !o.Network.IsValid() || o.Network.Addr().Is4In6() || o.Port == 0 {
		return fmt.Errorf("opening %s names no network and port", o)
	}
	if least := widest(o.Network); o.Network.Bits() < least {
		return fmt.Errorf("opening %s is wider than /%d", o, least)
	}
	for _, n := range g.never {
		if o.Network.Overlaps(n) {
			return fmt.Errorf("opening %s reaches %s, which is never dialled", o, n)
		}
	}
	return nil
}

// widest is the least number of bits an opening names: those of 10.0.0.0/8, or of
// what a provider is given.
func widest(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 8
	}
	return 32
}

// Openings lists what the operator opened, for the line logged at start.
func (g *Guard) Openings() []Opening { return g.openings }

// In is the guard of one environment: with the openings of all, and its own.
func (g *Guard) In(env string) *Guard {
	in := *g
	in.openings = nil
	for _, o := range g.openings {
		if o.Env == "" || o.Env == env {
			in.openings = append(in.openings, Opening{Network: o.Network, Port: o.Port})
		}
	}
	return &in
}

// Control judges one dial; it is the Control of a net.Dialer, and address is the
// resolved IP and port.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	ip, opened, err := g.look(network, address)
	if err != nil || opened {
		return err
	}
	if err := g.public.Safe(network, ip.String(), nil); err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return nil
}

// openedOnly judges a dial that needs an opening, public as the address may be.
func (g *Guard) openedOnly(network, address string, _ syscall.RawConn) error {
	at, opened, err := g.look(network, address)
	if err == nil && !opened {
		return fmt.Errorf("%w: %s is not opened for http", ErrForbidden, at)
	}
	return err
}

// look reads an address, refuses what is never dialled, and says what is opened.
func (g *Guard) look(network, address string) (at netip.AddrPort, opened bool, err error) {
	at, err = netip.ParseAddrPort(address)
	if err != nil {
		return at, false, fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	ip := at.Addr().WithZone("")
	for _, n := range g.never {
		if n.Contains(ip.Unmap()) {
			return at, false, fmt.Errorf("%w: %s is never dialled", ErrForbidden, ip)
		}
	}
	opened = slices.ContainsFunc(g.openings, func(o Opening) bool {
		return o.Env == "" && o.Port == at.Port() && o.Network.Contains(ip)
	})
	return netip.AddrPortFrom(ip, at.Port()), opened && strings.HasPrefix(network, "tcp"), nil
}

// neverDialled is what no opening may reach: the metadata services of the cloud
// providers, addresses that mean this host or many hosts, and IPv6 forms that
// carry an IPv4 address inside.
func neverDialled() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"169.254.0.0/16",     // link local: AWS, GCP, Azure, Oracle metadata
		"fe80::/10",          // link local
		"fd00:ec2::254/128",  // AWS metadata
		"fd20:ce::254/128",   // GCP metadata
		"168.63.129.16/32",   // Azure platform
		"100.100.100.200/32", // Alibaba metadata
		"192.0.0.192/32",     // Oracle metadata
		"0.0.0.0/8",          // this host; RFC 1122 3.2.1.3
		"::/128",             // this host; RFC 4291 2.5.2
		"224.0.0.0/4",        // multicast
		"ff00::/8",           // multicast
		"240.0.0.0/4",        // reserved, and broadcast
		"64:ff9b::/96",       // NAT64; RFC 6052
		"64:ff9b:1::/48",     // NAT64; RFC 8215
		"2002::/16",          // 6to4; RFC 3056
		"2001::/32",          // Teredo; RFC 4380
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}
