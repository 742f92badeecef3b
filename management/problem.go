package management

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/google/uuid"

	"doorward/runtime/flow"
	"doorward/wire"
)

// fail answers with the fault in err and writes the one log line about it.
func (a *API) fail(w http.ResponseWriter, c *call, err error) {
	f := flow.AsFault(err)
	said, status := documented(f), wire.StatusOf(f.Code)
	id := uuid.NewString()
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	application := ""
	if c.caller.app != nil {
		application = c.caller.app.ID
	}
	a.Log.LogAttrs(c.Context(), level, "request failed", slog.String("id", id), slog.String("correlation", w.Header().Get(headerCorrelation)),
		slog.String("method", c.Method), slog.String("path", c.URL.Path), slog.Int("status", status), slog.String("env", c.env),
		slog.String("application", application), slog.String("remote", remoteIP(c.Request)), slog.String("error", said.Error()))
	h := w.Header()
	if f.Code == flow.InvalidToken {
		h.Set("WWW-Authenticate", challenge(f))
	}
	_, body, header := wire.Problem(said, id, wire.Place{})
	for k, v := range header {
		h.Set(k, v)
	}
	if f.Code == flow.RequestFailed && f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(f.RetryAfter)))
	}
	w.WriteHeader(status)
	if c.Method != http.MethodHead {
		_, _ = w.Write(body) // an error is a client that has gone
	}
}

// documented is a fault under the names that this API has for it.
// Source: reference/management.md 7.4.
func documented(f *flow.Fault) *flow.Fault {
	g := *f
	detail := ""
	switch f.Code {
	case flow.InvalidToken:
		g.Code, detail = flow.AccessFailed, string(flow.InvalidToken)
	case flow.MethodNotAllowed, flow.UnsupportedMedia:
		g.Code = flow.InvalidRequest
	case flow.Limited:
		detail = flow.LimitExceeded
	default:
	}
	if detail != "" && len(g.Details) == 0 {
		g.Details = []flow.Detail{{Code: detail, Message: f.Message}}
	}
	return &g
}

// challenge is the WWW-Authenticate of a refusal; a request without any token is
// not told what is wrong with it. Source: RFC 6750 3.
func challenge(f *flow.Fault) string {
	if f.Err == errNoToken { //nolint:errorlint // it is never wrapped
		return `Bearer realm="management"`
	}
	return `Bearer realm="management", error="invalid_token", error_description="the token is not valid here, has expired, or its application is switched off"`
}

func notFound() *flow.Fault {
	return &flow.Fault{Code: flow.NotFound, Message: "There is nothing at this address. Check the ids in the path."}
}

// parameter is the fault of a query parameter.
func parameter(name, message string) *flow.Fault {
	return invalidRequest(flow.Detail{Code: flow.InvalidParameter, Target: printable(name), Message: message})
}

// invalidRequest is a fault of the request itself, not of a value in its
// document. Source: reference/management.md 7.4.
func invalidRequest(details ...flow.Detail) *flow.Fault {
	return &flow.Fault{
		Code: flow.InvalidRequest, Details: details,
		Message: "The request could not be completed. The request was malformed or invalid.",
	}
}

// failed says that the state of a thing does not allow what was asked.
func failed(details ...flow.Detail) *flow.Fault {
	return &flow.Fault{
		Code: flow.RequestFailed, Details: details,
		Message: "The request could not be completed. There was an issue processing the request.",
	}
}

// remoteIP is the client's address as the server under us has found it.
func remoteIP(r *http.Request) string {
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return addr.Addr().Unmap().String()
	}
	return ""
}
