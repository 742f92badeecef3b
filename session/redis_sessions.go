package session

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

// look reads the session under a cookie digest; nil for the zero one.
func (r *Redis) look(ctx context.Context, env string, st flow.Digest) *redis.Cmd {
	if st.IsZero() {
		return nil
	}
	return redis.NewCmd(ctx, "getrange", sessionKey(env, st), 0, maxBody)
}

// found decodes what look read; nil when there is no session.
func (r *Redis) found(look *redis.Cmd) (*flow.Session, error) {
	if look == nil {
		return nil, nil //nolint:nilnil // none is an answer
	}
	b, err := look.Text()
	if err != nil {
		return nil, err //nolint:wrapcheck // run has said what it was
	}
	return decodeSession([]byte(b), r.now())
}

// Session counts limits and reads the session under a cookie digest: nil when
// there is none, *flow.LimitError when a limit was passed.
func (r *Redis) Session(ctx context.Context, env string, st flow.Digest, limits []flow.Limit) (*flow.Session, error) {
	look := r.look(ctx, env, st)
	counts := r.counts(ctx, limits)
	if look == nil && len(counts) == 0 {
		return nil, nil //nolint:nilnil // none is an answer
	}
	fence := r.fence(ctx)
	err := r.run(ctx, join(append(counts, fence...), look)...)
	if passed := judge(limits, counts); passed != nil {
		return nil, passed
	}
	if err != nil {
		return nil, err
	}
	if err := master(fence); err != nil {
		return nil, err
	}
	return r.found(look)
}

// PutSession writes s under st until s.ExpiresAt, where to find it by its id, and its
// id where those of the user are.
func (r *Redis) PutSession(ctx context.Context, env string, st flow.Digest, s *flow.Session) error {
	b, err := encodeSession(s)
	if err != nil {
		return err
	}
	left := r.left(s.ExpiresAt)
	cmds := []*redis.Cmd{
		redis.NewCmd(ctx, "set", sessionKey(env, st), b, "px", left),
		redis.NewCmd(ctx, "set", indexKey(env, s.ID), st[:], "px", left),
	}
	if s.User.ID != "" {
		mine := userKey(env, s.User.ID)
		cmds = append(cmds,
			redis.NewCmd(ctx, "zadd", mine, s.ExpiresAt.UnixMilli(), s.ID),
			redis.NewCmd(ctx, "zremrangebyscore", mine, "-inf", r.now().UnixMilli()),
			redis.NewCmd(ctx, "pexpire", mine, left))
	}
	return r.run(ctx, cmds...)
}

// SessionKey is the cookie digest under which a session was put last; zero when
// there is no such session.
func (r *Redis) SessionKey(ctx context.Context, env, session string) (st flow.Digest, err error) {
	fence := r.fence(ctx)
	look := redis.NewCmd(ctx, "get", indexKey(env, session))
	err = r.run(ctx, join(fence, look)...)
	if err == nil {
		err = master(fence)
	}
	if err != nil || errors.Is(look.Err(), redis.Nil) {
		return st, err
	}
	b, err := look.Text()
	if err != nil || copy(st[:], b) != len(st) {
		return flow.Digest{}, errDamaged
	}
	return st, nil
}

// EndSession takes the session away and returns it; nil when there was none. Of
// many that end one session one gets it.
func (r *Redis) EndSession(ctx context.Context, env string, st flow.Digest) (*flow.Session, error) {
	if st.IsZero() {
		return nil, nil //nolint:nilnil // none is an answer
	}
	take := redis.NewCmd(ctx, "getdel", sessionKey(env, st))
	if err := r.run(ctx, take); err != nil {
		return nil, err
	}
	if errors.Is(take.Err(), redis.Nil) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	return r.found(take)
}

// Count moves limits and nothing else. The error is a *flow.LimitError for the first
// that was passed; when they cannot be counted it is another one.
func (r *Redis) Count(ctx context.Context, limits []flow.Limit) error {
	counts := r.counts(ctx, limits)
	fence := r.fence(ctx)
	if err := r.run(ctx, join(append(counts[:len(counts):len(counts)], fence...))...); err != nil {
		return err
	}
	if err := master(fence); err != nil {
		return err
	}
	return judge(limits, counts)
}

// Uncount takes one back of each limit. What was never counted, or no longer is, stays
// as it is.
func (r *Redis) Uncount(ctx context.Context, limits []flow.Limit) error {
	cmds := make([]*redis.Cmd, 0, len(limits))
	for _, l := range limits {
		cmds = append(cmds, call(ctx, r.scripts.unlimit, []string{limitKey(l)}))
	}
	return r.run(ctx, cmds...)
}
