package engine_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// world runs one script. Everything happens in one order, that of the script:
// each batch of the store waits until the scheduler lets it go on.
type world struct {
	script
	*engine.Engine
	store *store
	graph *flow.Plan

	mu       sync.Mutex
	waiting  map[int]*call
	requests []*request
	flows    []*request // the starts of those that ask
	evals    []evaluation
	running  int
}

// request is one call of the engine and what was answered.
type request struct {
	move
	id      int
	client  *client
	owner   *client // of the flow
	ref     flow.Ref
	caller  flow.Caller
	submit  flow.Submit
	session *flow.Session // what a start found under its cookie
	view    flow.View
	done    *flow.Completion
	err     error
}

// client is a browser, or a client that holds Flow-Tokens in place of cookies.
type client struct {
	tokens bool
	cookie string
	token  map[flow.Ref]string
	seen   map[flow.Ref][]flow.View
}

func newClient(tokens bool) *client {
	return &client{tokens: tokens, token: map[flow.Ref]string{}, seen: map[flow.Ref][]flow.View{}}
}

// evaluation is one run of an answer.
type evaluation struct {
	by    *request
	right bool
	proof flow.Proof
}

// call is a batch that waits.
type call struct {
	ctx   context.Context //nolint:containedctx // the scheduler asks whether it is over
	batch string
	run   func() error
	done  chan error
}

func (w *world) Plan(context.Context, string, flow.Digest) (*flow.Plan, error) { return w.graph, nil }
func (w *world) Record(context.Context, flow.Event)                            {}

func (w *world) gate(ctx context.Context, batch string, run func() error) error {
	c := &call{ctx, batch, run, make(chan error)}
	w.mu.Lock()
	w.waiting[by(ctx).id] = c
	w.mu.Unlock()
	return <-c.done
}

func by(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

// play runs the script to its end.
func play(t *testing.T, s script) *world {
	t.Helper()
	w := &world{script: s, graph: compiled(s.plan), waiting: map[int]*call{}}
	synctest.Test(t, func(t *testing.T) {
		w.store = newStore(time.Now)
		w.store.gate = w.gate
		q := newQuiz(func(ctx context.Context, t *flow.Turn, right bool, p flow.Proof) {
			p.At = t.Now
			w.evals = append(w.evals, evaluation{by(ctx), right, p})
		})
		var err error
		w.Engine, err = engine.New(engine.Parts{
			Executions: w.store, Sessions: w.store, Index: w.store, Plans: w, Users: everybody{}, Keys: &ring{{1}}, Events: w,
			Kinds: []flow.Kind{q}, Now: time.Now, Random: rand.NewChaCha8([32]byte{}),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.schedule(t.Context(), []*client{newClient(false), newClient(true), newClient(false)})
	})
	return w
}

// schedule decides, again and again, what goes on next.
func (w *world) schedule(ctx context.Context, clients []*client) {
	moves := append([]move{{Do: "start"}}, w.moves...)
	for {
		synctest.Wait()
		c := w.choose()
		waits, running := w.pick(c.Who)
		switch {
		case len(moves) > 0 && running < 4 && (running == 0 || c.Who%3 == 0):
			w.begin(ctx, moves[0], clients[moves[0].Client])
			moves = moves[1:]
		case waits != nil:
			waits.done <- w.become(waits, c.What)
		case running > 0:
			time.Sleep(50 * time.Millisecond) // somebody waits for a lease
		default:
			return
		}
	}
}

// pick is one of the batches that wait, and how many requests are under way.
func (w *world) pick(who int) (*call, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := slices.Sorted(maps.Keys(w.waiting))
	if len(ids) == 0 {
		return nil, w.running
	}
	return w.waiting[ids[who%len(ids)]], w.running
}

func (w *world) choose() choice {
	if len(w.choices) == 0 {
		return choice{Who: 1, What: runs}
	}
	c := w.choices[0]
	w.choices = w.choices[1:]
	return c
}

func (w *world) become(c *call, what string) error {
	w.mu.Lock()
	delete(w.waiting, by(c.ctx).id)
	w.mu.Unlock()
	var err error
	if what != lost {
		err = c.run()
		if c.batch == "session" {
			by(c.ctx).session = w.store.session(env, flow.Sum(by(c.ctx).caller.Cookie))
		}
	}
	switch {
	case what != runs:
		return errors.New("connection reset")
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	}
	return err
}

// begin begins a move. What is no request happens at once.
func (w *world) begin(ctx context.Context, m move, who *client) {
	if m.Do == "pause" {
		time.Sleep(m.Pause)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &request{move: m, id: len(w.requests), client: who}
	switch {
	case m.Do == "start":
		r.owner = who
	case len(w.flows) == 0:
		return
	default:
		begun := w.flows[max(0, len(w.flows)-1-m.Flow)] // rather a late one
		r.ref, r.owner = begun.ref, begun.owner
	}
	switch {
	case m.Do == "lease ends":
		w.store.executions[r.ref].until = time.Time{}
		return
	case m.Do == "lease returns": // as after a failover to a store that was behind
		if c := w.store.executions[r.ref]; len(c.claims) > m.Client {
			c.lease, c.until = c.claims[len(c.claims)-1-m.Client], time.Now().Add(flow.LeaseTime)
		}
		return
	case m.Do == "again" && !w.repeat(r):
		return
	case m.Do == "foreign see" || m.Do == "foreign answer" || m.Do == "foreign resume":
		w.intrude(r)
	default:
		r.client = r.owner
		r.own()
	}
	w.requests = append(w.requests, r)
	w.running++
	go func() {
		c, cancel := context.WithTimeout(context.WithValue(ctx, requestKey{}, r), flow.RequestTimeout)
		defer cancel()
		w.send(c, r)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.keep(r)
		w.running--
	}()
}

func (w *world) send(ctx context.Context, r *request) {
	switch r.Do {
	case "start":
		s := flow.Start{Env: env, Plans: []flow.Digest{w.graph.Hash}, Caller: r.caller, Request: flow.Request{MaxAge: -1, Fresh: r.Token == "stale", PiFlow: r.client.tokens}, FlowToken: true}
		r.view, r.done, r.err = w.Start(ctx, s)
	case "see", "foreign see":
		r.view, r.err = w.View(ctx, r.ref, r.caller)
	case "resume", "foreign resume":
		r.view, r.done, r.err = w.Resume(ctx, r.ref, r.caller)
	case "sign off":
		_, r.err = w.SignOff(ctx, env, r.caller, "")
	default:
		r.view, r.err = w.Act(ctx, r.ref, r.caller, r.submit)
	}
}

// shown is the view that the request was answered with, if it was with one.
func (r *request) shown() (flow.View, bool) {
	var f *flow.Fault
	switch {
	case errors.As(r.err, &f) && f.View != nil:
		return *f.View, true
	case r.err != nil || r.view.Ref.ID == "":
		return flow.View{}, false
	}
	return r.view, true
}

// keep takes what the answer sets.
func (w *world) keep(r *request) {
	v, ok := r.shown()
	if !ok {
		return
	}
	if r.Do == "start" {
		r.ref = v.Ref
		if r.done == nil {
			w.flows = append(w.flows, r)
		}
	}
	r.client.seen[r.ref] = append(r.client.seen[r.ref], v)
	if v.FlowToken != "" {
		r.client.token[r.ref] = v.FlowToken
	}
	if v.Cookie != "" && !r.client.tokens {
		r.client.cookie = v.Cookie
	}
}
