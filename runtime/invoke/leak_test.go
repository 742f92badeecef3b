package invoke_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorward/runtime/invoke"
)

// TestNothingIsLeft holds that 10,000 calls that fail in every way leave no
// goroutine and no connection behind.
func TestNothingIsLeft(t *testing.T) {
	before := goleak.IgnoreCurrent()
	var open atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/huge":
			_, _ = io.CopyN(w, zeros{}, invoke.MaxBody+1)
		case "/away":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case "/half":
			w.Header().Set("Content-Length", "100")
		case "/hang":
			<-r.Context().Done()
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		default:
		}
	}
	s.Start()
	nobody := dead(t)
	i := invoke.New(invoke.Options{Guard: opened(t, s.URL, nobody), Now: time.Now})
	var answered atomic.Int32
	fail := func(n int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		at := s.URL + []string{"/huge", "/away", "/half", "/hang", "/zip", ""}[n%6]
		switch n % 6 {
		case 3:
			time.AfterFunc(time.Millisecond, cancel)
		case 5:
			at = nobody
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, http.NoBody)
		if err != nil {
			panic(err)
		}
		_, err = i.Do(ctx, invoke.Call{Request: req, Target: invoke.Target{ // so many that few breakers open
			Env: fmt.Sprint(n % 4), Name: fmt.Sprint(n % 200), Origins: []string{s.URL, nobody}, Rate: 1e6, Burst: 1e6,
		}})
		if err == nil {
			answered.Add(1)
		}
	}
	var callers sync.WaitGroup
	var next atomic.Int32
	for range 30 {
		callers.Go(func() {
			for n := next.Add(1); n <= 10_000; n = next.Add(1) {
				fail(int(n))
			}
		})
	}
	callers.Wait()
	if answered.Load() != 0 {
		t.Errorf("%d calls were answered", answered.Load())
	}
	i.Close()
	for wait := time.Now().Add(5 * time.Second); open.Load() != 0 && time.Now().Before(wait); {
		time.Sleep(time.Millisecond)
	}
	if n := open.Load(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
	s.Close()
	goleak.VerifyNone(t, before)
}
