package session

import (
	"context"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

// mostListed is how many sessions of one user are looked at.
const mostListed = 200

// listed is list with a session of the user, unless it is there already: it lies in
// two places while its cookie changes.
func listed(list []flow.Session, s *flow.Session, user string) []flow.Session {
	if s == nil || s.User.ID != user {
		return list
	}
	for i := range list {
		if list[i].ID == s.ID {
			return list
		}
	}
	return append(list, *s)
}

// SessionsOf lists the sessions of a user, the one that lives longest first. One that
// has ended is found to be gone here, and is forgotten.
func (r *Redis) SessionsOf(ctx context.Context, env, user string) ([]flow.Session, error) {
	if user == "" {
		return nil, nil
	}
	fence := r.fence(ctx)
	list := redis.NewCmd(ctx, "zrevrangebyscore", userKey(env, user), "+inf", r.now().UnixMilli(), "limit", 0, mostListed)
	if err := r.run(ctx, join(fence, list)...); err != nil {
		return nil, err
	}
	if err := master(fence); err != nil {
		return nil, err
	}
	ids, err := list.StringSlice()
	if err != nil || len(ids) == 0 {
		return nil, err //nolint:wrapcheck // says it all
	}
	keys := make([]*redis.Cmd, len(ids))
	for i, one := range ids {
		keys[i] = redis.NewCmd(ctx, "getrange", indexKey(env, one), 0, len(flow.Digest{}))
	}
	if err := r.run(ctx, keys...); err != nil {
		return nil, err
	}
	return r.read(ctx, env, user, ids, keys)
}

// read reads the sessions that keys lead to.
func (r *Redis) read(ctx context.Context, env, user string, ids []string, keys []*redis.Cmd) ([]flow.Session, error) {
	var gone []any
	looks := make([]*redis.Cmd, len(ids))
	var asked []*redis.Cmd
	for i, k := range keys {
		var st flow.Digest
		if b, _ := k.Text(); copy(st[:], b) == len(st) {
			looks[i] = r.look(ctx, env, st)
			asked = append(asked, looks[i])
		}
	}
	if len(asked) > 0 {
		if err := r.run(ctx, asked...); err != nil {
			return nil, err
		}
	}
	var out []flow.Session
	for i, look := range looks {
		s, err := r.found(look)
		if err != nil {
			return nil, err
		}
		if s == nil {
			gone = append(gone, ids[i])
		}
		out = listed(out, s, user)
	}
	if len(gone) > 0 {
		r.undo(ctx, redis.NewCmd(ctx, append([]any{"zrem", userKey(env, user)}, gone...)...))
	}
	return out, nil
}
