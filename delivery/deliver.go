package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/flow"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = 10 * time.Minute
	maxTries   = 100 // 15 hours or so; codes expire before
	// perhapsTries is how often a message is sent to one who does not answer and may
	// not know a repeat when it comes.
	perhapsTries = 3
)

// deliver tries a message once, marks it and says what became of it.
func (w *Worker) deliver(ctx context.Context, m flow.Message) {
	defer func() {
		if p := recover(); p != nil { // of the queue, the events or the log
			w.Log.Error("delivery panicked", "message", m.ID, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		}
	}()
	f := w.try(ctx, m)
	now := w.Now()
	if f == nil {
		w.mark(ctx, m, flow.MessageSent, func(ctx context.Context) error { return w.Queue.Sent(ctx, m.ID) })
		w.say(ctx, m, flow.MessageSent, &Failure{})
		return
	}
	next := now.Add(max(wait(m), f.After))
	switch {
	case f.Final:
	case f.Perhaps && m.Attempt+1 >= perhapsTries:
		f = &Failure{Reason: Uncertain, Final: true, Cause: f.Cause}
	case ctx.Err() != nil: // not the server's doing: whoever comes next need not wait
		next = now
		f = &Failure{Reason: Stopped, Cause: f.Cause}
	case m.Attempt+1 >= maxTries:
		f = &Failure{Reason: Exhausted, Final: true, Cause: f.Cause}
	case !m.ExpiresAt.IsZero() && !next.Before(m.ExpiresAt):
		f = &Failure{Reason: Expired, Final: true, Cause: f.Cause}
	}
	if f.Final {
		w.mark(ctx, m, flow.MessageDropped, func(ctx context.Context) error { return w.Queue.Dropped(ctx, m.ID, f.Reason) })
		w.say(ctx, m, flow.MessageDropped, f)
		return
	}
	w.mark(ctx, m, flow.MessageFailed, func(ctx context.Context) error { return w.Queue.Later(ctx, m.ID, next, f.Reason) })
	w.say(ctx, m, flow.MessageFailed, f)
}

// try is nil when the message was taken. A panic is a failure that is never tried
// again: it would come again, and a sender's may have come too late.
func (w *Worker) try(ctx context.Context, m flow.Message) (f *Failure) {
	reason := Unwritten
	defer func() {
		if p := recover(); p != nil { // its value may be what the message says
			w.Log.Error("delivery panicked", "message", m.ID, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			f = &Failure{Reason: reason, Final: true, Cause: "panic"}
		}
	}()
	now := w.Now()
	switch {
	case m.To == "":
		return &Failure{Reason: Nobody, Final: true}
	case (m.Channel == flow.SMS || m.Channel == flow.Voice) && !flow.E164(m.To):
		return &Failure{Reason: Unaddressed, Final: true, Cause: "not a number"}
	case !m.ExpiresAt.IsZero() && !now.Before(m.ExpiresAt):
		return &Failure{Reason: Expired, Final: true}
	}
	place, known := w.Place(m.Env, m.Flow)
	if !known { // perhaps this node reads the configuration later than another
		return &Failure{Reason: NoEnvironment}
	}
	send, err := w.written(m, place, now)
	if err != nil {
		return &Failure{Reason: Unwritten, Final: true, Cause: err.Error()}
	}
	reason = Uncertain
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err = send(ctx)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	default:
		return &Failure{Reason: Uncertain, Final: true, Cause: fmt.Sprintf("error of type %T", err)}
	}
}

// channelOf is the way that a message goes.
func channelOf(m flow.Message) flow.Channel { return cmp.Or(m.Channel, flow.Email) }

// written makes of a message what is sent, and says how.
func (w *Worker) written(m flow.Message, place Place, now time.Time) (send func(context.Context) error, err error) {
	if channelOf(m) == flow.Email {
		mail, err := w.templates.Render(m, place, now)
		return func(ctx context.Context) error { return w.Sender.Send(ctx, mail) }, err
	}
	text, err := w.templates.RenderText(m, place, now)
	return func(ctx context.Context) error { return w.Phone.SendText(ctx, text) }, err
}

// wait doubles with each try. The message's own id spreads those that failed
// together, by a quarter either way.
func wait(m flow.Message) time.Duration {
	d := min(firstRetry<<min(max(m.Attempt, 0), 16), lastRetry)
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.ID + strconv.Itoa(m.Attempt))) // never fails; see hash.Hash
	return d*3/4 + d/2*time.Duration(h.Sum32()%1024)/1024
}

// mark tells the queue, also when the worker ends, and insists for a while: a mark
// that is lost leaves the claim, which sends nothing twice.
func (w *Worker) mark(ctx context.Context, m flow.Message, as flow.EventType, tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTime)
	defer cancel()
	for {
		err := tell(ctx)
		if err == nil {
			return
		}
		select {
		case <-time.After(markTime / 20):
		case <-ctx.Done():
			w.Log.Error("a message could not be marked; it is not tried again", "message", m.ID, "as", string(as), "error", err)
			return
		}
	}
}

// say records, counts and logs what became of a message. The reason of what went by
// phone begins with its channel.
func (w *Worker) say(ctx context.Context, m flow.Message, what flow.EventType, f *Failure) {
	ctx = context.WithoutCancel(ctx)
	channel, reason := channelOf(m), f.Reason
	if channel != flow.Email {
		reason = strings.TrimSpace(string(channel) + " " + reason)
	}
	w.Events.Record(ctx, flow.Event{Type: what, Env: m.Env, Flow: m.Flow, Reason: reason, At: w.Now()})
	w.Count(channel, what)
	level, text := slog.LevelDebug, "message sent"
	switch {
	case what == flow.MessageFailed:
		level, text = slog.LevelWarn, "message not sent; it is tried again"
	case what == flow.MessageDropped && f.Reason != Nobody:
		level, text = slog.LevelWarn, "message dropped"
	case what == flow.MessageDropped:
		text = "message dropped"
	}
	w.Log.Log(ctx, level, text, "message", m.ID, "channel", string(channel), "env", m.Env, "flow", m.Flow, "template", m.Template,
		"attempt", m.Attempt, "reason", f.Reason, "cause", f.Cause)
}
