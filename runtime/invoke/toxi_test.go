package invoke_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"doorward/runtime/flow"
	"doorward/runtime/invoke"
)

// line is a network between us and a server.
func line(t testing.TB, server string) (string, *toxiproxy.Proxy) {
	t.Helper()
	s := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(s, "line", "127.0.0.1:0", strings.TrimPrefix(server, "http://"))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return "http://" + p.Listen, p
}

func toxic(t testing.TB, p *toxiproxy.Proxy, kind, stream, attributes string) {
	t.Helper()
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, stream, attributes))); err != nil {
		t.Fatal(err)
	}
}

// A bad network ends a call by its deadline, and gives an answer whole or not at all.
func TestBadNetworks(t *testing.T) {
	const answer = "0123456789abcdef"
	for name, row := range map[string]struct {
		kind, stream, attributes string
		want                     invoke.Code
		asked                    int32 // of a POST without a key: never more
	}{
		"none":                            {"latency", "downstream", `{"latency":0}`, "", 1},
		"slow":                            {"latency", "downstream", `{"latency":100}`, "", 1},
		"slow both ways":                  {"latency", "upstream", `{"latency":100}`, "", 1},
		"too slow to answer":              {"latency", "downstream", `{"latency":3000}`, invoke.TimedOut, 1},
		"too slow to ask":                 {"latency", "upstream", `{"latency":3000}`, invoke.TimedOut, 0},
		"in slices":                       {"slicer", "downstream", `{"average_size":1,"size_variation":0,"delay":10}`, "", 1},
		"a trickle":                       {"slicer", "downstream", `{"average_size":1,"size_variation":0,"delay":100000}`, invoke.TimedOut, 1},
		"reset before it is asked":        {"reset_peer", "upstream", `{"timeout":0}`, invoke.NoResponse, 0},
		"reset while it answers":          {"reset_peer", "downstream", `{"timeout":0}`, invoke.NoResponse, 1},
		"cut in the status line":          {"limit_data", "downstream", `{"bytes":5}`, invoke.NoResponse, 1},
		"cut in the headers":              {"limit_data", "downstream", `{"bytes":40}`, invoke.NoResponse, 1},
		"cut in the body":                 {"limit_data", "downstream", `{"bytes":130}`, invoke.NoResponse, 1},
		"a black hole for the answer":     {"timeout", "downstream", `{"timeout":0}`, invoke.TimedOut, 1},
		"a black hole for what is asked":  {"timeout", "upstream", `{"timeout":0}`, invoke.TimedOut, 0},
		"a connection that closes slowly": {"slow_close", "downstream", `{"delay":3000}`, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				asked.Add(1)
				_, _ = io.WriteString(w, answer)
			})
			at, p := line(t, server)
			toxic(t, p, row.kind, row.stream, row.attributes)
			o := local(t, at)
			if row.want == "" {
				o.Timeout = 5 * time.Second // a loaded machine is not what is tested
			}
			began := time.Now()
			a, err := o.call(t, http.MethodPost, at, `{"otp":"123456"}`)
			ends(t, err, row.want)
			if d := time.Since(began); d > 6*time.Second {
				t.Errorf("took %v", d)
			}
			if err == nil && string(a.Body) != answer {
				t.Errorf("answered %q", a.Body)
			}
			if n := asked.Load(); n > row.asked {
				t.Errorf("asked %d times, want at most %d", n, row.asked)
			}
		})
	}
}

// A line that is cut and comes back: kept connections are replaced.
func TestNetworkComesBack(t *testing.T) {
	at, p := line(t, answers(t))
	o := local(t, at)
	o.Timeout = 5 * time.Second
	_, err := o.call(t, http.MethodPost, at, "x")
	ends(t, err, "")
	p.Stop()
	_, err = o.call(t, http.MethodPost, at, "x")
	ends(t, err, invoke.NoResponse)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = o.call(t, http.MethodPost, at, "x")
	ends(t, err, "")
}

// An answer that takes seconds is waited for, up to the time of a call.
func TestSlowServicesAreWaitedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the 8 s it measures")
	}
	t.Parallel()
	var all sync.WaitGroup
	for latency, want := range map[int]invoke.Code{3000: "", 6000: "", 12000: invoke.TimedOut} {
		at, p := line(t, answers(t))
		toxic(t, p, "latency", "downstream", fmt.Sprintf(`{"latency":%d}`, latency))
		o := local(t, at)
		o.Timeout = 0
		all.Go(func() {
			began := time.Now()
			_, err := o.call(t, http.MethodGet, at, "")
			ends(t, err, want)
			if d := time.Since(began); want != "" && (d < flow.CallTimeout-time.Second || d > flow.CallTimeout+2*time.Second) {
				t.Errorf("gave up after %v", d)
			}
		})
	}
	all.Wait()
}
