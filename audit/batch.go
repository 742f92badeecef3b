package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"doorward/runtime/flow"
)

// How a Batch behaves.
const (
	// Queue is how many events wait for the store at most.
	Queue = 4096
	// BatchSize is how many events one Append takes at most.
	BatchSize = 512
	// Linger is how long the first event of a batch waits for others; it is
	// also what a killed process loses of a store that keeps up.
	Linger = 50 * time.Millisecond
	// Wait is how long Record waits for room in a full queue.
	Wait = 200 * time.Millisecond

	appendTimeout = 5 * time.Second
	retryAfter    = 250 * time.Millisecond
)

// Log keeps events for good.
type Log interface {
	// Append keeps all of the events or none. After an error that hides a
	// success they are appended again: the log holds each event at least once.
	Append(ctx context.Context, events []flow.Event) error
}

// Batch hands events to a Log, many at a time, from one goroutine.
//
// When the log fails, its events are kept and tried again until it works. When
// it fails or lags for so long that the queue is full, Record waits up to Wait
// for room; the event that finds none is written to the error log, counted as
// lost, and the decision it tells of stands. Err reports the trouble from the
// first failed Append on, so that a readiness check can turn traffic away from a
// node that cannot keep its audit.
type Batch struct {
	log    Log
	errors *slog.Logger
	queue  chan flow.Event
	cancel context.CancelFunc // gives up on what the log has not taken
	ending chan struct{}      // closed when nothing more is queued
	done   chan struct{}      // closed when the goroutine has ended

	mu     sync.RWMutex // held for reading while an event is put into the queue
	closed bool

	written atomic.Uint64
	lost    atomic.Uint64
	trouble atomic.Pointer[error]
}

// NewBatch starts the goroutine, which Close ends. What goes wrong is written to
// errorLog.
func NewBatch(log Log, errorLog *slog.Logger) *Batch {
	ctx, cancel := context.WithCancel(context.Background())
	b := &Batch{log: log, errors: errorLog, queue: make(chan flow.Event, Queue), cancel: cancel, ending: make(chan struct{}), done: make(chan struct{})}
	go b.run(ctx)
	return b
}

// Record queues e. It takes no time while there is room, and Wait at most.
func (b *Batch) Record(ctx context.Context, e flow.Event) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		b.lose(ctx, e)
		return
	}
	select {
	case b.queue <- e:
		return
	default:
	}
	full := time.NewTimer(Wait)
	defer full.Stop()
	select {
	case b.queue <- e:
	case <-full.C:
		b.lose(ctx, e)
	}
}

// Counts says how many events the log has taken, how many were lost, and how
// many wait now.
func (b *Batch) Counts() (written, lost uint64, waiting int) {
	return b.written.Load(), b.lost.Load(), len(b.queue)
}

// Err is why the last Append failed; nil when it did not.
func (b *Batch) Err() error {
	if err := b.trouble.Load(); err != nil {
		return fmt.Errorf("audit log: %w", *err)
	}
	return nil
}

// Close appends what is queued, for as long as ctx allows, and ends the
// goroutine. What the log does not take by then is lost, and the error says how
// much that is. Close is called once; later events are lost.
func (b *Batch) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	before := b.lost.Load()
	close(b.queue)
	close(b.ending)
	stop := context.AfterFunc(ctx, b.cancel)
	<-b.done
	stop()
	b.cancel()
	if n := b.lost.Load() - before; n > 0 {
		return fmt.Errorf("%d events lost: %w", n, b.Err())
	}
	return nil
}

func (b *Batch) run(ctx context.Context) {
	defer close(b.done)
	for {
		events := b.collect()
		if len(events) == 0 {
			return
		}
		b.deliver(ctx, events)
	}
}

// collect waits for an event and then, for Linger, for others, which do not wake
// it: that would cost each of them more than its place in the batch. It returns
// none once the queue is closed and empty.
func (b *Batch) collect() []flow.Event {
	first, open := <-b.queue
	if !open {
		return nil
	}
	if len(b.queue) < BatchSize {
		linger := time.NewTimer(Linger)
		defer linger.Stop()
		select {
		case <-linger.C:
		case <-b.ending:
		}
	}
	others := min(len(b.queue), BatchSize-1)
	events := append(make([]flow.Event, 0, 1+others), first)
	for range others {
		events = append(events, <-b.queue)
	}
	return events
}

// deliver appends the events again and again until the log takes them or ctx
// ends.
func (b *Batch) deliver(ctx context.Context, events []flow.Event) {
	for {
		err := b.attempt(ctx, events)
		if err == nil {
			b.trouble.Store(nil)
			b.written.Add(uint64(len(events)))
			return
		}
		if b.trouble.Swap(&err) == nil {
			b.errors.ErrorContext(ctx, "audit log takes no events", "error", err)
		}
		select {
		case <-ctx.Done():
			b.lose(ctx, events...)
			return
		case <-time.After(retryAfter):
		}
	}
}

func (b *Batch) attempt(ctx context.Context, events []flow.Event) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return b.log.Append(ctx, events)
}

func (b *Batch) lose(ctx context.Context, events ...flow.Event) {
	b.lost.Add(uint64(len(events)))
	for _, e := range events {
		b.errors.LogAttrs(ctx, slog.LevelError, "audit event lost", attributes(e)...)
	}
}
