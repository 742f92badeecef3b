package engine

import (
	"context"
	"encoding/json"
	"strings"

	"doorward/runtime/flow"
)

// facts answers what guards ask. User attributes are read once, and only when
// one is asked for.
type facts struct {
	ctx     context.Context //nolint:containedctx // lives for one evaluation
	t       *turn
	session bool // false: as if the browser had no session
	user    map[string]any
	data    *data // of a flow definition; nil: none
	err     error
}

// Names. Source: reference/management.md 4.4, Variables.
const (
	factRemoteIP      = "flow.request.http.remoteIp"
	factLastSignOn    = "session.lastSignOn.at"
	factAuthenticator = "session.lastSignOn.withAuthenticator."
	factUser          = "user."
)

func (f *facts) fact(name string) any {
	x := f.t.x
	switch {
	case name == factRemoteIP:
		if ip := f.t.caller.Client.RemoteIP; ip.IsValid() {
			return ip.Unmap()
		}
	case name == factLastSignOn:
		return f.last("")
	case strings.HasPrefix(name, factAuthenticator) && strings.HasSuffix(name, ".at"):
		return f.last(strings.TrimSuffix(strings.TrimPrefix(name, factAuthenticator), ".at"))
	case strings.HasPrefix(name, factUser) && x.User.ID != "":
		if f.user == nil && f.err == nil {
			f.user, f.err = f.t.e.Users.Facts(f.ctx, x.Ref.Env, x.User.ID)
		}
		return f.user[strings.TrimPrefix(name, factUser)]
	case f.data != nil:
		return plain(f.data.find(strings.Split(name, ".")))
	}
	return nil
}

// plain is a value as conditions compare it: a list of strings as one, a number as
// a double.
func plain(v any) any {
	switch v := v.(type) {
	case flow.Secret:
		return nil
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
		return nil
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return v
}

// last is the youngest sign-on by method that still counts, or nil.
func (f *facts) last(method string) any {
	if !f.session {
		return nil
	}
	at := f.t.x.Proofs.Of(f.t.x.User.ID).Last(method)
	if at.IsZero() || at.Before(f.t.x.Demand.NotBefore) {
		return nil
	}
	return at
}
