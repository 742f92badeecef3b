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
	poll = 500 * time.Millisecond // between looks when nothing wakes the worker

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
	lanes     []*lane
	templates *Templates
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
		w.lanes = append(w.lanes, newLane(mailPlaces, flow.Email))
	}
	if p.Phone != nil {
		w.lanes = append(w.lanes, newLane(phonePlaces, flow.SMS, flow.Voice, flow.Push))
	}
	return w, nil
}

// Wake makes the worker look at once, as after a commit. It never blocks.
func (w *Worker) Wake() {
	for _, l := range w.lanes {
		l.stir()
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
func (w *Worker) empty(ctx, sends context.Context, l *lane, under *sync.WaitGroup) {
	failing := false
	for ctx.Err() == nil {
		n, full := l.room()
		var messages []flow.Message
		if n > 0 {
			var err error
			messages, err = w.claim(sends, n, full, l.channels)
			if (err != nil) != failing {
				failing = err != nil
				w.sayClaims(l, err)
			}
		}
		for _, m := range messages {
			l.take(m.Env)
			under.Go(func() {
				defer l.give(m.Env)
				w.deliver(sends, m)
			})
		}
		if n == 0 || len(messages) < n {
			l.rest(ctx)
		}
	}
}

// claim outlives the end of the worker: what the queue has handed out is sent.
func (w *Worker) claim(ctx context.Context, n int, full []string, channels []flow.Channel) (messages []flow.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			messages, err = nil, fmt.Errorf("panic of type %T", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
	defer cancel()
	return w.Queue.Claim(ctx, n, claimed, full, channels...)
}

// sayClaims logs the first failure of a row, and its end.
func (w *Worker) sayClaims(l *lane, err error) {
	if err != nil {
		w.Log.Error("the outbox cannot be read; messages wait", "channels", l.channels, "error", err)
		return
	}
	w.Log.Info("the outbox can be read again", "channels", l.channels)
}
