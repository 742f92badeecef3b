package engine

import (
	"context"

	"doorward/runtime/flow"
)

// Present is who is signed on in the caller's browser, with what counts of it yet; nil
// when nobody is. It is for pages that show somebody what is theirs: it issues nothing,
// and a cookie of another environment is nobody's.
func (e *Engine) Present(ctx context.Context, env string, c flow.Caller) (*flow.Session, error) {
	ref := flow.Ref{Env: env}
	limits := limit("p", env, c.Client.RemoteIP, e.Rates.Submits)
	session, err := e.Sessions.Session(ctx, env, e.sessionKey(env, c), limits)
	if err != nil {
		return nil, e.storeFault(ctx, ref, c, err)
	}
	x := flow.Execution{Ref: ref}
	remember(&x, session, e.sessionKey(env, c))
	if err := e.prune(ctx, &x); err != nil || x.User.ID == "" || len(x.Proofs) == 0 {
		return nil, err
	}
	there := *session
	there.User, there.Proofs = x.User, x.Proofs
	return &there, nil
}
