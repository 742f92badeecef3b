// Package engine runs executions. It knows no transport, no database and no step
// by name: kinds, stores and plans are given to it.
//
// Everything that moves an execution goes through one transition function
// (transition.go): take the lease and load, judge whose it is and whether the
// submit is a repeat, run the action, walk on until a node waits, save if the
// version and the lease are still ours. Reads take no lease.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"doorward/runtime/flow"
)

// Executions keeps executions. Every method is one batch of the store.
type Executions interface {
	// Create writes a new execution and moves the limits.
	Create(ctx context.Context, x *flow.Execution, limits []flow.Limit) error
	// Load reads an execution, and the session under the cookie digest.
	Load(ctx context.Context, ref flow.Ref, session flow.Digest) (*flow.Execution, *flow.Session, error)
	// Acquire moves the limits, takes the lease and loads.
	Acquire(ctx context.Context, ref flow.Ref, c flow.Claim, limits []flow.Limit) (*flow.Execution, *flow.Session, error)
	// Save writes x if the stored version is x.Version-1 and holder has the
	// lease, and gives the lease back.
	Save(ctx context.Context, x *flow.Execution, holder string) error
	// Release gives the lease back.
	Release(ctx context.Context, ref flow.Ref, holder string) error
	// Resume reads an execution; a terminal one with that binding lives
	// flow.ResumedLife from its first Resume.
	Resume(ctx context.Context, ref flow.Ref, binding, session flow.Digest) (*flow.Execution, *flow.Session, error)
}

// Sessions keeps sign-on sessions under the digest of their cookie.
type Sessions interface {
	Session(ctx context.Context, env string, st flow.Digest, limits []flow.Limit) (*flow.Session, error)
	PutSession(ctx context.Context, env string, st flow.Digest, s *flow.Session) error
	EndSession(ctx context.Context, env string, st flow.Digest) (*flow.Session, error)
}

// SessionIndex finds the cookie digest under which a session was put last; zero
// when there is no such session.
type SessionIndex interface {
	SessionKey(ctx context.Context, env, session string) (flow.Digest, error)
}

// Plans resolves the plan an execution is pinned to.
type Plans interface {
	Plan(ctx context.Context, env string, hash flow.Digest) (*flow.Plan, error)
}

// Users reads live what conditions ask about a user, by the names of
// reference/management.md 4.4 without the leading "user.".
type Users interface {
	Facts(ctx context.Context, env, id string) (map[string]any, error)
	// Standing is asked before a session or a finished execution counts.
	Standing(ctx context.Context, env, id string) (flow.Standing, error)
}

// Keys derives values that stores need not keep.
type Keys interface {
	Derive(purpose string, parts ...string) [32]byte
	Matches(purpose string, sum [32]byte, parts ...string) bool
	// Seal makes plain unreadable but for Open with the same env and column.
	Seal(plain []byte, env, column string) ([]byte, error)
	Open(sealed []byte, env, column string) ([]byte, error)
}

// Rates are the limits of one address (IPv4 address or IPv6 /64), per minute.
// Zero is no limit.
type Rates struct{ Starts, Submits int }

// Parts is what an engine is made of.
type Parts struct {
	Executions Executions
	Sessions   Sessions
	Index      SessionIndex
	Plans      Plans
	Users      Users
	Keys       Keys
	Events     flow.Recorder
	Kinds      []flow.Kind
	Rates      Rates
	Now        func() time.Time
	Random     io.Reader
}

// Engine runs executions; make one with New.
type Engine struct {
	Parts
	kinds map[string]*kind
}

// kind is a step kind with what it offers in each status, worked out once.
type kind struct {
	flow.Kind
	meta     flow.Meta
	byStatus map[string][]flow.Offer                         // of the statuses that actions name
	always   []flow.Offer                                    // of every other status
	beside   map[string][]flow.Offer                         // doors, beside a node in each status that one names
	anywhere []flow.Offer                                    // in every other status
	show     func(*flow.Turn) flow.Show                      // nil: nothing
	due      func(context.Context, *flow.Turn) (bool, error) // nil: it waits for the person alone
	own      func(*flow.Turn) []flow.Offer                   // nodes' own; nil: none
	opens    func(*flow.Turn) bool                           // whether its doors are there; nil: they are
	secrets  []string                                        // inputs that take a password
	defined  bool                                            // flow definitions are made of it
}

// ResetAction clears the user and starts the plan again. It is the engine's own
// and offered wherever an execution waits. Source: reference/flows.md 5.2.
const ResetAction = "session.reset"

// New refuses a nil, unnamed or repeated kind, and a kind that claims the
// engine's own action or names one action twice for a status.
func New(p Parts) (*Engine, error) {
	e := &Engine{Parts: p, kinds: map[string]*kind{}}
	for i, k := range p.Kinds {
		if k == nil {
			return nil, fmt.Errorf("step kind %d is nil", i)
		}
		m := k.Meta()
		if m.Name == "" {
			return nil, fmt.Errorf("step kind %d (%T) has no name", i, k)
		}
		if _, dup := e.kinds[m.Name]; dup {
			return nil, fmt.Errorf("step kind %q is listed twice", m.Name)
		}
		for j, a := range m.Actions {
			if a.Name == "" || a.Name == ResetAction || a.Name == ReturnAction {
				return nil, fmt.Errorf("step kind %q declares an action named %q", m.Name, a.Name)
			}
			if slices.ContainsFunc(m.Actions[:j], func(b flow.Action) bool { return clash(a, b) }) {
				return nil, fmt.Errorf("step kind %q offers action %q twice in one status", m.Name, a.Name)
			}
		}
		e.kinds[m.Name] = newKind(k, m)
	}
	return e, nil
}

// clash reports whether two actions of one name are offered together, in their
// own node or beside another one.
func clash(a, b flow.Action) bool {
	own := len(a.When) == 0 && !a.Opens && len(b.When) == 0 && !b.Opens ||
		slices.ContainsFunc(a.When, b.Offered) || slices.ContainsFunc(b.When, a.Offered)
	beside := a.Opens && b.Opens && (len(a.Doors) == 0 || len(b.Doors) == 0 || slices.ContainsFunc(a.Doors, b.OfferedBeside))
	return a.Name == b.Name && (own || beside)
}

// newKind works out, once, what each status offers. The slices are shared by all
// views and never written again.
func newKind(k flow.Kind, m flow.Meta) *kind {
	out := &kind{Kind: k, meta: m, byStatus: map[string][]flow.Offer{}, beside: map[string][]flow.Offer{}}
	if s, ok := k.(flow.Shower); ok {
		out.show = s.Show
	}
	if p, ok := k.(flow.Poller); ok {
		out.due = p.Due
	}
	if o, ok := k.(flow.Offerer); ok {
		out.own = o.Offers
	}
	if d, ok := k.(flow.Doorkeeper); ok {
		out.opens = d.Opens
	}
	if s, ok := k.(flow.Stepper); ok {
		out.secrets, out.defined = s.Step("", nil).Secrets, true
	}
	offers := func(status string) (list []flow.Offer) {
		for i := range m.Actions {
			if a := &m.Actions[i]; a.Offered(status) && a.Name != flow.PollAction && a.Name != flow.CallbackAction {
				list = append(list, offerOf(a))
			}
		}
		return append(list, flow.Offer{Name: ResetAction, Prompt: flow.Text{Key: ResetAction, Default: "Start again"}})
	}
	for _, a := range m.Actions {
		for _, status := range a.When {
			out.byStatus[status] = offers(status)
		}
	}
	out.always = offers("")
	doors := func(status string) (list []flow.Offer) {
		for i := range m.Actions {
			if a := &m.Actions[i]; a.Opens && a.OfferedBeside(status) {
				list = append(list, offerOf(a))
			}
		}
		return list
	}
	for _, a := range m.Actions {
		for _, status := range a.Doors {
			out.beside[status] = doors(status)
		}
	}
	out.anywhere = doors("")
	return out
}

func (k *kind) offers(status string) []flow.Offer {
	if list, ok := k.byStatus[status]; ok {
		return list
	}
	return k.always
}

// doors are the actions that lead into a node of this kind from beside it.
func (k *kind) doors(status string) []flow.Offer {
	if list, ok := k.beside[status]; ok {
		return list
	}
	return k.anywhere
}

func offerOf(a *flow.Action) flow.Offer {
	return flow.Offer{Name: a.Name, Prompt: a.Prompt, Fields: a.Fields, Open: a.Open}
}

// clock is now with the precision that records keep.
func (e *Engine) clock() time.Time { return e.Now().UTC().Truncate(time.Millisecond) }

// storeFault turns what a store reports into what a client is told. A store that
// cannot be read is a no.
func (e *Engine) storeFault(ctx context.Context, ref flow.Ref, c flow.Caller, err error) error {
	var limit *flow.LimitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		e.record(ctx, flow.RequestLimited, ref, nil, c, limit.Limit.Key[:1])
		return &flow.Fault{
			Code: flow.Limited, Err: err, RetryAfter: time.Duration(limit.RetryAfter) * time.Second,
			Message: "Too many requests came from this address. Nothing was changed; wait before sending the next one.",
		}
	case errors.Is(err, flow.ErrTooLarge):
		return &flow.Fault{Code: flow.TooLarge, Err: err, Message: "The flow has become too large to be kept. Nothing was changed; send shorter values."}
	case errors.Is(err, flow.ErrUnknown), errors.Is(err, flow.ErrOlder):
		f := flow.Gone()
		f.Err = err
		return f
	}
	return flow.Busy(err)
}

func (e *Engine) record(ctx context.Context, t flow.EventType, ref flow.Ref, x *flow.Execution, c flow.Caller, reason string) {
	ev := flow.Event{Type: t, Env: ref.Env, Flow: ref.ID, Reason: reason, At: e.clock()}
	if c.Client.RemoteIP.IsValid() {
		ev.RemoteIP = c.Client.RemoteIP.String()
	}
	if x != nil {
		ev.Application, ev.User, ev.Session = x.Request.Application, x.User.ID, x.SessionID
	}
	e.Events.Record(ctx, ev)
}
