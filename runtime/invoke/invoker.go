package invoke

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Observer hears of every call. Its methods return at once and do not call back.
type Observer interface {
	// Called says how a call ended: code is empty where it was answered.
	Called(env, target string, code Code, took time.Duration)
	// Turned says that a breaker changed: "closed", "open", "half-open".
	Turned(env, target, from, to string)
}

// Options are what an Invoker needs.
type Options struct {
	Guard    *Guard           // nil: public addresses on port 443, and no others
	Resolver *net.Resolver    // nil: the system's
	Now      func() time.Time // never nil
	Observer Observer         // nil: nobody
	Log      *slog.Logger     // nil: nothing is logged
}

// Invoker calls targets. It is the one way out.
type Invoker struct {
	now      func() time.Time
	observer Observer
	log      *slog.Logger
	rooms    *rooms
}

// New makes an Invoker; Close it once nobody calls.
func New(o Options) *Invoker {
	i := &Invoker{now: o.Now, observer: o.Observer, log: o.Log}
	if i.log == nil {
		i.log = slog.New(slog.DiscardHandler)
	}
	if o.Guard == nil {
		o.Guard = strict()
	}
	i.rooms = &rooms{guard: o.Guard, resolver: o.Resolver, turned: i.turned, envs: map[string]*wing{}}
	return i
}

// Close drops the connections that are idle, and refuses calls from now on. Those
// that are under way end as they would.
func (i *Invoker) Close() { i.rooms.close() }

// Do makes one call, with its redirects and at most one repeat, within the time of
// its target. Every error is an *Error.
func (i *Invoker) Do(ctx context.Context, c Call) (*Answer, error) {
	if c.Request.Body != nil {
		defer c.Request.Body.Close()
	}
	began := i.now()
	room, transport, full := i.rooms.enter(&c.Target, began)
	if full != nil {
		i.ended(&c.Target, room, full.Code, 0)
		return nil, full
	}
	code := Failed // as a panic leaves it
	defer func() {
		now := i.now()
		i.rooms.leave(room, now)
		i.ended(&c.Target, room, code, now.Sub(began))
	}()
	answer, err := i.inside(ctx, &c, room, transport)
	code = codeOf(err)
	return answer, err
}

// codeOf is empty for a call that was answered.
func codeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	default:
		return Failed
	}
}

// inside makes a call that has its place.
func (i *Invoker) inside(ctx context.Context, c *Call, r *room, transport *http.Transport) (*Answer, error) {
	if err := ctx.Err(); err != nil {
		e := failed(ctx.Err, err)
		e.blame = ours
		return nil, e
	}
	m, fault := newMessage(c, r.wing.guard)
	if fault != nil {
		return nil, fault
	}
	return r.guarded(i.now, func() (*Answer, error) {
		if fault := r.admit(i.now()); fault != nil {
			return nil, fault
		}
		within, cancel := context.WithTimeout(ctx, c.Target.timeout())
		defer cancel()
		s := &sending{message: m, room: r, transport: transport, gone: ctx.Err, now: i.now}
		return s.send(within)
	})
}

func (i *Invoker) ended(t *Target, r *room, code Code, took time.Duration) {
	if r != nil {
		i.rooms.note(r, code)
	}
	if i.observer != nil {
		i.observer.Called(t.Env, t.Name, code, took)
	}
}

// turned hears of a breaker, which holds its own lock meanwhile.
func (i *Invoker) turned(r *room, from, to string) {
	if to == "open" {
		r.reopens.set(i.now().Add(openFor))
	}
	i.log.Warn("breaker of an external service", "environment", r.env, "target", r.name, "from", from, "to", to)
	if i.observer != nil {
		i.observer.Turned(r.env, r.name, from, to)
	}
}

// HTTP is a client for libraries that want one, with the limits of the target. Its
// errors hold an *Error, and name the URL that was called, as net/http's do.
func (i *Invoker) HTTP(t Target) *http.Client {
	return &http.Client{Transport: tripper{i, t}}
}

// tripper makes each request a call of one target.
type tripper struct {
	invoker *Invoker
	target  Target
}

func (t tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := t.invoker.Do(req.Context(), Call{Target: t.target, Request: req})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status), StatusCode: answer.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.Header, Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)),
		Request: req,
	}, nil
}
