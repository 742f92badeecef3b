package main_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// refused sends one of everything that needs the store, for as long as d, and
// fails the test unless each is refused as for a store that is down.
func refused(t *testing.T, n *nodetest.Node, w *witness, d time.Duration) {
	t.Helper()
	door := newDoor(n)
	probe := *w
	probe.send = door.send
	var took []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end) || len(took) == 0; {
		for _, deed := range []deed{probe.look(), probe.submit(resetAction, "{}"), probe.authorize(), probe.resume()} {
			a, err := probe.do(deed)
			if err != nil || !a.unavailable() || member(a.body, "code") != "SERVICE_UNAVAILABLE" {
				t.Errorf("%s %.60s with the store down: %v, %v", deed.method, deed.path, a, err)
			}
			took = append(took, a.took)
		}
	}
	inTime(t, took)
	if a, err := door.get("/readyz"); err != nil || !a.unavailable() {
		t.Errorf("/readyz with the store down: %v, %v", a, err)
	}
	if a, err := door.get("/healthz"); err != nil || a.status != http.StatusOK {
		t.Errorf("/healthz with the store down: %v, %v", a, err)
	}
}

// inTime holds answers to the half second that is promised, and to as much again for
// a machine that runs other tests beside this one. A broken bound makes most of them
// later than that: by itself a client of Redis waits for seconds, and tries again.
func inTime(t *testing.T, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	middle, last := took[len(took)/2], took[len(took)-1]
	t.Logf("%d refusals, half within %v, all within %v", len(took), middle, last)
	if middle > time.Second || last > 4*time.Second {
		t.Errorf("refusals took %v in the middle and %v at worst", middle, last)
	}
}

// recovers waits for the first good answer and for /readyz.
func recovers(t *testing.T, n *nodetest.Node, w *witness) {
	t.Helper()
	probe := *w
	probe.send = newDoor(n).send
	took := within(t, 2*time.Second, "the first good answer", func() bool {
		a, err := probe.do(probe.look())
		return err == nil && a.status == http.StatusOK
	})
	t.Logf("good again after %v", took)
	within(t, 4*time.Second, "a green /readyz", func() bool {
		a, err := newDoor(n).get("/readyz")
		return err == nil && a.status == http.StatusOK
	})
}

// outage is a store that goes away under load and comes back.
func outage(t *testing.T, s *redistest.Server, o nodetest.Options, during func(n *nodetest.Node, w *witness)) {
	t.Helper()
	n := nodetest.Start(t, o)
	still := at(n).mustStart(t)
	c := gather(t, n, 4, newDoor(n).send)
	time.Sleep(300 * time.Millisecond)
	for range rounds(1, 1, 10) {
		during(n, still)
		recovers(t, n, still)
		time.Sleep(300 * time.Millisecond)
	}
	c.judge(t, s)
	if tag := still.etag; tag != "" {
		if still.must(t, still.look(), http.StatusOK); still.etag != tag {
			t.Error("a submit that was refused with 503 is done")
		}
	}
}

func TestFaultKillRedis(t *testing.T) {
	s := redistest.Start(t)
	outage(t, s, patient(t, s), func(n *nodetest.Node, w *witness) {
		s.Kill()
		refused(t, n, w, time.Second)
		s.Restart()
	})
}

func TestFaultPauseRedis(t *testing.T) {
	s := redistest.Start(t)
	outage(t, s, patient(t, s), func(n *nodetest.Node, w *witness) {
		s.Pause()
		refused(t, n, w, 2*time.Second)
		s.Continue()
	})
}

// TestFaultRepliesLost: Redis does what it is asked and nobody hears of it.
func TestFaultRepliesLost(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	relay := newRelay(t, s.Addr)
	o := patient(t, s)
	o.Redis = "redis://" + relay.addr
	outage(t, s, o, func(n *nodetest.Node, _ *witness) {
		relay.deaf.Store(true)
		time.Sleep(time.Second)
		relay.deaf.Store(false)
	})
}

// TestFaultRefusingRedis: a server that answers and does not write is a no.
func TestFaultRefusingRedis(t *testing.T) {
	s := redistest.Start(t, "--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
	n := nodetest.Start(t, patient(t, s))
	ctx := t.Context()
	do := func(t *testing.T, args ...any) {
		t.Helper()
		if err := s.Client().Do(ctx, args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name     string
		begin    []any
		end      []any
		readable bool // flows can still be read
	}{
		{"is out of memory", []any{"config", "set", "maxmemory", "1mb"}, []any{"config", "set", "maxmemory", "0"}, true},
		{"wants replicas", []any{"config", "set", "min-replicas-to-write", "1"}, []any{"config", "set", "min-replicas-to-write", "0"}, true},
		{"pauses writes", []any{"client", "pause", "60000", "write"}, []any{"client", "unpause"}, true},
		{"pauses", []any{"client", "pause", "8000", "all"}, []any{"ping"}, false},
		{"has become a replica", []any{"replicaof", "127.0.0.1", "1"}, []any{"replicaof", "no", "one"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := at(n).mustStart(t)
			w.must(t, w.submit(resetAction, "{}"), http.StatusOK)
			done := at(n).mustStart(t)
			done.must(t, done.submit(checkAction, rightOne), http.StatusOK)
			do(t, row.begin...)
			t.Cleanup(func() { _ = s.Client().Do(t.Context(), row.end...).Err() })
			d := w.submit(resetAction, "{}")
			var took []time.Duration
			for _, deed := range []deed{d, w.authorize(), done.resume(), d} {
				a, err := w.do(deed)
				if err != nil || !a.unavailable() {
					t.Errorf("%s %.60s: %v, %v", deed.method, deed.path, a, err)
				}
				took = append(took, a.took)
			}
			a, err := w.do(w.look())
			for range 4 {
				if row.readable && err == nil && a.unavailable() { // too late, on a busy machine
					a, err = w.do(w.look())
				}
			}
			if err != nil || (a.status == http.StatusOK) != row.readable || (a.status != http.StatusOK && !a.unavailable()) {
				t.Errorf("GET: %v, %v", a, err)
			}
			inTime(t, took)
			within(t, 10*time.Second, "the end of it", func() bool { return s.Client().Do(t.Context(), row.end...).Err() == nil })
			recovers(t, n, w)
			if got := stored(t, s, w.flow); got != w.acks+1 {
				t.Errorf("version %d after %d acknowledged submits", got, w.acks)
			}
			if a, err := w.insist(d); err != nil || a.status != http.StatusOK {
				t.Errorf("the repeat: %v, %v", a, err)
			}
			if got := stored(t, s, w.flow); got != w.acks+1 {
				t.Errorf("version %d after %d acknowledged submits and a repeat", got, w.acks)
			}
			if done.must(t, done.resume(), http.StatusOK).code() == "" {
				t.Error("no code after the store is back")
			}
		})
	}
	t.Run("loads its data", func(t *testing.T) { loading(t, s, n) })
}

// loading restarts a server that needs seconds to read what it has.
func loading(t *testing.T, s *redistest.Server, n *nodetest.Node) {
	t.Helper()
	w := at(n).mustStart(t)
	for range 200 {
		at(n).mustStart(t)
	}
	if err := s.Client().BgRewriteAOF(t.Context()).Err(); err != nil { // it answers while it loads a snapshot alone
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the rewritten file", func() bool {
		info, err := s.Client().Info(t.Context(), "persistence").Result()
		return err == nil && strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
	s.Kill()
	back := make(chan struct{})
	go func() { defer close(back); s.Restart() }()
	for loaded := false; !loaded; {
		select {
		case <-back:
			loaded = true
		default:
			if a, err := w.do(w.look()); err != nil || (a.status != http.StatusOK && !a.unavailable()) {
				t.Errorf("GET while loading: %v, %v", a, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	if !strings.Contains(n.Log(), "LOADING") {
		t.Error("the server was never met while it loaded")
	}
	recovers(t, n, w)
}

// TestFaultUnsafeRedis: a server that may lose or drop flows is not served on.
func TestFaultUnsafeRedis(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, setting, value, says string }{
		{"it evicts", "--maxmemory-policy", "allkeys-lru", `maxmemory-policy is "allkeys-lru", want "noeviction"`},
		{"it keeps no log", "--appendonly", "no", `appendonly is "no", want "yes"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := patient(t, redistest.Start(t, row.setting, row.value))
			addr := nodetest.FreeAddr(t)
			cmd := exec.Command(nodetest.Binary(t), "serve", "--listen", addr, "--redis", o.Redis, "--keys", o.Keys,
				"--database", o.DB, "--data", filepath.Dir(o.DB))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), row.says) {
				t.Errorf("serve ended with %v and said\n%s\nwant %s", err, out, row.says)
			}
			o.Args = []string{"--accept-unsafe-redis"}
			n := nodetest.Start(t, o)
			w := at(n).mustStart(t)
			w.must(t, w.submit(checkAction, rightOne), http.StatusOK)
		})
	}
}
