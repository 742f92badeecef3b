package devices

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/devices/proof"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/wire"
)

// scheme is the Authorization scheme of a proof.
const scheme = "Device "

// How much may be asked in a minute. Source: faults.md rule 10.
const (
	perAddress     = 600  // requests from one address in an environment: many devices are behind one
	perDevice      = 60   // of one device
	pairsByAddress = 10   // pairing keys tried from one address
	pairsByAll     = 1000 // pairing keys of digits tried in an environment: there are 10^12
	nonceKept      = 3 * time.Minute
)

// call is one request of a device.
type call struct {
	*http.Request
	bundle *configs.Bundle
	env    string
	proof  *proof.Proof
	asked  proof.Request
	device device.Device // once paired has found it
}

// answer is what a call comes to.
type answer struct {
	status int
	body   any // nil: none
}

// serve is around every route: environment, address, body and the shape of the proof.
func (f *Face) serve(h func(c *call) (*answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		b, _, err := f.Tenants.Resolve(r.Host, r.URL.Path)
		if err != nil {
			f.Problems.Problem(w, r, nil, flow.AsFault(err))
			return
		}
		if b.Environment().Secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		}
		c := &call{Request: r, bundle: b, env: b.Environment().ID}
		if err = f.read(c); err == nil { //nolint:contextcheck // the call has it
			var got *answer
			if got, err = h(c); err == nil {
				send(w, got)
				return
			}
		}
		fault := flow.AsFault(err)
		if fault.Code == flow.InvalidToken {
			w.Header().Set("WWW-Authenticate", strings.TrimSpace(scheme))
		}
		f.Problems.Problem(w, r, b, fault)
	})
}

// read takes the request as far as it can be taken without asking who sends it.
func (f *Face) read(c *call) error {
	if err := f.count(c, "", flow.Limit{Key: "device:" + c.env + ":" + addressOf(c.Request), Max: perAddress, Window: time.Minute}); err != nil {
		return err
	}
	token, is := strings.CutPrefix(c.Header.Get("Authorization"), scheme)
	if !is || len(c.Header.Values("Authorization")) != 1 {
		return unproven()
	}
	var err error
	if c.proof, err = proof.Parse(token); err != nil {
		return unproven()
	}
	body, err := io.ReadAll(c.Body) // the server under us has limited it
	if err != nil {
		return &flow.Fault{Code: flow.InvalidRequest, Message: "The body could not be read; send it again, whole.", Err: err}
	}
	c.asked = proof.Request{Method: c.Method, URL: c.bundle.Environment().AuthBase + c.RequestURI, Body: body}
	return nil
}

// paired lets a route be asked by a device that is paired, and by its own key.
func (f *Face) paired(h func(c *call) (*answer, error)) func(c *call) (*answer, error) {
	return func(c *call) (*answer, error) {
		if !isID(c.proof.Device) {
			return nil, unproven()
		}
		d, err := f.Devices.Mobile(c.Context(), c.env, c.proof.Device)
		if errors.Is(err, flow.ErrUnknown) {
			return nil, unproven()
		}
		if err != nil {
			return nil, flow.Busy(err)
		}
		key, err := proof.ParseKey(d.Key)
		if err != nil {
			return nil, err
		}
		id, err := c.proof.Verify(key, c.asked, f.Now())
		if err != nil {
			return nil, refused(err)
		}
		c.device = d
		if err := f.once(c, d.ID, id, flow.Limit{Key: "device:" + c.env + ":" + d.ID, Max: perDevice, Window: time.Minute}); err != nil {
			return nil, err
		}
		return h(c)
	}
}

// once takes the id of a proof, the first time that it comes, and counts another limit
// with it.
func (f *Face) once(c *call, of, id string, limit flow.Limit) error {
	nonce := flow.Limit{Key: "deviceproof:" + c.env + ":" + of + ":" + id, Max: 1, Window: nonceKept}
	return f.count(c, nonce.Key, nonce, limit)
}

// count moves limits. What has been said before, by the key that is named, is a repeat
// of somebody's and no excess.
func (f *Face) count(c *call, nonce string, limits ...flow.Limit) error {
	err := f.Tries.Count(c.Context(), limits)
	var over *flow.LimitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &over):
		return flow.Busy(err)
	case over.Limit.Key == nonce:
		f.record(c, flow.Event{Type: flow.DeviceReplayed, Reason: "proof"})
		return &flow.Fault{Code: flow.InvalidToken, Message: "This proof has been used. Sign every request anew, also one that is sent again."}
	}
	f.record(c, flow.Event{Type: flow.RequestLimited, Reason: "devices"})
	return &flow.Fault{
		Code: flow.Limited, RetryAfter: time.Duration(over.RetryAfter) * time.Second,
		Message: "Too many requests came from this device or address. Nothing was changed; wait for the seconds that Retry-After names.",
	}
}

// unproven is the one answer to everybody who has not shown to be a device that is
// paired here: whether there is such a device cannot be told.
func unproven() *flow.Fault {
	return &flow.Fault{
		Code:    flow.InvalidToken,
		Message: "The request is not signed by the key of a device that is paired here. If this device was paired, it has been removed: pair it again with a new pairing key.",
	}
}

// refused is what a device is told whose proof is not believed. How late it is may be
// known to whoever holds the key.
func refused(err error) *flow.Fault {
	if errors.Is(err, proof.ErrStale) {
		return &flow.Fault{Code: flow.InvalidToken, Message: "The proof was made more than 60 seconds from now. Set the device's clock, or go by the field Date of this answer."}
	}
	return unproven()
}

// isID reports whether s is a UUID as they are written here: lower case, with hyphens.
func isID(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}

// input reads the JSON object of a body.
func input[In any](c *call) (In, error) {
	var in In
	media, err := wire.TypeOf(c.Header.Values("Content-Type"))
	if err != nil {
		return in, err
	}
	if media != "application/json" {
		return in, &flow.Fault{Code: flow.UnsupportedMedia, Message: "The body's content type is not taken here. Send application/json."}
	}
	v, err := wire.DecodeValues(c.asked.Body)
	if err != nil {
		return in, err
	}
	if f := flow.Bind(v, flow.FieldsOf[In](), &in); f != nil {
		return in, f
	}
	return in, nil
}

func send(w http.ResponseWriter, got *answer) {
	if got.body == nil {
		w.WriteHeader(got.status)
		return
	}
	w.Header().Set("Content-Type", wire.JSON)
	w.WriteHeader(got.status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(got.body) // texts, flags and lists; an error is a client that has gone
}

// record tells the audit what was decided.
func (f *Face) record(c *call, e flow.Event) {
	e.Env, e.At = c.env, f.Now()
	if e.User == "" {
		e.User = c.device.UserID
	}
	if addr, err := netip.ParseAddrPort(c.RemoteAddr); err == nil {
		e.RemoteIP = addr.Addr().Unmap().String()
	}
	f.Events.Record(context.WithoutCancel(c.Context()), e)
}

// addressOf is the client's address as it is counted: of IPv6 the /64 that one
// customer has.
func addressOf(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	ip := at.Addr().Unmap()
	if p, err := ip.Prefix(64); err == nil && ip.Is6() {
		return p.Addr().String()
	}
	return ip.String()
}
