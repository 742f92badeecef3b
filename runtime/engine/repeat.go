package engine

import (
	"context"
	"fmt"

	"doorward/runtime/flow"
)

// beyond reports whether the caller's session has replaced the one that the execution
// is bound to: a second click comes so when the first has led on to another execution.
// Only the answer that it had is given to such a caller, once the execution is theirs
// no more.
func (t *turn) beyond() bool { return t.session.HasReplaced(t.x.Binding, t.now) }

// outrun reports whether the caller holds the cookie that the execution is bound to, of
// a session that lives on under another one: the second click was sent after the answer
// to the first, and before that of where the first had led. Of a session that has ended
// nothing is answered.
func (t *turn) outrun(ctx context.Context) (bool, error) {
	x := t.x
	if x.Request.Owner != "" || x.SessionID == "" || t.caller.Cookie == "" || t.credential() != x.Binding {
		return false, nil
	}
	key, err := t.e.Index.SessionKey(ctx, x.Ref.Env, x.SessionID)
	if err != nil {
		return false, flow.Busy(fmt.Errorf("find session: %w", err))
	}
	if key.IsZero() {
		return false, nil
	}
	s, err := t.e.Sessions.Session(ctx, x.Ref.Env, key, nil)
	if err != nil {
		return false, flow.Busy(fmt.Errorf("read session: %w", err))
	}
	return s.HasReplaced(x.Binding, t.now), nil
}

// repeats reports whether the submit is one that was evaluated already, sent again by
// whoever sent it: the owner, or who was when it was evaluated.
func (t *turn) repeats(ctx context.Context, stands claim) (bool, error) {
	x := t.x
	switch {
	case x.Repeat.Submit != t.submit || t.now.Sub(x.Repeat.At) >= flow.RepeatFor:
		return false, nil
	case stands == owner, x.Request.Owner == "" && (t.credential() == x.Repeat.Binding || t.beyond()):
		return true, nil
	}
	return t.outrun(ctx)
}

// again gives a repeated submit the first one's answer, derived anew, and ends
// the session that the first one replaced if it could not.
func (t *turn) again(ctx context.Context) (flow.View, error) {
	if t.session != nil && t.credential() != t.x.Binding && !t.beyond() {
		t.forget = t.credential()
	}
	if err := t.forgetOld(ctx); err != nil {
		return flow.View{}, err
	}
	return t.answer(t.x.Repeat.Fault)
}
