package session_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/internal/redistest"
	"doorward/runtime/flow"
	"doorward/session"
)

// promptly is what an answer may take while Redis is broken.
const promptly = 500 * time.Millisecond

func open(tb testing.TB, o session.Options) *session.Redis {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	s, err := session.Open(tb.Context(), o)
	must(tb, err)
	tb.Cleanup(func() { must(tb, s.Close()) })
	return s
}

// calls are all calls that requests make; x is an execution that "a" has
// leased.
func calls(tb testing.TB, s *session.Redis, x *flow.Execution) map[string]func(ctx context.Context) error {
	tb.Helper()
	now := time.Now()
	next, free := *x, fresh(newRef(), now)
	next.Version++
	must(tb, s.Create(tb.Context(), free, nil))
	must(tb, s.PutSecret(tb.Context(), free.Ref.ID, digest(), 100, time.Minute))
	return map[string]func(ctx context.Context) error{
		"Create":  func(ctx context.Context) error { return s.Create(ctx, fresh(newRef(), now), []flow.Limit{limit(9)}) },
		"Load":    func(ctx context.Context) error { _, _, err := s.Load(ctx, x.Ref, digest()); return err },
		"Acquire": func(ctx context.Context) error { _, _, err := s.Acquire(ctx, free.Ref, claim("a"), nil); return err },
		"Save":    func(ctx context.Context) error { return s.Save(ctx, &next, "a") },
		"Release": func(ctx context.Context) error { return s.Release(ctx, x.Ref, "nobody") },
		"Resume": func(ctx context.Context) error {
			_, _, err := s.Resume(ctx, x.Ref, x.Binding, digest())
			return err
		},
		"Session":    func(ctx context.Context) error { _, err := s.Session(ctx, x.Ref.Env, digest(), nil); return err },
		"PutSession": func(ctx context.Context) error { return s.PutSession(ctx, x.Ref.Env, digest(), signOn(now)) },
		"SessionKey": func(ctx context.Context) error { _, err := s.SessionKey(ctx, x.Ref.Env, newRef().ID); return err },
		"EndSession": func(ctx context.Context) error { _, err := s.EndSession(ctx, x.Ref.Env, digest()); return err },
		"PutSecret":  func(ctx context.Context) error { return s.PutSecret(ctx, newRef().ID, digest(), 3, time.Minute) },
		"UseSecret":  func(ctx context.Context) error { _, err := s.UseSecret(ctx, free.Ref.ID, digest(), "1"); return err },
		"Health":     s.Health,
	}
}

// refuseAll fails unless every call, or all but some, is an error that does not
// look like an answer, and comes in time.
func refuseAll(t *testing.T, calls map[string]func(ctx context.Context) error, but ...string) {
	t.Helper()
	for name, call := range calls {
		var err error
		took := time.Hour
		for try := 0; took > promptly && try < 4; try++ { // the machine may be busy
			began := time.Now()
			err = call(t.Context())
			took = min(took, time.Since(began))
		}
		if took > promptly {
			t.Errorf("%s took %v", name, took)
		}
		wanted := slices.Contains(but, name)
		if wanted != (err == nil) || errors.Is(err, flow.ErrUnknown) || errors.Is(err, flow.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// leased stores an execution and takes its lease, as "a".
func leased(tb testing.TB, s *session.Redis) *flow.Execution {
	tb.Helper()
	x := fresh(newRef(), time.Now().UTC().Truncate(time.Millisecond))
	must(tb, s.Create(tb.Context(), x, nil))
	x, _, err := s.Acquire(tb.Context(), x.Ref, claim("a"), nil)
	must(tb, err)
	return x
}

func TestBrokenRedis(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, session.Options{URL: server.URL()})
	raw := server.Client()
	config := func(name, value string) { must(t, raw.ConfigSet(t.Context(), name, value).Err()) }

	t.Run("dead: refused at once, and good within 2 s of its return with nothing lost", func(t *testing.T) {
		x := leased(t, s)
		all := calls(t, s, x)
		time.Sleep(1100 * time.Millisecond) // the append-only file is synced every second
		server.Kill()
		refuseAll(t, all)
		server.Restart()
		began := time.Now()
		for s.Health(t.Context()) != nil && time.Since(began) < 2*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		x.Version++
		must(t, s.Save(t.Context(), x, "a")) // also the lease was kept
	})
	t.Run("standing still: refused in time, and a save that ran later is already mine", func(t *testing.T) {
		x := leased(t, s)
		all := calls(t, s, x)
		server.Pause()
		refuseAll(t, all)
		server.Continue()
		x.Version++
		must(t, s.Save(t.Context(), x, "a"))
	})
	t.Run("stopped: a lease taken unseen is given back soon after", func(t *testing.T) {
		x := fresh(newRef(), time.Now().UTC().Round(time.Millisecond))
		must(t, s.Create(t.Context(), x, nil))
		server.Pause()
		if _, _, err := s.Acquire(t.Context(), x.Ref, claim("lost"), nil); err == nil {
			t.Error("a stopped server gave a lease")
		}
		server.Continue()
		var held *flow.HeldError
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			_, _, err := s.Acquire(t.Context(), x.Ref, claim("next"), nil)
			if err == nil {
				break
			}
			if !errors.As(err, &held) || time.Now().After(end) {
				t.Fatal(err)
			}
		}
	})
	t.Run("a replica: nothing stale is shown", func(t *testing.T) {
		x := leased(t, s)
		all := calls(t, s, x)
		must(t, raw.Do(t.Context(), "replicaof", "127.0.0.1", "1").Err())
		refuseAll(t, all, "Release") // of nothing
		must(t, raw.Do(t.Context(), "replicaof", "no", "one").Err())
		must(t, s.Health(t.Context()))
		_, _, err := s.Load(t.Context(), x.Ref, flow.Digest{})
		must(t, err)
	})
	t.Run("out of memory: what needs no room goes on", func(t *testing.T) {
		x := leased(t, s)
		all := calls(t, s, x)
		config("maxmemory", "1")
		refuseAll(t, all, "Load", "Release", "Resume", "Session", "SessionKey", "EndSession", "Health")
		config("maxmemory", "0")
		x.Version++
		must(t, s.Save(t.Context(), x, "a"))
	})
	t.Run("writes paused: refused in time", func(t *testing.T) {
		x := leased(t, s)
		all := calls(t, s, x)
		must(t, raw.Do(t.Context(), "client", "pause", 60_000, "write").Err())
		refuseAll(t, all, "Load", "Session", "SessionKey", "Health")
		must(t, raw.ClientUnpause(t.Context()).Err())
	})
	t.Run("without its scripts: they are given again and run once", func(t *testing.T) {
		x := leased(t, s)
		l := limit(2)
		for range 2 {
			must(t, raw.ScriptFlush(t.Context()).Err())
			_, _, err := s.Acquire(t.Context(), x.Ref, claim("a"), []flow.Limit{l})
			must(t, err)
		}
		_, err := s.Session(t.Context(), x.Ref.Env, digest(), []flow.Limit{l})
		wantsPassed(t, err, l)
		must(t, raw.ScriptFlush(t.Context()).Err())
		for range 2 {
			must(t, s.Uncount(t.Context(), []flow.Limit{l}))
		}
		must(t, s.Count(t.Context(), []flow.Limit{l}))
		wantsPassed(t, s.Count(t.Context(), []flow.Limit{l}), l)
		must(t, raw.ScriptFlush(t.Context()).Err())
		x.Version++
		must(t, s.Save(t.Context(), x, "a"))
	})
	t.Run("a caller that is gone is not served", func(t *testing.T) {
		x := leased(t, s)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for name, call := range calls(t, s, x) {
			if err := call(gone); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestForeignValues(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, session.Options{URL: server.URL()})
	raw := server.Client()
	t.Run("a record of another type is unknown", func(t *testing.T) {
		ref := newRef()
		must(t, raw.RPush(t.Context(), session.RecordKey(ref), "x").Err())
		_, _, err := s.Load(t.Context(), ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		_, _, err = s.Acquire(t.Context(), ref, claim("a"), nil)
		wants(t, err, flow.ErrUnknown)
		_, _, err = s.Resume(t.Context(), ref, digest(), flow.Digest{})
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("a lease of other making is somebody's", func(t *testing.T) {
		x := fresh(newRef(), time.Now())
		must(t, s.Create(t.Context(), x, nil))
		for _, lease := range []string{"x", strings.Repeat("x", 16), strings.Repeat("x", 99)} {
			must(t, raw.Set(t.Context(), session.LeaseKey(x.Ref), lease, time.Minute).Err())
			var held *flow.HeldError
			if _, _, err := s.Acquire(t.Context(), x.Ref, claim("a"), nil); !errors.As(err, &held) {
				t.Errorf("%d bytes: %v", len(lease), err)
			}
		}
		must(t, raw.Del(t.Context(), session.RecordKey(x.Ref)).Err())
		_, _, err := s.Acquire(t.Context(), x.Ref, claim("a"), nil)
		wants(t, err, flow.ErrUnknown)
	})
	t.Run("of a record of 10 MB little is read", func(t *testing.T) {
		ref := newRef()
		must(t, raw.Set(t.Context(), session.RecordKey(ref), make([]byte, 10<<20), time.Minute).Err())
		before := sent(t, raw)
		_, _, err := s.Load(t.Context(), ref, flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		_, _, err = s.Acquire(t.Context(), ref, claim("a"), nil)
		wants(t, err, flow.ErrUnknown)
		_, _, err = s.Resume(t.Context(), ref, digest(), flow.Digest{})
		wants(t, err, flow.ErrUnknown)
		if n := sent(t, raw) - before; n > 64<<10 {
			t.Errorf("%d bytes were read", n)
		}
	})
	t.Run("a session that cannot be read is none", func(t *testing.T) {
		env, st := newRef().Env, digest()
		for _, b := range [][]byte{{0}, []byte("garbage"), make([]byte, 1<<20), {0x91, 0}} {
			must(t, raw.Set(t.Context(), session.SessionKey(env, st), b, time.Minute).Err())
			got, err := s.Session(t.Context(), env, st, nil)
			if got != nil || err != nil {
				t.Errorf("%.8q: %v, %v", b, got, err)
			}
		}
	})
	t.Run("a session of a newer format is left to newer nodes", func(t *testing.T) {
		env, st := newRef().Env, digest()
		must(t, raw.Set(t.Context(), session.SessionKey(env, st), []byte{0x91, 2}, time.Minute).Err())
		_, err := s.Session(t.Context(), env, st, nil)
		wants(t, err, flow.ErrNewer)
	})
	t.Run("a counter that lost its end gets one", func(t *testing.T) {
		l := limit(5)
		must(t, raw.Set(t.Context(), session.LimitKey(l), 2, 0).Err())
		_, err := s.Session(t.Context(), newRef().Env, digest(), []flow.Limit{l})
		must(t, err)
		if ttl := raw.PTTL(t.Context(), session.LimitKey(l)).Val(); ttl <= 0 || ttl > l.Window {
			t.Errorf("ends in %v", ttl)
		}
	})
}

func TestResumeNeverLengthensTheLifeInRedis(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, session.Options{URL: server.URL()})
	x := fresh(newRef(), time.Now())
	x.Status, x.ExpiresAt = flow.Completed, time.Now().Add(5*time.Second)
	must(t, s.Create(t.Context(), x, nil))
	_, _, err := s.Resume(t.Context(), x.Ref, x.Binding, flow.Digest{})
	must(t, err)
	if left := server.Client().PTTL(t.Context(), session.RecordKey(x.Ref)).Val(); left <= 0 || left > 5*time.Second {
		t.Errorf("%v are left", left)
	}
}

// sent is how many bytes the server has answered with.
func sent(tb testing.TB, raw *redis.Client) int {
	tb.Helper()
	info := raw.Info(tb.Context(), "stats").Val()
	_, rest, _ := strings.Cut(info, "total_net_output_bytes:")
	n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]))
	must(tb, err)
	return n
}

// A live flow at its first status: a million of them have to fit.
func TestLiveFlowTakesAtMost800Bytes(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, session.Options{URL: server.URL()})
	x := fresh(newRef(), time.Now())
	must(t, s.Create(t.Context(), x, nil))
	raw := server.Client()
	total := int64(0)
	for _, k := range raw.Keys(t.Context(), "*").Val() {
		n, err := raw.MemoryUsage(t.Context(), k, 0).Result()
		must(t, err)
		t.Logf("%s: %d bytes, value %d", k, n, raw.StrLen(t.Context(), k).Val())
		total += n
	}
	if total == 0 || total > 800 {
		t.Errorf("%d bytes", total)
	}
}
