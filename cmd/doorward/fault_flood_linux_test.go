package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"doorward/internal/nodetest"
)

// TestFaultHashQueue: more passwords at once than a second of hashing holds. What
// is not hashed is refused at once and not counted, and who only looks is served.
func TestFaultHashQueue(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	type try struct {
		w *witness
		d deed
		a told
	}
	tries := make([]try, 100*runtime.NumCPU())
	for i := range tries {
		tries[i].w, tries[i].d = guess(t, n, fmt.Sprint("name", i))
	}
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			var err error
			if tries[i].a, err = tries[i].w.do(tries[i].d); err != nil {
				t.Errorf("a password in a flood: %v", err)
			}
		})
	}
	looks := lookUntil(t, n, wg.Wait)
	var judged, refused []time.Duration
	for _, try := range tries {
		switch {
		case try.a.status == http.StatusBadRequest:
			judged = append(judged, try.a.took)
		case try.a.unavailable():
			refused = append(refused, try.a.took)
		default:
			t.Errorf("a password in a flood: %v", try.a)
		}
	}
	t.Logf("%d judged, %d refused, %d looks meanwhile", len(judged), len(refused), looks)
	if len(judged) == 0 || len(refused) == 0 || looks == 0 {
		t.Fatal("there was no flood, or nothing else was served")
	}
	if slices.Sort(refused); refused[len(refused)/2] > slices.Max(judged) {
		t.Errorf("a refusal took %v, the longest wait for a verdict %v", refused[len(refused)/2], slices.Max(judged))
	}
	db := openFile(t, filepath.Join(n.Data, "doorward.db"))
	if got := number(t, db, `SELECT SUM(count) FROM failures`); got != len(judged) {
		t.Errorf("%d failures counted, %d verdicts given", got, len(judged))
	}
	w, d := tries[0].w, tries[0].d
	if a, err := w.insist(d); err != nil || a.status != http.StatusBadRequest {
		t.Errorf("a password after the flood: %v, %v", a, err)
	}
}

// lookUntil reads a flow again and again until wait returns, and counts.
func lookUntil(t *testing.T, n *nodetest.Node, wait func()) (looks int) {
	t.Helper()
	w := at(n).mustStart(t)
	var ended atomic.Bool
	go func() { wait(); ended.Store(true) }()
	for ; !ended.Load(); looks++ {
		if a, err := w.do(w.look()); err != nil || a.status != http.StatusOK {
			t.Errorf("GET while passwords are hashed: %v, %v", a, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return looks
}

// TestFaultNoMoreFiles: a node that may open no more files takes no connection,
// lives, and goes on when others have left.
func TestFaultNoMoreFiles(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	w := at(n).mustStart(t)
	limitProcess(t, n, unix.RLIMIT_NOFILE, 128)
	var crowd []net.Conn
	for range 300 {
		c, err := net.DialTimeout("tcp", n.Addr, time.Second)
		if err != nil {
			break
		}
		crowd = append(crowd, c)
	}
	time.Sleep(500 * time.Millisecond)
	w.must(t, w.look(), http.StatusOK) // over the connection it has
	for _, c := range crowd {
		_ = c.Close()
	}
	within(t, 5*time.Second, "a new connection", func() bool {
		a, err := newDoor(n).get("/readyz")
		return err == nil && a.status == http.StatusOK
	})
	w.must(t, w.submit(resetAction, "{}"), http.StatusOK)
}

// TestFaultSlowClients: connections that dawdle are ended, others do not notice.
func TestFaultSlowClients(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	w := at(n).mustStart(t)
	d := w.submit(resetAction, "{}")
	host := strings.TrimPrefix(n.Base, "http://")
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nCookie: ST=%s\r\n", d.path, host, d.media, d.cookie)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range 100 {
		c, err := net.Dial("tcp", n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		text := head // and never an empty line
		if i%2 == 0 {
			text += "Content-Length: 1000\r\n\r\n{"
		}
		_, _ = c.Write([]byte(text))
		wg.Go(func() {
			defer c.Close()
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Second):
						_, _ = c.Write([]byte(" "))
					}
				}
			}()
			_ = c.SetReadDeadline(began.Add(14 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("a slow connection is open after 14 s")
			}
			close(stop)
		})
	}
	tag := w.etag
	for time.Since(began) < 3*time.Second {
		w.must(t, w.look(), http.StatusOK)
		time.Sleep(20 * time.Millisecond)
	}
	wg.Wait()
	if w.must(t, w.look(), http.StatusOK); w.etag != tag {
		t.Error("half a submit was taken")
	}
}
