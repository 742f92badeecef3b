package session

import (
	"context"

	"doorward/runtime/flow"
)

// Embedded is the store of one process: executions, counters and secrets in
// Memory, sessions in a database. It implements engine.Executions and
// engine.Sessions as Redis does.
type Embedded struct {
	*Memory
	sessions *SQLSessions
}

// NewEmbedded puts the two together.
func NewEmbedded(m *Memory, s *SQLSessions) *Embedded { return &Embedded{Memory: m, sessions: s} }

// Load reads an execution and the session under a cookie digest.
func (e *Embedded) Load(ctx context.Context, ref flow.Ref, st flow.Digest) (*flow.Execution, *flow.Session, error) {
	s, err := e.sessions.find(ctx, ref.Env, st)
	if err != nil {
		return nil, nil, err
	}
	x, err := e.load(ref)
	return x, s, err
}

// Acquire counts limits, takes the lease for c.Holder and reads what Load reads.
func (e *Embedded) Acquire(ctx context.Context, ref flow.Ref, c flow.Claim, limits []flow.Limit) (*flow.Execution, *flow.Session, error) {
	if err := e.count(limits); err != nil {
		return nil, nil, err
	}
	s, err := e.sessions.find(ctx, ref.Env, c.Session)
	if err != nil {
		return nil, nil, err
	}
	x, err := e.acquire(ref, c)
	return x, s, err
}

// Resume marks a terminal execution of this binding and reads what Load reads.
func (e *Embedded) Resume(ctx context.Context, ref flow.Ref, binding, st flow.Digest) (*flow.Execution, *flow.Session, error) {
	s, err := e.sessions.find(ctx, ref.Env, st)
	if err != nil {
		return nil, nil, err
	}
	x, err := e.resume(ref, binding)
	return x, s, err
}

// Session counts limits and reads the session under a cookie digest.
func (e *Embedded) Session(ctx context.Context, env string, st flow.Digest, limits []flow.Limit) (*flow.Session, error) {
	if err := e.count(limits); err != nil {
		return nil, err
	}
	return e.sessions.find(ctx, env, st)
}

// PutSession writes s under st until s.ExpiresAt.
func (e *Embedded) PutSession(ctx context.Context, env string, st flow.Digest, s *flow.Session) error {
	return e.sessions.put(ctx, env, st, s)
}

// SessionKey is the cookie digest under which a session was put last; zero when
// there is no such session.
func (e *Embedded) SessionKey(ctx context.Context, env, session string) (flow.Digest, error) {
	return e.sessions.key(ctx, env, session)
}

// SessionsOf lists the sessions of a user.
func (e *Embedded) SessionsOf(ctx context.Context, env, user string) ([]flow.Session, error) {
	if user == "" {
		return nil, nil
	}
	return e.sessions.of(ctx, env, user)
}

// EndSession takes the session away and returns it.
func (e *Embedded) EndSession(ctx context.Context, env string, st flow.Digest) (*flow.Session, error) {
	return e.sessions.end(ctx, env, st)
}
