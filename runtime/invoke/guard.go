package invoke

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// httpsPort is the only port dialled without an opening.
const httpsPort = 443

// ErrForbidden is in the Reason of a call whose address may not be dialled.
var ErrForbidden = errors.New("forbidden destination")

// Opening is the operator's permission to dial a network that is otherwise
// denied, on one port. It comes from the server's own configuration, never from
// a tenant's.
type Opening struct {
	Network netip.Prefix
	Port    uint16
}

// ParseOpening reads "10.1.2.0/24:8443" or "[fd12::/64]:8443".
func ParseOpening(s string) (Opening, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return Opening{}, fmt.Errorf("opening %q: no port", s)
	}
	network, err := netip.ParsePrefix(strings.Trim(s[:at], "[]"))
	if err != nil {
		return Opening{}, fmt.Errorf("opening %q: %w", s, err)
	}
	port, err := strconv.ParseUint(s[at+1:], 10, 16)
	if err != nil {
		return Opening{}, fmt.Errorf("opening %q: %w", s, err)
	}
	return Opening{Network: network.Masked(), Port: uint16(port)}, nil
}

func (o Opening) String() string {
	if o.Network.Addr().Is6() {
		return fmt.Sprintf("[%s]:%d", o.Network, o.Port)
	}
	return fmt.Sprintf("%s:%d", o.Network, o.Port)
}

// Guard judges the address of every single dial: each answer of a name, each
// attempt, each family. It permits public unicast addresses on port 443 and what
// the operator opened.
type Guard struct {
	openings []Opening
	never    []netip.Prefix
	public   *ssrf.Guardian
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
		if !o.Network.IsValid() || o.Network.Addr().Is4In6() || o.Port == 0 {
			return nil, fmt.Errorf("opening %s names no network and port", o)
		}
		for _, n := range g.never {
			if o.Network.Overlaps(n) {
				return nil, fmt.Errorf("opening %s reaches %s, which is never dialled", o, n)
			}
		}
	}
	return g, nil
}

// Openings lists what the operator opened, for the line logged at start.
func (g *Guard) Openings() []Opening { return g.openings }

// Control judges one dial; it is the Control of a net.Dialer, and address is the
// resolved IP and port.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	ip := at.Addr().WithZone("")
	for _, n := range g.never {
		if n.Contains(ip.Unmap()) {
			return fmt.Errorf("%w: %s is never dialled", ErrForbidden, ip)
		}
	}
	for _, o := range g.openings {
		if o.Port == at.Port() && o.Network.Contains(ip) && strings.HasPrefix(network, "tcp") {
			return nil
		}
	}
	if err := g.public.Safe(network, netip.AddrPortFrom(ip, at.Port()).String(), nil); err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return nil
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
