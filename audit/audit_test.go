package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorward/audit"
	"doorward/runtime/flow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every event that the vocabulary declares is in the list, and nothing else is.
func TestTypesAreTheVocabularysEvents(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../runtime/flow/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []flow.EventType
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "EventType" {
			for _, v := range spec.Values {
				s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, flow.EventType(s))
			}
		}
		return true
	})
	if len(declared) < 20 || !slices.Equal(declared, audit.Types()) {
		t.Errorf("declared:\n%v\nlisted:\n%v", declared, audit.Types())
	}
	seen := map[flow.EventType]bool{}
	for _, e := range audit.Types() {
		if seen[e] {
			t.Errorf("%s twice", e)
		}
		seen[e] = true
	}
}

func event(n int) flow.Event {
	return flow.Event{Type: flow.PasswordRefused, Env: "e", User: strconv.Itoa(n), At: time.UnixMilli(int64(n)).UTC()}
}

// buffer is a log that may be written from several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func logger() (*slog.Logger, *buffer) {
	b := new(buffer)
	return slog.New(slog.NewJSONHandler(b, nil)), b
}

func TestLinesHoldWhatIsSetAndStayOneLine(t *testing.T) {
	var out writes
	lines := audit.NewLines(&out, func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) })
	e := flow.Event{
		Type: flow.FlowStarted, Env: "e", Flow: "f", RemoteIP: "192.0.2.1", Reason: "two\nlines", At: time.UnixMilli(1).UTC(),
	}
	for range 2 {
		if err := lines.Append(t.Context(), []flow.Event{e, event(2)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != 2 || out[0] != out[1] || strings.Count(out[0], "\n") != 2 {
		t.Errorf("not two lines a write: %q", out)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out[0][:strings.IndexByte(out[0], '\n')]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"time": "1970-01-01T00:00:00.001Z", "level": "INFO", "msg": "audit", "type": "FLOW.STARTED", "env": "e", "flow": "f",
		"remoteIp": "192.0.2.1", "reason": "two\nlines", "at": "1970-01-01T00:00:00.001Z",
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
}

// writes keeps what each Write was given.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

type recorder []flow.Event

func (r *recorder) Record(_ context.Context, e flow.Event) { *r = append(*r, e) }

func TestFanGivesEveryRecorderEveryEvent(t *testing.T) {
	var a, b recorder
	fan := audit.Fan{&a, &b}
	for n := range 3 {
		fan.Record(t.Context(), event(n))
	}
	if len(a) != 3 || !slices.Equal(a, b) {
		t.Errorf("got %v and %v", a, b)
	}
}

// store is a Log on which a test decides.
type store struct {
	mu     sync.Mutex
	events []flow.Event
	calls  int
	fail   func(ctx context.Context, call int) error
}

func (s *store) Append(ctx context.Context, events []flow.Event) error {
	s.mu.Lock()
	s.calls++
	call := s.calls
	s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(ctx, call); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, events...)
	return nil
}

func (s *store) taken() (events []flow.Event, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events), s.calls
}

func TestCloseFlushesEverythingInOrderAndInFewBatches(t *testing.T) {
	log, _ := logger()
	s := &store{}
	b := audit.NewBatch(s, log)
	const n = 1000
	for i := range n {
		b.Record(t.Context(), event(i))
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, calls := s.taken()
	if len(events) != n || calls > n/100 {
		t.Errorf("%d events in %d calls", len(events), calls)
	}
	for i, e := range events {
		if e != event(i) {
			t.Fatalf("event %d is %v", i, e)
		}
	}
	if written, lost, waiting := b.Counts(); written != n || lost != 0 || waiting != 0 {
		t.Errorf("counts %d %d %d", written, lost, waiting)
	}
}

func TestEventsOfManyGoroutinesAllArrive(t *testing.T) {
	log, _ := logger()
	s := &store{}
	b := audit.NewBatch(s, log)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				b.Record(t.Context(), event(i))
			}
		})
	}
	wg.Wait()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if events, _ := s.taken(); len(events) != 1600 {
		t.Errorf("%d events", len(events))
	}
}

func TestAnEventIsAppendedSoonWithoutClose(t *testing.T) {
	log, _ := logger()
	s := &store{}
	b := audit.NewBatch(s, log)
	b.Record(t.Context(), event(1))
	waitFor(t, func() bool { events, _ := s.taken(); return len(events) == 1 })
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not happen within 5 s")
		}
	}
}

func TestAFailedAppendIsTriedAgainAndReportedMeanwhile(t *testing.T) {
	log, out := logger()
	var repaired atomic.Bool
	s := &store{fail: func(context.Context, int) error {
		if !repaired.Load() {
			return errors.New("disk full")
		}
		return nil
	}}
	b := audit.NewBatch(s, log)
	b.Record(t.Context(), event(1))
	waitFor(t, func() bool { return b.Err() != nil })
	repaired.Store(true)
	waitFor(t, func() bool { return b.Err() == nil })
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if events, _ := s.taken(); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	if strings.Count(out.String(), "takes no events") != 1 || strings.Contains(out.String(), "lost") {
		t.Errorf("log: %s", out)
	}
}

// A log that takes nothing costs a request Wait at most, and what it loses is
// counted and in the error log.
func TestAFullQueueLosesLoudlyAndWithinTheWait(t *testing.T) {
	log, out := logger()
	hangs := make(chan struct{}, 100)
	dead := func(ctx context.Context, _ int) error { hangs <- struct{}{}; <-ctx.Done(); return ctx.Err() }
	b := audit.NewBatch(&store{fail: dead}, log)
	b.Record(t.Context(), event(0))
	<-hangs
	for i := range audit.Queue {
		b.Record(t.Context(), event(i))
	}
	began := time.Now()
	b.Record(t.Context(), event(-1))
	if d := time.Since(began); d < audit.Wait/2 || d > audit.Wait+2*time.Second {
		t.Errorf("a full queue took %v", d)
	}
	if _, lost, _ := b.Counts(); lost != 1 || !strings.Contains(out.String(), `"user":"-1"`) {
		t.Errorf("%d lost; log: %s", lost, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := b.Close(ctx)
	if err == nil || !strings.Contains(err.Error(), "events lost") {
		t.Errorf("close says %v", err)
	}
	if _, lost, waiting := b.Counts(); lost < audit.Queue || waiting != 0 {
		t.Errorf("%d lost, %d waiting", lost, waiting)
	}
	b.Record(t.Context(), event(-2))
	if !strings.Contains(out.String(), `"user":"-2"`) {
		t.Error("an event after Close is lost in silence")
	}
}
