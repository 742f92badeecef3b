package device

import (
	"net/netip"
	"strings"
	"time"
	"unicode"
)

// PushState is what has become of a push.
type PushState string

// The states. Only Approved proves anything.
const (
	PushPending  PushState = "PENDING"
	PushApproved PushState = "APPROVED"
	PushRejected PushState = "REJECTED"
	PushGone     PushState = "GONE" // timed out, cancelled, used before, or never there
)

// Push is a question that a MOBILE device is to answer.
type Push struct {
	Env, ID, UserID, Device string
	Flow                    string // execution that asks
	Number                  string // that the person must pick on the device; empty: none is matched
	Client                  string // where the sign-on comes from, for the person to judge; see ClientOf
	Application             string // name of what is signed on to
	State                   PushState
	CreatedAt, ExpiresAt    time.Time
	AnsweredAt              time.Time // zero: it was not, or by nobody
}

// agentKept is how many bytes are kept of a User-Agent.
const agentKept = 256

// ClientOf is where a sign-on comes from, as Push.Client keeps it.
func ClientOf(remoteIP netip.Addr, userAgent string) string {
	address := ""
	if remoteIP.IsValid() {
		address = remoteIP.Unmap().String()
	}
	userAgent = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(userAgent[:min(len(userAgent), agentKept)], ""))
	return address + "\n" + userAgent
}

// From is what ClientOf has kept; either may be empty. The User-Agent is what the
// client says of itself.
func (p *Push) From() (address, userAgent string) {
	address, userAgent, _ = strings.Cut(p.Client, "\n")
	return address, userAgent
}

// WaitingPush is one that has not been answered and has not timed out.
type WaitingPush struct{ Env, Device, ID string }
