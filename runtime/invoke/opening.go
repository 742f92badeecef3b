package invoke

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Opening is the operator's permission to dial a network that is otherwise
// denied, on one port, for every environment or for one. It comes from the
// server's own configuration, never from a tenant's.
type Opening struct {
	Env     string // empty: every environment
	Network netip.Prefix
	Port    uint16
}

// ParseOpening reads "10.1.2.0/24:8443" or "[fd12:3456::/64]:8443", and before
// either the id of the one environment it is for: "ENV=10.1.2.0/24:8443".
func ParseOpening(s string) (Opening, error) {
	env, rest, bound := strings.Cut(s, "=")
	if !bound {
		env, rest = "", s
	} else if !token(env) {
		return Opening{}, fmt.Errorf("opening %q: no environment before the =", s)
	}
	at := strings.LastIndexByte(rest, ':')
	if at < 0 {
		return Opening{}, fmt.Errorf("opening %q: no port", s)
	}
	network, err := netip.ParsePrefix(strings.Trim(rest[:at], "[]"))
	if err != nil {
		return Opening{}, fmt.Errorf("opening %q: %w", s, err)
	}
	port, err := strconv.ParseUint(rest[at+1:], 10, 16)
	if err != nil {
		return Opening{}, fmt.Errorf("opening %q: %w", s, err)
	}
	return Opening{Env: env, Network: network.Masked(), Port: uint16(port)}, nil
}

func (o Opening) String() string {
	env, network := "", o.Network.String()
	if o.Env != "" {
		env = o.Env + "="
	}
	if o.Network.Addr().Is6() {
		network = "[" + network + "]"
	}
	return fmt.Sprintf("%s%s:%d", env, network, o.Port)
}
