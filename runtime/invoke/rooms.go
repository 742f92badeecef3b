package invoke

import (
	"errors"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// How long a target that nobody calls is remembered: one that was well, and one
// whose breaker still knows that it was not.
const (
	rememberWell = 10 * time.Minute
	rememberSick = time.Hour
	sweepEvery   = time.Minute
)

// rooms are the environments with their targets. They count who is inside.
type rooms struct {
	guard    *Guard
	resolver *net.Resolver
	turned   func(r *room, from, to string)

	mu     sync.Mutex
	envs   map[string]*wing
	swept  time.Time
	closed bool
}

// wing is one environment.
type wing struct {
	guard  *Guard
	rooms  map[string]*room
	inside int
}

// room is one target: what it owns, and what is counted of it.
type room struct {
	env, name string
	wing      *wing
	breaker   *gobreaker.CircuitBreaker[*Answer]
	limiter   *rate.Limiter

	// Under rooms.mu:
	inside    int
	used      time.Time
	transport *http.Transport
	given     *Target // as the limits were last set
	answers   uint64
	failures  map[Code]uint64

	reopens moment
}

// enter finds the room of a target, or makes it, and takes a place in it.
func (s *rooms) enter(t *Target, now time.Time) (*room, *http.Transport, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, &Error{Code: Failed, reason: errors.New("the invoker is closed"), blame: ours}
	}
	s.sweep(now, false)
	w := s.envs[t.Env]
	if w == nil {
		w = &wing{guard: s.guard.In(t.Env), rooms: map[string]*room{}}
		s.envs[t.Env] = w
	}
	r := w.rooms[t.Name]
	if r == nil {
		if len(w.rooms) >= MaxTargets {
			if s.sweep(now, true); len(w.rooms) >= MaxTargets {
				return nil, nil, full(errors.New("the environment has too many targets"))
			}
			s.envs[t.Env] = w
		}
		r = s.open(w, t)
		w.rooms[t.Name] = r
	}
	r.used = now
	s.fit(r, t, now)
	switch {
	case w.inside >= PerEnvironment:
		return r, nil, full(errors.New("the environment is full"))
	case r.inside >= t.concurrent():
		return r, nil, full(errors.New("the target is full"))
	}
	w.inside++
	r.inside++
	return r, r.transport, nil
}

// full is the refusal of a room that may have place in a moment.
func full(reason error) *Error {
	return &Error{Code: TooMany, RetryAfter: time.Second, reason: reason, blame: ours}
}

// leave gives the place back.
func (s *rooms) leave(r *room, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.used = now
	r.inside--
	r.wing.inside--
	if s.closed {
		r.transport.CloseIdleConnections()
	}
}

// note counts how a call ended; code is empty where it was answered.
func (s *rooms) note(r *room, code Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == "" {
		r.answers++
		return
	}
	r.failures[code]++
}

func (s *rooms) open(w *wing, t *Target) *room {
	perSecond, burst := t.rate()
	r := &room{env: t.Env, name: t.Name, wing: w, failures: map[Code]uint64{}, limiter: rate.NewLimiter(rate.Limit(perSecond), burst)}
	r.breaker = newBreaker(func(from, to string) { s.turned(r, from, to) })
	return r
}

// fit gives a room the limits and connections that its target asks for by now.
func (s *rooms) fit(r *room, t *Target, now time.Time) {
	if g := r.given; g != nil && g.TLS == t.TLS && g.Plain == t.Plain && g.Rate == t.Rate && g.Burst == t.Burst && g.Concurrent == t.Concurrent {
		return
	}
	if r.given != nil {
		perSecond, burst := t.rate()
		r.limiter.SetLimitAt(now, rate.Limit(perSecond))
		r.limiter.SetBurstAt(now, burst)
	}
	if r.given == nil || r.given.TLS != t.TLS || r.given.Plain != t.Plain {
		if r.transport != nil {
			r.transport.CloseIdleConnections()
		}
		c := &connector{guard: r.wing.guard, resolver: s.resolver, config: tlsConfig(t.TLS), plain: t.Plain}
		r.transport = c.transport()
	}
	r.given = &Target{TLS: t.TLS, Plain: t.Plain, Rate: t.Rate, Burst: t.Burst, Concurrent: t.Concurrent}
}

// sweep forgets the targets that nobody called for long.
func (s *rooms) sweep(now time.Time, all bool) {
	if !all && now.Sub(s.swept) < sweepEvery {
		return
	}
	s.swept = now
	for env, w := range s.envs {
		for name, r := range w.rooms {
			keep := rememberWell
			if r.breaker.State() != gobreaker.StateClosed {
				keep = rememberSick
			}
			if r.inside == 0 && now.Sub(r.used) >= keep {
				r.transport.CloseIdleConnections()
				delete(w.rooms, name)
			}
		}
		if len(w.rooms) == 0 {
			delete(s.envs, env)
		}
	}
}

func (s *rooms) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, w := range s.envs {
		for _, r := range w.rooms {
			r.transport.CloseIdleConnections()
		}
	}
}

// admit takes one call from the rate, or says when there will be one.
func (r *room) admit(now time.Time) *Error {
	if r.limiter.AllowN(now, 1) {
		return nil
	}
	wait := (1 - r.limiter.TokensAt(now)) / float64(r.limiter.Limit())
	e := full(errors.New("the rate of the target is used up"))
	e.RetryAfter = max(time.Second, time.Duration(math.Ceil(wait))*time.Second)
	return e
}
