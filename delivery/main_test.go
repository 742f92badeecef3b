package delivery_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorward/delivery"
	"doorward/runtime/flow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What must show nowhere.
const (
	address = "ada@lovelace.example"
	code    = "K7MQ2XPF"
	number  = "+4930123456"
	sample  = "123987"
)

func message(id string) flow.Message {
	return flow.Message{
		ID: id, Env: "e", Template: "verification", To: address, Flow: "f", Params: map[string]string{"code": code, "provider": "Partner"},
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(24 * time.Hour),
	}
}

// row is a message as the outbox keeps it.
type row struct {
	flow.Message
	end    string    // "", sent or dropped
	due    time.Time // not before
	why    string    // of the last try that was none
	claims int
	waits  []time.Duration // that Later asked for
}

// outbox is a queue in memory. What is to be tried later is due at once when hasty.
type outbox struct {
	hasty bool

	mu    sync.Mutex
	rows  []*row
	fails error
	panic bool
}

func (o *outbox) add(messages ...flow.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range messages {
		o.rows = append(o.rows, &row{Message: m})
	}
}

func (o *outbox) Claim(_ context.Context, n int, lease time.Duration, except []string, channels ...flow.Channel) ([]flow.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.panic {
		panic("queue")
	}
	var out []flow.Message
	for _, r := range o.rows {
		if len(out) < n && r.end == "" && !slices.Contains(except, r.Env) && !time.Now().Before(r.due) && slices.Contains(channels, cmp.Or(r.Channel, flow.Email)) {
			r.Attempt = r.claims
			r.claims++
			r.due = time.Now().Add(lease)
			out = append(out, r.Message)
		}
	}
	return out, o.fails
}

func (o *outbox) mark(id string, set func(*row)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.ID == id && r.end == "" {
			set(r)
			return nil
		}
	}
	return errors.New("no such row")
}

func (o *outbox) Sent(_ context.Context, id string) error {
	return o.mark(id, func(r *row) { r.end = "sent" })
}

func (o *outbox) Dropped(_ context.Context, id, why string) error {
	return o.mark(id, func(r *row) { r.end, r.why = "dropped", why })
}

func (o *outbox) Later(_ context.Context, id string, at time.Time, why string) error {
	return o.mark(id, func(r *row) {
		r.why = why
		r.waits = append(r.waits, time.Until(at))
		r.due = at
		if o.hasty {
			r.due = time.Now()
		}
	})
}

// row is a copy of one, and left how many are neither sent nor dropped.
func (o *outbox) row(id string) row {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.ID == id {
			return *r
		}
	}
	return row{}
}

func (o *outbox) left() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.end == "" {
			n++
		}
	}
	return n
}

// witness keeps what the worker says, in events and in its log.
type witness struct {
	mu     sync.Mutex
	events []flow.Event
	log    bytes.Buffer
}

func (w *witness) Record(_ context.Context, e flow.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *witness) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *witness) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// has reports whether there was such an event; an empty reason is any.
func (w *witness) has(what flow.EventType, reason string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.events, func(e flow.Event) bool {
		return e.Type == what && (reason == "" || e.Reason == reason)
	})
}

// keepsSecrets fails when the log, or an event, holds what only a mail may.
func (w *witness) keepsSecrets(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	said := w.log.String()
	for _, e := range w.events {
		said += e.Reason
		if e.Env == "" || e.At.IsZero() {
			t.Errorf("event %+v", e)
		}
	}
	for _, secret := range []string{address, "lovelace", code, "K7MQ", "Your code", number, "30123456", sample, "1, 2, 3, 9"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is in the log or an event:\n%s", secret, said)
		}
	}
}

// place is of every environment.
func place(_, flowID string) (delivery.Place, bool) {
	p := delivery.Place{Name: "Acme Travel"}
	if flowID != "" {
		p.SignOnURL = "https://auth.example/e/signon/?flowId=" + flowID
	}
	return p, true
}

// post is a worker at work.
type post struct {
	*delivery.Worker
	*witness
	box  *outbox
	stop func() // waits until Run has returned
}

// work runs a worker until the test ends. change is made to its parts.
func work(t *testing.T, box *outbox, to delivery.Sender, change func(*delivery.Parts)) *post {
	t.Helper()
	seen := &witness{}
	parts := delivery.Parts{
		Queue: box, Sender: to, Place: place, Events: seen, Now: time.Now, Grace: 5 * time.Second,
		Log: slog.New(slog.NewTextHandler(seen, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&parts)
	}
	w, err := delivery.New(parts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	stop := func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return &post{Worker: w, witness: seen, box: box, stop: stop}
}

func relay(t *testing.T, url string) *delivery.Relay {
	t.Helper()
	r, err := delivery.SMTP(url, "Acme <no-reply@acme.example>", (&net.Dialer{}).DialContext, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
