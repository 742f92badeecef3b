package session

import (
	"context"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

// mostListed is how many sessions of one user are looked for, and looked at in one go.
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

// SessionsOf lists the sessions of a user, the one that lives longest first, however many
// have ended. One that has ended is found to be gone here, and is forgotten.
func (r *Redis) SessionsOf(ctx context.Context, env, user string) ([]flow.Session, error) {
	if user == "" {
		return nil, nil
	}
	var out []flow.Session
	var gone []string
	for at := 0; len(out) < mostListed; at += mostListed {
		ids, err := r.idsOf(ctx, env, user, at)
		if err != nil {
			return nil, err
		}
		var missing []string
		if out, missing, err = r.read(ctx, env, user, ids, out); err != nil {
			return nil, err
		}
		if gone = append(gone, missing...); len(ids) < mostListed {
			break
		}
	}
	return r.forgetting(ctx, env, user, out, gone)
}

// idsOf are ids of sessions of a user, mostListed of them from a place on.
func (r *Redis) idsOf(ctx context.Context, env, user string, at int) ([]string, error) {
	fence := r.fence(ctx)
	list := redis.NewCmd(ctx, "zrevrangebyscore", userKey(env, user), "+inf", r.now().UnixMilli(), "limit", at, mostListed)
	if err := r.run(ctx, join(fence, list)...); err != nil {
		return nil, err
	}
	if err := master(fence); err != nil {
		return nil, err
	}
	return list.StringSlice() //nolint:wrapcheck // says it all
}

// forgetting takes ids that led nowhere from those of the user. Each is looked for once
// more: a session whose cookie has just changed was not found under the old value.
func (r *Redis) forgetting(ctx context.Context, env, user string, out []flow.Session, ids []string) ([]flow.Session, error) {
	out, gone, err := r.read(ctx, env, user, ids, out)
	if err != nil || len(gone) == 0 {
		return out, err
	}
	args := []any{"zrem", userKey(env, user)}
	for _, one := range gone {
		args = append(args, one)
	}
	r.undo(ctx, redis.NewCmd(ctx, args...))
	return out, nil
}

// read adds the sessions that ids lead to, and says which lead nowhere.
func (r *Redis) read(ctx context.Context, env, user string, ids []string, out []flow.Session) (_ []flow.Session, gone []string, err error) {
	if len(ids) == 0 {
		return out, nil, nil
	}
	keys := make([]*redis.Cmd, len(ids))
	for i, one := range ids {
		keys[i] = redis.NewCmd(ctx, "getrange", indexKey(env, one), 0, len(flow.Digest{}))
	}
	if err := r.run(ctx, keys...); err != nil {
		return nil, nil, err
	}
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
			return nil, nil, err
		}
	}
	for i, look := range looks {
		s, err := r.found(look)
		if err != nil {
			return nil, nil, err
		}
		if s == nil {
			gone = append(gone, ids[i])
		}
		out = listed(out, s, user)
	}
	return out, gone, nil
}
