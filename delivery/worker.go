package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"doorward/runtime/flow"
)

const (
	slots = 8                      // messages of a lane under way at once
	poll  = 500 * time.Millisecond // between looks when nothing wakes the worker

	// claimed is longer than any message is worth sending: a claim that its
	// process did not live to answer is the end of the message.
	claimed = 7 * 24 * time.Hour

	sendTime  = 30 * time.Second // of one try, connection and all
	claimTime = 5 * time.Second
	markTime  = 5 * time.Second
)

// Parts are what a Worker works with: one of Sender and Phone, and all others but
// Count and Grace. What it has nobody to send by is left to other workers.
type Parts struct {
	Queue  Queue
	Sender Sender                               // of mail
	Phone  Phone                                // of SMS, calls and pushes
	Place  func(env, flow string) (Place, bool) // flow is empty when the message has none
	Events flow.Recorder
	Count  func(channel flow.Channel, outcome flow.EventType) // each try
	Log    *slog.Logger
	Now    func() time.Time
	Grace  time.Duration // that sends under way have once Run is to end; 0: none
}

// Worker empties the outbox. Any number of them may, in any number of processes.
type Worker struct {
	Parts
	lanes     []lane
	templates *Templates
}

// lane is messages that share slots. Mail has its own, and whatever goes by phone: a
// server that does not answer the one holds up nothing of the other.
type lane struct {
	channels []flow.Channel
	wake     chan struct{}
}

// New makes a Worker that does nothing yet.
func New(p Parts) (*Worker, error) {
	if p.Queue == nil || p.Sender == nil && p.Phone == nil || p.Place == nil || p.Events == nil || p.Log == nil || p.Now == nil {
		return nil, errors.New("queue, a sender or a phone, place, events, log and clock are needed")
	}
	if p.Count == nil {
		p.Count = func(flow.Channel, flow.EventType) {}
	}
	t, err := NewTemplates()
	if err != nil {
		return nil, err
	}
	w := &Worker{Parts: p, templates: t}
	if p.Sender != nil {
		w.lanes = append(w.lanes, lane{[]flow.Channel{flow.Email}, make(chan struct{}, 1)})
	}
	if p.Phone != nil {
		w.lanes = append(w.lanes, lane{[]flow.Channel{flow.SMS, flow.Voice, flow.Push}, make(chan struct{}, 1)})
	}
	return w, nil
}

// Wake makes the worker look at once, as after a commit. It never blocks.
func (w *Worker) Wake() {
	for _, l := range w.lanes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Run sends until ctx ends. Then it claims no more, gives the sends under way
// Grace to finish, breaks off the others and returns when all are marked.
func (w *Worker) Run(ctx context.Context) {
	sends, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	var claiming, under sync.WaitGroup
	for _, l := range w.lanes {
		claiming.Go(func() { w.empty(ctx, sends, l, &under) })
	}
	claiming.Wait()
	grace := time.AfterFunc(w.Grace, breakOff)
	defer grace.Stop()
	under.Wait()
}

// empty claims the messages of a lane until ctx ends, and sends them under sends.
func (w *Worker) empty(ctx, sends context.Context, l lane, under *sync.WaitGroup) {
	free := make(chan struct{}, slots)
	failing := false
	for await(ctx, free) {
		n := 1 + more(free)
		messages, err := w.claim(sends, n, l.channels)
		if (err != nil) != failing {
			failing = err != nil
			w.sayClaims(l, err)
		}
		for i := len(messages); i < n; i++ {
			<-free
		}
		for _, m := range messages {
			under.Go(func() {
				defer func() { <-free }()
				w.deliver(sends, m)
			})
		}
		if len(messages) < n && !l.rest(ctx) {
			return
		}
	}
}

// await takes a slot, and says no when ctx has ended.
func await(ctx context.Context, free chan<- struct{}) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case free <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// more takes the slots that are free now.
func more(free chan<- struct{}) (n int) {
	for {
		select {
		case free <- struct{}{}:
			n++
		default:
			return n
		}
	}
}

// rest waits until there may be something to do, and says no when ctx has ended.
func (l lane) rest(ctx context.Context) bool {
	next := time.NewTimer(poll)
	defer next.Stop()
	select {
	case <-l.wake:
	case <-next.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// claim outlives the end of the worker: what the queue has handed out is sent.
func (w *Worker) claim(ctx context.Context, n int, channels []flow.Channel) (messages []flow.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			messages, err = nil, fmt.Errorf("panic of type %T", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
	defer cancel()
	return w.Queue.Claim(ctx, n, claimed, channels...)
}

// sayClaims logs the first failure of a row, and its end.
func (w *Worker) sayClaims(l lane, err error) {
	if err != nil {
		w.Log.Error("the outbox cannot be read; messages wait", "channels", l.channels, "error", err)
		return
	}
	w.Log.Info("the outbox can be read again", "channels", l.channels)
}
