package invoke_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/invoke"
)

// clinic is a target whose health a test decides. It keeps no connection, so that
// the clock of a bubble can go on.
type clinic struct {
	at     string
	status atomic.Int32
	asked  atomic.Int32
	hold   atomic.Pointer[chan struct{}] // while set, a request waits for it
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := new(clinic)
	c.status.Store(http.StatusOK)
	c.at = serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the caller is not seen
		c.asked.Add(1)
		if hold := c.hold.Load(); hold != nil {
			select {
			case <-*hold:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("Connection", "close")
		if c.status.Load() == 299 {
			w.Header().Set("Content-Encoding", "br")
		}
		w.WriteHeader(int(c.status.Load()))
	})
	return c
}

// heard notes what an Observer is told.
type heard struct {
	mu     sync.Mutex
	turns  []string
	called map[invoke.Code]int
}

func (h *heard) Called(_, _ string, code invoke.Code, _ time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.called == nil {
		h.called = map[invoke.Code]int{}
	}
	h.called[code]++
}

func (h *heard) Turned(env, target, from, to string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turns = append(h.turns, env+"/"+target+" "+from+" "+to)
}

func breaker(o outlet) string {
	for _, s := range o.States() {
		if s.Env == o.Env && s.Target == o.Name {
			return s.Breaker
		}
	}
	return ""
}

// TestSec_SSRF_BREAKER holds that what people can bring about opens no breaker, and
// that one target's breaker is nobody else's.
func TestSec_SSRF_BREAKER(t *testing.T) {
	c := newClinic(t)
	guard := opened(t, c.at)
	target := invoke.Target{Env: "one", Name: "sms", Origins: []string{c.at}, Rate: 1e6, Burst: 1e6}
	post := func(t *testing.T, o outlet) error {
		t.Helper()
		_, err := o.call(t, http.MethodPost, c.at, "{}")
		return err
	}
	many := func(t *testing.T, o outlet, n, status int) {
		t.Helper()
		c.status.Store(int32(status))
		for range n {
			_ = post(t, o)
		}
	}
	t.Run("answers that are a person's doing", func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), target}
		for _, status := range []int{400, 401, 404, 422, 429, 499, 299 /* not taken */} {
			many(t, o, 100, status)
		}
		many(t, o, 9, 500)
		many(t, o, 1, 404)
		many(t, o, 9, 503)
		if got := breaker(o); got != "closed" {
			t.Errorf("breaker is %s", got)
		}
	})
	t.Run("calls that were given up", func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), target}
		hold := make(chan struct{})
		c.hold.Store(&hold)
		defer c.hold.Store(nil)
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			_, err := o.Do(ctx, invoke.Call{Target: target, Request: request(t, http.MethodPost, c.at, "{}")})
			ends(t, err, invoke.Failed)
		}
		if got := breaker(o); got != "closed" {
			t.Errorf("breaker is %s", got)
		}
	})
	t.Run("calls that we refuse", func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), target}
		o.Origins = append(o.Origins, "https://10.0.0.1")
		for range 50 {
			_, err := o.call(t, http.MethodGet, "https://10.0.0.1/", "")
			ends(t, err, invoke.Malicious)
			_, err = o.call(t, http.MethodGet, "https://evil.example/", "")
			ends(t, err, invoke.Misconfigured)
		}
		if got := breaker(o); got != "closed" {
			t.Errorf("breaker is %s", got)
		}
	})
	t.Run("a target that is down for one environment", func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), target}
		many(t, o, 10, 503)
		before := c.asked.Load()
		err := post(t, o)
		ends(t, err, invoke.TooMany)
		var e *invoke.Error
		if !errors.As(err, &e) || !e.Open || e.RetryAfter < time.Second || e.RetryAfter > 5*time.Second || c.asked.Load() != before {
			t.Errorf("refused by %+v after %d more", e, c.asked.Load()-before)
		}
		for _, other := range []invoke.Target{{Env: "two", Name: "sms"}, {Env: "one", Name: "mail"}} {
			other.Origins = target.Origins
			ends(t, post(t, outlet{o.Invoker, other}), "")
		}
	})
	t.Run("an open breaker refuses at once", func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), target}
		many(t, o, 10, 500)
		best := time.Hour
		for range 20 {
			began := time.Now()
			ends(t, post(t, o), invoke.TooMany)
			best = min(best, time.Since(began))
		}
		if best > 5*time.Millisecond {
			t.Errorf("refused after %v", best)
		}
	})
}

// At its time one call finds out, and no other is made meanwhile.
func TestOneProbeFindsOut(t *testing.T) {
	c := newClinic(t)
	guard := opened(t, c.at)
	hold := make(chan struct{})
	synctest.Test(t, func(t *testing.T) {
		ear := new(heard)
		o := outlet{invoker(t, invoke.Options{Guard: guard, Observer: ear}), invoke.Target{Env: "one", Name: "sms", Origins: []string{c.at}, Rate: 1e6, Burst: 1e6}}
		post := func() error {
			_, err := o.call(t, http.MethodPost, c.at, "{}")
			return err
		}
		c.status.Store(503)
		for range 10 {
			ends(t, post(), "")
		}
		time.Sleep(4900 * time.Millisecond)
		ends(t, post(), invoke.TooMany)
		time.Sleep(200 * time.Millisecond)
		ends(t, post(), "") // the probe, which is answered 503
		ends(t, post(), invoke.TooMany)
		if n := c.asked.Load(); n != 11 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(5100 * time.Millisecond)
		c.status.Store(200)
		c.hold.Store(&hold)
		probe := make(chan error)
		go func() { probe <- post() }()
		for c.asked.Load() != 12 { // the probe has arrived, and waits
		}
		for range 200 {
			var e *invoke.Error
			if err := post(); !errors.As(err, &e) || e.Code != invoke.TooMany || !e.Open || e.RetryAfter != time.Second {
				t.Errorf("during the probe: %v", err)
			}
		}
		c.hold.Store(nil)
		close(hold)
		ends(t, <-probe, "")
		ends(t, post(), "")
		if n := c.asked.Load(); n != 13 {
			t.Errorf("asked %d times", n)
		}
		want := []string{
			"one/sms closed open", "one/sms open half-open", "one/sms half-open open",
			"one/sms open half-open", "one/sms half-open closed",
		}
		if !slices.Equal(ear.turns, want) || ear.called[""] != 13 || ear.called[invoke.TooMany] != 202 {
			t.Errorf("heard %q and %v", ear.turns, ear.called)
		}
	})
}

// A probe that is given up says nothing, and leaves the place to the next.
func TestProbeThatIsGivenUp(t *testing.T) {
	c := newClinic(t)
	guard := opened(t, c.at)
	synctest.Test(t, func(t *testing.T) {
		o := outlet{invoker(t, invoke.Options{Guard: guard}), invoke.Target{Origins: []string{c.at}}}
		c.status.Store(500)
		for range 10 {
			_, _ = o.call(t, http.MethodPost, c.at, "{}")
		}
		time.Sleep(5100 * time.Millisecond)
		o.Origins = append(o.Origins, "https://10.0.0.1")
		_, err := o.call(t, http.MethodGet, "https://10.0.0.1", "")
		ends(t, err, invoke.Malicious)
		if got := breaker(o); got != "half-open" {
			t.Errorf("breaker is %s", got)
		}
		c.status.Store(200)
		_, err = o.call(t, http.MethodPost, c.at, "{}")
		ends(t, err, "")
		if got := breaker(o); got != "closed" {
			t.Errorf("breaker is %s", got)
		}
	})
}

// Whatever way a target is dead, ten calls open its breaker.
func TestDeadTargetsOpenTheBreaker(t *testing.T) {
	gone := dns(t, fixed())
	for name, row := range map[string]struct {
		at   string
		want invoke.Code
	}{
		"refuses connections": {dead(t), invoke.NoResponse},
		"closes connections":  {raw(t, func(net.Conn) {}), invoke.NoResponse},
		"hangs":               {raw(t, func(net.Conn) { time.Sleep(time.Second) }), invoke.TimedOut},
		"has no address":      {"https://api.example", invoke.NoResponse},
		"speaks no TLS":       {"https" + raw(t, func(c net.Conn) { _, _ = c.Write([]byte("hello\r\n\r\n")) })[4:], invoke.HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			g := guard(t)
			if row.at != "https://api.example" {
				g = opened(t, row.at)
			}
			o := outlet{invoker(t, invoke.Options{Guard: g, Resolver: gone}), invoke.Target{Origins: []string{row.at}}}
			if row.want == invoke.TimedOut {
				o.Timeout = 50 * time.Millisecond
			}
			for range 10 {
				_, err := o.call(t, http.MethodPost, row.at, "{}")
				ends(t, err, row.want)
			}
			_, err := o.call(t, http.MethodPost, row.at, "{}")
			ends(t, err, invoke.TooMany)
		})
	}
}
