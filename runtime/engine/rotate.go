package engine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"doorward/runtime/flow"
)

// rotate gives the browser a new ST when a credential was accepted or the
// execution completed, and writes the session under it. The value is derived, so
// a repeat hands out the same one. The session also stays under its old value
// until the execution is saved: a turn that is not saved has changed nothing.
func (t *turn) rotate(ctx context.Context) error {
	e, x := t.e, t.x
	if x.Request.Owner != "" { // no browser is signed on by it
		return nil
	}
	if t.wasReset {
		x.Rotated = x.Version
		x.Binding = flow.Sum(t.derived())
		if !x.Token.IsZero() {
			x.TokenAt = x.Version
			x.Token = flow.Sum(e.derive(forFlowToken, x.Ref, x.Version))
		}
		return nil
	}
	if t.fresh == 0 && x.Status != flow.Completed || x.Status == flow.Completed && x.User.ID == "" {
		return nil
	}
	if t.unprovenSession() { // nobody is signed on in a browser by another's word
		return t.wordOnly()
	}
	old := x.Binding
	x.Accepted, x.Rotated = true, x.Version
	x.Binding = flow.Sum(t.derived())
	s, err := t.renewed(old)
	if err != nil {
		return err
	}
	if err := e.Sessions.PutSession(ctx, x.Ref.Env, x.Binding, s); err != nil {
		return e.storeFault(ctx, x.Ref, t.caller, err)
	}
	t.forget = x.SessionHash
	if s.ID != x.SessionID {
		t.events = append(t.events, flow.SessionCreated)
	}
	x.SessionID, x.SessionHash = s.ID, x.Binding
	return nil
}

// unprovenSession reports whether the execution has completed without one proof of its
// user, which an application has vouched for.
func (t *turn) unprovenSession() bool {
	return t.x.Status == flow.Completed && t.x.Demand.Vouched && len(t.x.Proofs.Of(t.x.User.ID)) == 0
}

// wordOnly gives such an execution the id of a session that is not there: what is issued
// can be told apart and revoked by it, and the browser is left as it was.
func (t *turn) wordOnly() error {
	id, err := t.sessionID()
	t.x.SessionID, t.x.SessionHash = id, flow.Digest{}
	return err
}

// sessionID makes the id of a new session.
func (t *turn) sessionID() (string, error) {
	sum := t.derive(forSessionID)
	id, err := uuid.NewRandomFromReader(bytes.NewReader(sum[:]))
	if err != nil {
		return "", fmt.Errorf("session id: %w", err)
	}
	return id.String(), nil
}

// SessionIdle is how long a session lives after the last sign-on in it.
// Source: reference/flows.md 1.4, Max-Age.
const SessionIdle = 30 * 24 * time.Hour

// renewed is the session as it is after this turn. What was proven enters it
// only when the execution is complete: half a sign-on signs on nowhere. The id
// stays while the subject stays.
func (t *turn) renewed(old flow.Digest) (*flow.Session, error) {
	x, now := t.x, t.now
	s := flow.Session{CreatedAt: now}
	if base := t.session; base != nil {
		s.Replaced = base.Replaced
		if base.User.ID == x.User.ID {
			s.ID, s.User, s.Proofs, s.CreatedAt = base.ID, base.User, base.Proofs, base.CreatedAt
		}
	}
	if s.ID == "" {
		var err error
		if s.ID, err = t.sessionID(); err != nil {
			return nil, err
		}
	}
	if x.Status == flow.Completed {
		s.User = x.User
		s.Proofs = append(s.Proofs[:len(s.Proofs):len(s.Proofs)], x.Proofs.Of(x.User.ID)...).Youngest()
	}
	s.ActiveAt, s.ExpiresAt = now, now.Add(SessionIdle)
	s.UserAgent = t.caller.Client.UserAgent
	if len(s.UserAgent) > 256 {
		s.UserAgent = s.UserAgent[:256]
	}
	if ip := t.caller.Client.RemoteIP; ip.IsValid() {
		s.RemoteIP = ip.String()
	}
	s.Replaced = replaced(s.Replaced, flow.Replaced{Hash: old, At: now})
	return &s, nil
}

// replaced puts r in front and drops what is too old or too much.
func replaced(list []flow.Replaced, r flow.Replaced) []flow.Replaced {
	out := []flow.Replaced{r}
	for _, o := range list {
		if len(out) < flow.ReplacedKept && r.At.Sub(o.At) < flow.ReplacedFor {
			out = append(out, o)
		}
	}
	return out
}

// forgetOld ends the session under the ST that this turn replaced, once the turn
// is saved.
func (t *turn) forgetOld(ctx context.Context) error {
	if t.forget.IsZero() {
		return nil
	}
	ended, err := t.e.Sessions.EndSession(ctx, t.x.Ref.Env, t.forget)
	if ended != nil && !t.x.Accepted { // after a reset; its repeat may be the one that ends it
		t.e.record(ctx, flow.SessionEnded, t.x.Ref, &flow.Execution{Request: t.x.Request, User: ended.User, SessionID: ended.ID}, t.caller, "reset")
	}
	return t.e.storeFault(ctx, t.x.Ref, t.caller, err)
}

// reset forgets the user, what was proven and the browser's session, and starts
// the plan again. Its time does not start again.
func (t *turn) reset(ctx context.Context) error {
	x := t.x
	if knowsSomebody(x) {
		t.events = append(t.events, flow.FlowReset)
	}
	t.forget = x.SessionHash
	x.Attempt++
	x.User, x.Person, x.Foreign, x.Proofs, x.Steps, x.Failure = x.Request.User, flow.Candidate{}, flow.ForeignAccount{}, nil, nil, nil
	x.SessionID, x.SessionHash, x.Accepted = "", flow.Digest{}, false
	x.Outputs, x.Secrets, x.Named, x.Return = nil, nil, false, ""
	x.Demand = flow.Demand{NotBefore: x.Demand.NotBefore, ACR: t.plan.Name}
	t.session, t.wasReset = nil, true
	return t.walk(ctx, t.plan.Entry)
}

// knowsSomebody reports whether anybody was named or proven, or has told anything. A
// reset without is nothing to tell of, and anybody could fill the audit log with it.
func knowsSomebody(x *flow.Execution) bool {
	return x.User.ID != "" || !x.Person.IsZero() || x.Foreign != (flow.ForeignAccount{}) || len(x.Outputs) > 0
}
