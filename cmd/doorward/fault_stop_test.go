package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorward/internal/nodetest"
	"doorward/internal/redistest"
)

// patient is what nodes of these tests share.
func patient(t *testing.T, s *redistest.Server) nodetest.Options {
	t.Helper()
	data := t.TempDir()
	return nodetest.Options{Redis: s.URL(), Keys: nodetest.NewKeys(t, data), DB: filepath.Join(data, "shared.db")}
}

// load drives flows from several people until stop is called, which returns how
// many requests were answered and what went wrong.
func load(t *testing.T, n *nodetest.Node, send func(*http.Request) (told, error)) (stop func() (int64, []string)) {
	t.Helper()
	var answered atomic.Int64
	var mu sync.Mutex
	var wrong []string
	var ended atomic.Bool
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			w := newWitness(n, send)
			for !ended.Load() {
				for _, next := range passage(w, i == 0) {
					a, err := w.steady(next())
					time.Sleep(20 * time.Millisecond)
					if err == nil && a.status == http.StatusOK {
						answered.Add(1)
						w.flow = first(w.flow, member(a.body, "id"))
						continue
					}
					mu.Lock()
					wrong = append(wrong, fmt.Sprint(a, err))
					mu.Unlock()
					break
				}
			}
		})
	}
	stop = func() (int64, []string) { ended.Store(true); wg.Wait(); return answered.Load(), wrong }
	t.Cleanup(func() { stop() })
	return stop
}

// passage is one flow from beginning to end; hashing is left to few.
func passage(w *witness, signs bool) []func() deed {
	w.flow, w.cookie, w.etag = "", "", ""
	reset := func() deed { return w.submit(resetAction, "{}") }
	steps := []func() deed{w.authorize, w.look, reset, w.look, reset, reset}
	if signs {
		steps = append(steps, func() deed { return w.submit(checkAction, rightOne) }, w.resume)
	}
	return steps
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestFaultStopLosesNothing stops one node after the other under load, with a
// new one taking each one's place.
func TestFaultStopLosesNothing(t *testing.T) {
	t.Parallel()
	o := patient(t, redistest.Start(t))
	a := nodetest.Start(t, o)
	o.BaseURL = a.Base
	b := nodetest.Start(t, o)
	lb := balance(t, a, b)
	stop := load(t, a, lb.send)
	for range rounds(1, 2, 20) {
		time.Sleep(500 * time.Millisecond)
		slow := slowBody(t, a)
		began := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- a.Term() }()
		if d := newDoor(a); !redWithin(d, 2*time.Second) {
			t.Error("/readyz stays green after SIGTERM")
		}
		slow(t, drainSeen) // ends after the listener has closed
		if err := <-ended; err != nil {
			t.Errorf("a stopped node ends with %v", err)
		}
		if took := time.Since(began); took > 25*time.Second || took < drainSeen-time.Second {
			t.Errorf("a stop took %v", took)
		}
		next := nodetest.Start(t, o)
		lb.add(next)
		a, b = b, next
	}
	answered, wrong := stop()
	if len(wrong) > 0 || answered < 100 {
		t.Errorf("%d requests answered, %d failed, the first: %v", answered, len(wrong), wrong[:min(3, len(wrong))])
	}
}

// drainSeen is later than a stopping node closes its listener.
const drainSeen = 6 * time.Second

func redWithin(d *door, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if a, err := d.get("/readyz"); err == nil && a.unavailable() {
			return true
		}
	}
	return false
}

// slowBody sends half a submit now; what it returns sends the rest later.
func slowBody(t *testing.T, n *nodetest.Node) func(*testing.T, time.Duration) {
	t.Helper()
	w := at(n).mustStart(t)
	d := w.submit(resetAction, "{}")
	c, err := net.Dial("tcp", n.Addr)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nCookie: ST=%s\r\nContent-Length: 2\r\n\r\n{",
		d.path, strings.TrimPrefix(n.Base, "http://"), d.media, d.cookie)
	return func(t *testing.T, after time.Duration) {
		t.Helper()
		defer c.Close()
		time.Sleep(time.Until(began.Add(after)))
		_, _ = c.Write([]byte("}"))
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusOK || !res.Close {
			t.Errorf("a submit whose body was slow: %v, %v", res, err)
		}
	}
}

func TestFaultASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, patient(t, redistest.Start(t)))
	if err := n.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !redWithin(newDoor(n), 2*time.Second) {
		t.Error("/readyz stays green after SIGTERM")
	}
	began := time.Now()
	var exit *exec.ExitError
	if err := n.Term(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the second signal took %v", took)
	}
}

// TestFaultEmbeddedStop: a node that keeps flows in memory takes them along, past a start
// that is refused.
func TestFaultEmbeddedStop(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	waiting, done := at(n).mustStart(t), at(n).mustStart(t)
	waiting.must(t, waiting.submit(resetAction, "{}"), http.StatusOK)
	repeat := done.submit(checkAction, rightOne)
	done.must(t, repeat, http.StatusOK)
	if err := n.Term(); err != nil {
		t.Fatalf("ended with %v", err)
	}
	wrong := exec.Command(nodetest.Binary(t), "serve", "--listen", "127.0.0.1:0", "--data", n.Data, "--keys", nodetest.NewKeys(t, t.TempDir()))
	if out, err := wrong.CombinedOutput(); err == nil || !strings.Contains(string(out), "put FILE.old") {
		t.Fatalf("a start with another key ring: %v\n%s", err, out)
	}
	n = nodetest.Start(t, nodetest.Options{Data: n.Data, BaseURL: n.Base})
	again := newDoor(n).send
	waiting.send, done.send = again, again
	tag := waiting.etag
	if waiting.must(t, waiting.look(), http.StatusOK); waiting.etag != tag {
		t.Error("the flow came back at another step")
	}
	waiting.must(t, waiting.submit(checkAction, rightOne), http.StatusOK)
	if waiting.must(t, waiting.resume(), http.StatusOK).code() == "" {
		t.Error("the flow came back and gave no code")
	}
	cookie := done.cookie
	if done.must(t, repeat, http.StatusOK); done.cookie != cookie {
		t.Error("a repeat after the restart made another cookie")
	}
	done.must(t, done.redeem(done.must(t, done.resume(), http.StatusOK).code()), http.StatusOK)
}

// TestFaultEmbeddedKill: a node that is killed loses its flows and nothing else.
func TestFaultEmbeddedKill(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	waiting, done := at(n).mustStart(t), at(n).mustStart(t)
	guess := waiting.submit(checkAction, `{"username":"ada","password":"wrong"}`)
	waiting.must(t, guess, http.StatusBadRequest)
	done.must(t, done.submit(checkAction, rightOne), http.StatusOK)
	code := done.must(t, done.resume(), http.StatusOK).code()
	waiting.must(t, waiting.submit(checkAction, `{"username":"ada","password":"wrong"}`), http.StatusBadRequest)
	n.Kill()
	n = nodetest.Start(t, nodetest.Options{Data: n.Data, BaseURL: n.Base})
	again := newDoor(n).send
	waiting.send, done.send = again, again

	lost := waiting.must(t, waiting.look(), http.StatusNotFound)
	never := *waiting
	never.flow = uuid.NewString()
	if a, b := anonymous(lost, waiting.flow), anonymous(never.must(t, never.look(), http.StatusNotFound), never.flow); a != b {
		t.Errorf("a flow that was lost answers %s, one that never was %s", a, b)
	}
	if got := number(t, openFile(t, filepath.Join(n.Data, "doorward.db")), `SELECT SUM(count) FROM failures`); got != 1 {
		t.Errorf("%d failures are counted, want the 1 since the last sign-on", got)
	}
	if code == "" {
		t.Fatal("no code")
	}
	done.must(t, done.redeem(code), http.StatusOK)
	if done.must(t, done.authorize(), http.StatusOK).code() == "" {
		t.Error("the session is gone: signed on users are asked again")
	}
	done.cookie = ""
	done.mustStart(t)
	done.must(t, done.submit(checkAction, rightOne), http.StatusOK)
}

// anonymous is an error body without what names the one request.
func anonymous(a told, flow string) string {
	return strings.NewReplacer(member(a.body, "id"), "", flow, "").Replace(string(a.body))
}
