package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/internal/redistest"
	"doorward/keys"
	"doorward/runtime/flow"
	"doorward/session"
)

// batches counts what is sent to Redis, as a hook at the client sees it: one
// batch is one, however many nodes of a cluster it goes to.
type batches struct{ n atomic.Int64 }

func (b *batches) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *batches) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b.n.Add(1)
		return next(ctx, cmd)
	}
}

func (b *batches) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		b.n.Add(1)
		return next(ctx, cmds)
	}
}

// TestBudgetOnACluster counts what a request costs in batches of a cluster.
func TestBudgetOnACluster(t *testing.T) {
	t.Parallel()
	counted := &batches{}
	base := serveCounted(t, redistest.StartCluster(t).URL(), counted)
	var wrong []string
	for range 3 { // on a machine that stands still for a moment a batch is late and asked for again
		if wrong = counted.costs(t, base); len(wrong) == 0 {
			return
		}
	}
	t.Error(strings.Join(wrong, "\n"))
}

// costs are those of a whole passage that are not as they should be.
func (b *batches) costs(t *testing.T, base string) (wrong []string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	env := base + "/" + demoEnvironment
	sum := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	start := env + "/as/authorize?" + url.Values{
		"response_type": {"code"}, "response_mode": {"pi.flow"}, "client_id": {"d0000000-0000-4000-8000-0000000000a2"},
		"scope": {"openid"}, "redirect_uri": {"http://127.0.0.1/callback"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	var id string
	for _, row := range []struct {
		name, at, action, body string
		want                   int64
	}{
		{"authorize", start, "", "", 1},
		{"GET", env + "/flows/", "", "", 1},
		{"an action", env + "/flows/", "session.reset", "{}", 2},
		{"a refused action", env + "/flows/", "usernamePassword.check", `{"username":"nobody","password":"wrong"}`, 2},
		{"an action that signs in", env + "/flows/", "usernamePassword.check", `{"username":"ada","password":"Correct-Horse-9"}`, 3},
		{"resume", env + "/as/resume?flowId=", "", "", 1},
		{"authorize when signed on", start, "", "", 1},
	} {
		before := b.n.Load()
		var res *http.Response
		switch {
		case row.at == start:
			res, err = client.Get(start)
		case row.action == "":
			res, err = client.Get(row.at + id)
		default:
			res, err = client.Post(row.at+id, "application/vnd.pingidentity."+row.action+"+json", strings.NewReader(row.body))
		}
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ ID, Status string }
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if answer.Status != "" {
			id = answer.ID
		}
		if got := b.n.Load() - before; got != row.want || err != nil || res.StatusCode >= http.StatusInternalServerError {
			wrong = append(wrong, fmt.Sprintf("%s costs %d batches, want %d: %s, %v", row.name, got, row.want, res.Status, err))
		}
	}
	return wrong
}

// serveCounted serves the whole house in this process, on a store whose batches
// are counted.
func serveCounted(t *testing.T, redisURL string, counted redis.Hook) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = "http://" + l.Addr().String()
	o := options{
		Listen: l.Addr().String(), BaseURL: base, Data: t.TempDir(), Redis: redisURL, Rate: 100_000, // limits are part of the cost
		Database: filepath.Join(t.TempDir(), "doorward.db"), Keys: filepath.Join(t.TempDir(), "keys.json"),
	}
	if _, _, err := keys.LoadOrCreate(o.Keys); err != nil {
		t.Fatal(err)
	}
	h, err := build(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	store, err := session.Open(t.Context(), session.Options{URL: redisURL, Now: h.now, Hook: counted})
	if err != nil {
		t.Fatal(err)
	}
	h.engine.Executions, h.engine.Sessions = store, store
	server, err := h.faces(t.Context(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		c, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		server.Drain = 0
		_ = server.Shutdown(c)
		_ = store.Close()
		_ = h.close(c)
	})
	return base
}

// TestAStopFitsItsTime holds how long the parts of a stop may take. A load
// balancer looks at /readyz every second or two and needs two looks.
func TestAStopFitsItsTime(t *testing.T) {
	for name, holds := range map[string]bool{
		"the whole is 25 s at most":                              stopTime+closeTime <= 25*time.Second,
		"the drain is seen by two looks":                         drainTime >= 4*time.Second,
		"a request that came as the listener closed is answered": drainTime+flow.RequestTimeout < stopTime,
		"a lease outlasts a stop's last turn":                    flow.LeaseTime > flow.RequestTimeout,
		"a turn's calls fit its request":                         flow.CallTimeout < flow.TurnTimeout && flow.TurnTimeout < flow.RequestTimeout,
		"a node that died is forgotten before the repeat is":     flow.LeaseTime < flow.RepeatFor,
	} {
		if !holds {
			t.Errorf("%s: does not hold", name)
		}
	}
	for _, o := range []struct {
		name string
		options
		want time.Duration
	}{
		{"alone on loopback nobody balances", options{Listen: "localhost:8080", BaseURL: "http://localhost:8080"}, 0},
		{"with a shared store somebody does", options{Listen: "localhost:8080", BaseURL: "http://localhost:8080", Redis: "redis://x"}, drainTime},
		{"and on a network", options{Listen: "10.0.0.5:8080", BaseURL: "https://signon.example.com"}, drainTime},
		{"also behind a proxy on loopback", options{Listen: "127.0.0.1:8080", BaseURL: "https://signon.example.com"}, drainTime},
	} {
		if got := o.drain(); got != o.want {
			t.Errorf("%s: drains %v, want %v", o.name, got, o.want)
		}
	}
}
