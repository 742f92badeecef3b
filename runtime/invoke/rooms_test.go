package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/invoke"
)

// hotel is a server in which each request stays until it is let go.
type hotel struct {
	at      string
	arrived chan *guest
	mu      sync.Mutex
	inside  map[string]int // by the target that the request names
	most    map[string]int
}

type guest struct{ leave chan struct{} }

func newHotel(t testing.TB) *hotel {
	t.Helper()
	h := &hotel{arrived: make(chan *guest, 1000), inside: map[string]int{}, most: map[string]int{}}
	h.at = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		names := []string{r.Header.Get("Env"), r.Header.Get("Env") + "/" + r.Header.Get("Target")}
		h.count(names, 1)
		g := &guest{make(chan struct{})}
		h.arrived <- g
		select {
		case <-g.leave:
		case <-r.Context().Done():
		}
		h.count(names, -1)
	})
	return h
}

func (h *hotel) count(names []string, by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		h.inside[name] += by
		h.most[name] = max(h.most[name], h.inside[name])
	}
}

// stay makes a call that stays, and reports how it ended.
func (h *hotel) stay(ctx context.Context, i *invoke.Invoker, target invoke.Target) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.at, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Env", target.Env)
	req.Header.Set("Target", target.Name)
	target.Origins, target.Rate, target.Burst = []string{h.at}, 1e6, 1e6
	_, err = i.Do(ctx, invoke.Call{Target: target, Request: req})
	return err
}

// Three slow services fill an environment, a fourth is refused at once, and the
// environment beside it does not notice.
func TestBulkheads(t *testing.T) {
	h := newHotel(t)
	i := invoker(t, invoke.Options{Guard: opened(t, h.at)})
	var calls sync.WaitGroup
	var refused atomic.Int32
	enter := func(env, name string, n int) {
		for range n {
			calls.Go(func() {
				var e *invoke.Error
				if err := h.stay(t.Context(), i, invoke.Target{Env: env, Name: name}); errors.As(err, &e) {
					if e.Code != invoke.TooMany || e.Open || e.RetryAfter != time.Second {
						t.Errorf("refused with %+v", e)
					}
					refused.Add(1)
				}
			})
		}
	}
	var guests []*guest
	wait := func(n int) {
		t.Helper()
		for range n {
			select {
			case g := <-h.arrived:
				guests = append(guests, g)
			case <-time.After(5 * time.Second):
				t.Fatalf("%d guests arrived, want %d more", len(guests), n)
			}
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		enter("one", name, 40)
		wait(15)
	}
	enter("one", "d", 20)
	enter("two", "a", 10)
	wait(10)
	for end := time.Now().Add(5 * time.Second); refused.Load() != 75+20; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d were refused", refused.Load())
		}
	}
	for _, s := range i.States() {
		want := map[string]int{"one/a": 15, "one/b": 15, "one/c": 15, "one/d": 0, "two/a": 10}[s.Env+"/"+s.Target]
		if s.Concurrent != want {
			t.Errorf("%s of %s has %d, want %d", s.Target, s.Env, s.Concurrent, want)
		}
	}
	for _, g := range guests {
		close(g.leave)
	}
	calls.Wait()
	if h.most["one"] != 45 || h.most["one/a"] != 15 {
		t.Errorf("at most %v were inside", h.most)
	}
	for _, s := range i.States() {
		if s.Concurrent != 0 {
			t.Errorf("%s of %s keeps %d", s.Target, s.Env, s.Concurrent)
		}
	}
}

// Whoever comes and goes in whatever order, a call is refused if and only if its
// target or its environment is full.
func TestNeverMoreThanTheLimits(t *testing.T) {
	h := newHotel(t)
	g := opened(t, h.at)
	rapid.Check(t, func(r *rapid.T) {
		i := invoke.New(invoke.Options{Guard: g, Now: time.Now})
		defer i.Close()
		ctx, cancel := context.WithCancel(context.Background())
		var calls sync.WaitGroup
		defer calls.Wait()
		defer cancel()
		type stay struct {
			target invoke.Target
			guest  *guest
			ended  chan error
		}
		var inside []stay
		count := func(is func(invoke.Target) bool) int {
			n := 0
			for _, s := range inside {
				if is(s.target) {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 120).Draw(r, "events") {
			if len(inside) > 0 && rapid.IntRange(0, 4).Draw(r, "goes") == 0 {
				n := rapid.IntRange(0, len(inside)-1).Draw(r, "who")
				close(inside[n].guest.leave)
				if err := <-inside[n].ended; err != nil {
					r.Fatalf("a guest was not answered: %v", invoke.Reason(err))
				}
				inside = slices.Delete(inside, n, n+1)
				continue
			}
			target := invoke.Target{
				Env:        rapid.SampledFrom([]string{"one", "two"}).Draw(r, "env"),
				Name:       rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "name"),
				Concurrent: 20,
			}
			full := count(func(o invoke.Target) bool { return o.Env == target.Env }) >= invoke.PerEnvironment ||
				count(func(o invoke.Target) bool { return o.Env == target.Env && o.Name == target.Name }) >= target.Concurrent
			s := stay{target: target, ended: make(chan error, 1)}
			calls.Go(func() { s.ended <- h.stay(ctx, i, target) })
			select {
			case s.guest = <-h.arrived:
				if full {
					r.Fatalf("%s/%s was full, and let somebody in", target.Env, target.Name)
				}
				inside = append(inside, s)
			case err := <-s.ended:
				if !full {
					r.Fatalf("%s/%s had place, and refused: %v", target.Env, target.Name, invoke.Reason(err))
				}
			}
		}
	})
}

func TestRate(t *testing.T) {
	at := answers(t)
	clock := newClock()
	o := outlet{invoker(t, invoke.Options{Guard: opened(t, at), Now: clock.now}), invoke.Target{Env: "one", Origins: []string{at}, Rate: 0.5, Burst: 3}}
	for range 3 {
		_, err := o.call(t, http.MethodGet, at, "")
		ends(t, err, "")
	}
	var e *invoke.Error
	if _, err := o.call(t, http.MethodGet, at, ""); !errors.As(err, &e) || e.Code != invoke.TooMany || e.Open || e.RetryAfter != 2*time.Second {
		t.Errorf("refused with %+v", e)
	}
	other := o
	other.Env = "two"
	_, err := other.call(t, http.MethodGet, at, "")
	ends(t, err, "")
	clock.add(2 * time.Second)
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, "")
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, invoke.TooMany)
	o.Rate, o.Burst = 1000, 1000 // as a new configuration says
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, invoke.TooMany)
	clock.add(time.Millisecond)
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, "")
}

type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.at.Store(time.Now().UnixNano())
	return c
}
func (c *clock) now() time.Time      { return time.Unix(0, c.at.Load()) }
func (c *clock) add(d time.Duration) { c.at.Add(int64(d)) }

func TestTargetsAreForgotten(t *testing.T) {
	at := answers(t)
	clock := newClock()
	i := invoker(t, invoke.Options{Guard: opened(t, at, "http://127.0.0.1:1"), Now: clock.now})
	post := func(env, name, at string) error {
		_, err := i.Do(t.Context(), invoke.Call{
			Target: invoke.Target{Env: env, Name: name, Origins: []string{at}}, Request: request(t, http.MethodPost, at, ""),
		})
		return err
	}
	known := func(want ...string) {
		t.Helper()
		var got []string
		for _, s := range i.States() {
			got = append(got, s.Env+"/"+s.Target+" "+s.Breaker)
		}
		if !slices.Equal(got, want) {
			t.Errorf("known are %q, want %q", got, want)
		}
	}
	ends(t, post("one", "well", at), "")
	for range 10 {
		ends(t, post("one", "sick", "http://127.0.0.1:1"), invoke.NoResponse)
	}
	clock.add(9 * time.Minute)
	ends(t, post("two", "new", at), "")
	known("one/sick open", "one/well closed", "two/new closed")
	clock.add(2 * time.Minute)
	ends(t, post("two", "new", at), "")
	known("one/sick open", "two/new closed")
	clock.add(time.Hour)
	ends(t, post("three", "new", at), "")
	known("three/new closed")
}

func TestTargetsOfAnEnvironmentAreCounted(t *testing.T) {
	at := answers(t)
	clock := newClock()
	i := invoker(t, invoke.Options{Guard: opened(t, at), Now: clock.now})
	get := func(env, name string) error {
		_, err := i.Do(t.Context(), invoke.Call{
			Target: invoke.Target{Env: env, Name: name, Origins: []string{at}}, Request: request(t, http.MethodGet, at, ""),
		})
		return err
	}
	for n := range invoke.MaxTargets {
		ends(t, get("one", fmt.Sprint(n)), "")
	}
	ends(t, get("one", "too many"), invoke.TooMany)
	ends(t, get("one", "0"), "")
	ends(t, get("two", "0"), "")
	clock.add(10 * time.Minute)
	ends(t, get("one", "too many"), "")
	if n := len(i.States()); n != 1 {
		t.Errorf("%d targets are known", n)
	}
}

func TestClosedInvokerRefuses(t *testing.T) {
	at := answers(t)
	o := local(t, at)
	_, err := o.call(t, http.MethodGet, at, "")
	ends(t, err, "")
	o.Close()
	_, err = o.call(t, http.MethodGet, at, "")
	ends(t, err, invoke.Failed)
}
