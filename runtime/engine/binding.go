package engine

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"time"

	"doorward/runtime/flow"
)

// Purposes of derived values. Each is an HMAC of environment, execution and
// version, so a repeat of a submit derives the same values again and stores keep
// only digests.
const (
	forStepToken = "step-token"
	forSession   = "session"    // ST after a credential was accepted
	forSessionID = "session-id" // id of the session under it
	forReset     = "reset"      // ST after session.reset
	forAnonymous = "anonymous"  // proves that we issued an ST that has no session
	forFlowToken = "flow-token" // Flow-Token
	forCode      = "code"       // authorization code
	forSubmit    = "submit"     // repeat mark

	forApplication = "application" // binding of an execution that an application owns
)

var b64 = base64.RawURLEncoding.Strict() //nolint:gochecknoglobals // never changes

// decode reports whether s is exactly dst in base64url. Its length is judged
// first: Decode panics on a text that is too long for dst.
func decode(dst []byte, s string) bool {
	if len(s) != b64.EncodedLen(len(dst)) {
		return false
	}
	var text [64]byte
	n, err := b64.Decode(dst, append(text[:0], s...))
	return err == nil && n == len(dst)
}

// encode is b in base64url.
func encode(b []byte) string {
	var text [64]byte
	return string(b64.AppendEncode(text[:0], b))
}

func (e *Engine) derive(purpose string, ref flow.Ref, version uint64) string {
	sum := e.Keys.Derive(purpose, ref.Env, ref.ID, strconv.FormatUint(version, 10))
	return encode(sum[:])
}

// derive makes a value of this turn, which its repeat makes again and a turn
// that lost the lease to another submit does not share.
func (t *turn) derive(purpose string) [32]byte {
	return t.e.Keys.Derive(purpose, t.x.Ref.Env, t.x.Ref.ID, strconv.FormatUint(t.x.Version, 10), string(t.submit[:]))
}

// stepTokenIs reports in constant time whether token is that of version.
func (e *Engine) stepTokenIs(token string, ref flow.Ref, version uint64) bool {
	var sum [32]byte
	if !decode(sum[:], token) {
		return false
	}
	return e.Keys.Matches(forStepToken, sum, ref.Env, ref.ID, strconv.FormatUint(version, 10))
}

// anonymous makes the ST of a browser that nobody is signed on in: 128 bits of
// seed and the HMAC over it, so that a planted value is known for one without
// asking a store.
func (e *Engine) anonymous(env string, seed [16]byte) string {
	sum := e.Keys.Derive(forAnonymous, env, string(seed[:]))
	var st [48]byte
	copy(st[copy(st[:], seed[:]):], sum[:])
	return encode(st[:])
}

// isAnonymous reports whether cookie is such a value of ours, made with any of
// the living keys.
func (e *Engine) isAnonymous(env, cookie string) bool {
	var st [48]byte
	if !decode(st[:], cookie) {
		return false
	}
	return e.Keys.Matches(forAnonymous, [32]byte(st[16:]), env, string(st[:16]))
}

// sessionKey is the digest under which the caller's session would lie; zero when
// the caller cannot have one.
func (e *Engine) sessionKey(env string, c flow.Caller) flow.Digest {
	if c.Application != "" || c.Cookie == "" || len(c.Cookie) > 128 || e.isAnonymous(env, c.Cookie) {
		return flow.Digest{}
	}
	return flow.Sum(c.Cookie)
}

// claim is how a caller stands to an execution.
type claim uint8

const (
	foreign claim = iota // not theirs; to be answered like an unknown one
	owner                // theirs
	heir                 // bound to a value their session has replaced: theirs, to be adopted
)

// standing judges whose the execution is. session is what lies under the
// caller's cookie; a cookie that is neither anonymous nor of a living session
// binds nothing, so a sign-off closes every flow of the browser. What an application
// has started is that one's, whatever else is shown, and nothing else is.
func (e *Engine) standing(x *flow.Execution, session *flow.Session, c flow.Caller, now time.Time) claim {
	switch {
	case x.Request.Owner != "" || c.Application != "":
		if x.Request.Owner == c.Application {
			return owner
		}
	case c.Cookie == "":
		if c.FlowToken != "" && x.Request.PiFlow && !x.Token.IsZero() && flow.Sum(c.FlowToken) == x.Token {
			return owner
		}
	case flow.Sum(c.Cookie) == x.Binding:
		if session != nil || e.isAnonymous(x.Ref.Env, c.Cookie) {
			return owner
		}
	case !x.Accepted && session.HasReplaced(x.Binding, now):
		return heir
	}
	return foreign
}

// adopt binds the execution to the caller's present cookie and session.
func adopt(x *flow.Execution, session *flow.Session, c flow.Caller) {
	x.Binding, x.Rotated = flow.Sum(c.Cookie), 0
	x.SessionID, x.SessionHash = session.ID, x.Binding
}

// cookie is the ST that this turn, or the one it repeats, made; empty when it
// made none or the caller holds it already, or one that came after it.
func (t *turn) cookie() string {
	x := t.x
	if x.Rotated != x.Version || flow.Sum(t.caller.Cookie) == x.Binding || t.beyond() {
		return ""
	}
	st := t.derived()
	if flow.Sum(st) != x.Binding {
		return "" // the keys were rotated meanwhile
	}
	return st
}

// derived is the ST that a turn makes: a session's once a credential was
// accepted, an anonymous one after a reset.
func (t *turn) derived() string {
	if t.st != "" {
		return t.st
	}
	if t.x.Accepted {
		sum := t.derive(forSession)
		t.st = encode(sum[:])
	} else {
		seed := t.derive(forReset)
		t.st = t.e.anonymous(t.x.Ref.Env, [16]byte(seed[:16]))
	}
	return t.st
}

// limit counts requests of one address; IPv6 by the /64 that one customer has.
func limit(what, env string, ip netip.Addr, perMinute int) []flow.Limit {
	if perMinute <= 0 {
		return nil
	}
	who := "unknown"
	if ip = ip.Unmap(); ip.Is4() {
		who = ip.String()
	} else if p, err := ip.Prefix(64); err == nil {
		who = p.Addr().String()
	}
	return []flow.Limit{{Key: what + ":" + env + ":" + who, Max: perMinute, Window: time.Minute}}
}
