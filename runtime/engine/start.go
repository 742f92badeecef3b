package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorward/runtime/flow"
)

// Start creates an execution and walks it to its first question. When the
// browser's session already meets the plan there is no question: the Completion
// is returned and nothing is stored. A silent start that would have to ask
// returns flow.ErrInteractionRequired and stores nothing.
func (e *Engine) Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error) {
	now := e.clock()
	id, err := uuid.NewRandomFromReader(e.Random)
	if err != nil {
		return flow.View{}, nil, fmt.Errorf("execution id: %w", err)
	}
	ref := flow.Ref{Env: s.Env, ID: id.String()}
	if len(s.Plans) == 0 {
		return flow.View{}, nil, errors.New("start: no plan")
	}
	plan, err := e.Plans.Plan(ctx, s.Env, s.Plans[0])
	if err != nil {
		return flow.View{}, nil, flow.Busy(fmt.Errorf("plan %s: %w", s.Plans[0], err))
	}
	if s.Request.Owner = s.Caller.Application; s.Request.Owner != "" && (s.Request.User.ID == "" || s.Silent) {
		return flow.View{}, nil, errors.New("start: an application names whom it is about, and waits")
	}
	limits := limit("s", s.Env, s.Caller.Client.RemoteIP, e.Rates.Starts)
	x := &flow.Execution{
		Ref: ref, Format: flow.Format, Version: 1, Plan: s.Plans[0], Others: s.Plans[1:], Request: s.Request, Inputs: s.Inputs,
		CreatedAt: now, ExpiresAt: now.Add(flow.Idle), EndsAt: now.Add(flow.Life),
	}
	x.Demand.ACR = plan.Name
	if s.Request.Fresh {
		x.Demand.NotBefore = now
	} else if s.Request.MaxAge >= 0 {
		x.Demand.NotBefore = now.Add(-time.Duration(min(s.Request.MaxAge, math.MaxInt32)) * time.Second)
	}
	if key := e.sessionKey(s.Env, s.Caller); !key.IsZero() {
		session, err := e.Sessions.Session(ctx, s.Env, key, limits)
		if err != nil {
			return flow.View{}, nil, e.storeFault(ctx, ref, s.Caller, err)
		}
		limits = nil
		remember(x, session, key)
	}
	if err := e.named(ctx, x); err != nil {
		return flow.View{}, nil, err
	}
	cookie, err := e.bind(x, s.Caller)
	if err != nil {
		return flow.View{}, nil, err
	}
	t := &turn{e: e, x: x, plan: plan, caller: s.Caller, now: now, silent: s.Silent}
	calls, done := flow.Within(ctx, flow.TurnTimeout)
	defer done()
	if err := t.walk(calls, plan.Entry); err != nil {
		return flow.View{}, nil, e.ourFault(ctx, ref, err)
	}
	if x.Status == flow.Completed && s.Request.IsSignOn() {
		if t.unprovenSession() {
			if err := t.wordOnly(); err != nil {
				return flow.View{}, nil, err
			}
		}
		e.flush(ctx, t, flow.FlowCompleted)
		c, err := e.complete(x, now)
		return e.view(x, plan), c, err
	}
	if s.Silent {
		return flow.View{}, nil, flow.ErrInteractionRequired
	}
	v, err := e.keep(ctx, t, s, cookie, limits)
	return v, nil, err
}

// keep stores a new execution and shows it.
func (e *Engine) keep(ctx context.Context, t *turn, s flow.Start, cookie string, limits []flow.Limit) (flow.View, error) {
	x := t.x
	token := ""
	if s.FlowToken && s.Request.PiFlow {
		token = e.derive(forFlowToken, x.Ref, x.Version)
		x.Token, x.TokenAt = flow.Sum(token), x.Version
	}
	if err := e.Executions.Create(ctx, x, limits); err != nil {
		return flow.View{}, e.storeFault(ctx, x.Ref, s.Caller, err)
	}
	e.flush(ctx, t, flow.FlowStarted)
	v := e.view(x, t.plan)
	v.Cookie, v.FlowToken = cookie, token
	return v, nil
}

// remember copies what the browser's session has proven, with its own times.
func remember(x *flow.Execution, session *flow.Session, key flow.Digest) {
	if session == nil {
		return
	}
	x.Binding, x.SessionHash, x.SessionID = key, key, session.ID
	if len(session.Proofs) == 0 {
		return
	}
	x.User = session.User
	for _, p := range session.Proofs {
		p.Origin = flow.FromSession
		x.Proofs = append(x.Proofs, p)
	}
}

// named settles whom a new execution is about: whom the face names, with what the
// browser's session has proven of that very user; else whom the session names. A user
// who was named and may not sign on leaves no room for another one.
func (e *Engine) named(ctx context.Context, x *flow.Execution) error {
	who := x.Request.User
	if who.ID != "" && x.User.ID != who.ID {
		x.Proofs, x.SessionID = nil, ""
	}
	if who.ID != "" {
		x.User = who
	}
	if err := e.prune(ctx, x); err != nil {
		return err
	}
	if x.User.ID != who.ID && who.ID != "" {
		return &flow.Fault{Code: flow.AccessFailed, Message: "The user whom the request names may not sign on. Start again without naming them."}
	}
	return nil
}

// prune drops what counts no more: everything of a user who may not sign on, and
// what was proven before the password was changed.
func (e *Engine) prune(ctx context.Context, x *flow.Execution) error {
	if x.User.ID == "" {
		return nil
	}
	s, err := e.Users.Standing(ctx, x.Ref.Env, x.User.ID)
	switch {
	case err != nil:
		return flow.Busy(fmt.Errorf("standing of user %s: %w", x.User.ID, err))
	case !s.Enabled:
		x.User, x.Proofs, x.SessionID = flow.Subject{}, nil, ""
	default:
		x.Proofs, x.User.Locales = x.Proofs.Since(s.Since), s.Locales
	}
	return nil
}

// bind ties a new execution to the browser: to the session's cookie, to an
// anonymous one of ours, or else to a fresh one, which is returned. A value we
// did not issue is never taken.
func (e *Engine) bind(x *flow.Execution, c flow.Caller) (string, error) {
	if owner := x.Request.Owner; owner != "" { // to a value that nobody can show
		x.Binding = e.Keys.Derive(forApplication, x.Ref.Env, x.Ref.ID, owner)
		return "", nil
	}
	if !x.Binding.IsZero() {
		return "", nil
	}
	if c.Cookie != "" && e.isAnonymous(x.Ref.Env, c.Cookie) {
		x.Binding = flow.Sum(c.Cookie)
		return "", nil
	}
	var seed [16]byte
	if _, err := io.ReadFull(e.Random, seed[:]); err != nil {
		return "", fmt.Errorf("session cookie: %w", err)
	}
	st := e.anonymous(x.Ref.Env, seed)
	x.Binding = flow.Sum(st)
	return st, nil
}

// complete is the only place that makes a Completion, and so the only way to a
// code or a token.
func (e *Engine) complete(x *flow.Execution, now time.Time) (*flow.Completion, error) {
	other := x.Request.User.ID != "" && x.Request.User.ID != x.User.ID
	if x.Status != flow.Completed || !x.Request.IsSignOn() || other || !x.Proofs.Satisfies(x.Demand, x.User.ID, now) {
		return nil, &flow.Fault{Code: flow.AccessFailed, Restart: true, Message: "The sign-on is not complete. Start again from the application."}
	}
	mine := x.Proofs.Of(x.User.ID).Since(x.Demand.NotBefore) // what counts no more is not told of
	return &flow.Completion{
		Ref: x.Ref, User: x.User, SessionID: x.SessionID, AMR: mine.AMR(), ACR: x.Demand.ACR,
		AuthTime: mine.Last(""), Request: x.Request, Code: e.derive(forCode, x.Ref, x.Version),
	}, nil
}

// SignOff ends the caller's session, and the one with the id session, whichever
// browser that is in; with each of them every execution bound to it. The id must
// come from somebody who may end it. It returns the id of the caller's own
// session, or "" when there was none.
func (e *Engine) SignOff(ctx context.Context, env string, c flow.Caller, session string) (string, error) {
	var mine string
	s, err := e.end(ctx, env, c, e.sessionKey(env, c))
	if s != nil {
		mine = s.ID
	}
	if err != nil {
		return mine, err
	}
	for _, id := range slices.Compact([]string{mine, session}) {
		if id == "" {
			continue
		}
		key, err := e.Index.SessionKey(ctx, env, id)
		if err != nil {
			return mine, e.storeFault(ctx, flow.Ref{Env: env}, c, err)
		}
		if err := e.endNamed(ctx, env, c, key); err != nil {
			return mine, err
		}
	}
	return mine, nil
}

// endNamed ends the session that was put last under a cookie digest, and whatever of it
// lies yet under one that it has replaced: a turn may have died between the two.
func (e *Engine) endNamed(ctx context.Context, env string, c flow.Caller, key flow.Digest) error {
	ended, err := e.end(ctx, env, c, key)
	if err != nil || ended == nil {
		return err
	}
	for _, r := range ended.Replaced {
		left, err := e.Sessions.Session(ctx, env, r.Hash, nil)
		if err == nil && left != nil && left.ID == ended.ID {
			_, err = e.end(ctx, env, c, r.Hash)
		}
		if err != nil {
			return e.storeFault(ctx, flow.Ref{Env: env}, c, err)
		}
	}
	return nil
}

// end ends the session under a cookie digest and returns it; nil: there is none.
func (e *Engine) end(ctx context.Context, env string, c flow.Caller, key flow.Digest) (*flow.Session, error) {
	if key.IsZero() {
		return nil, nil
	}
	ref := flow.Ref{Env: env}
	s, err := e.Sessions.EndSession(ctx, env, key)
	if err != nil || s == nil {
		return nil, e.storeFault(ctx, ref, c, err)
	}
	e.record(ctx, flow.SessionEnded, ref, &flow.Execution{User: s.User, SessionID: s.ID}, c, "sign-off")
	return s, nil
}
