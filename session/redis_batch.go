package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// batchTime bounds one batch with everything the client does for it: a broken
	// Redis is an answer within 500 ms, also where it is asked twice.
	batchTime = 300 * time.Millisecond
	// againTime bounds the repeat of a batch whose answer was lost, and the giving
	// back of a lease that may have been taken.
	againTime = 150 * time.Millisecond
)

// errReplica says that a read reached a server that is no longer the master.
var errReplica = errors.New("server is not a master")

// once is a command that the client must not send a second time by itself. (The
// cluster client does so whatever its options say.)
type once struct{ *redis.Cmd }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }

// call is the command that runs a script.
func call(ctx context.Context, s script, keys []string, args ...any) *redis.Cmd {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, "evalsha", s.sha, len(keys))
	for _, k := range keys {
		all = append(all, k)
	}
	return redis.NewCmd(ctx, append(all, args...)...)
}

// run sends commands as one batch and returns the first error; that there is nothing
// is an answer and none. A script that the server does not know has not run; it is
// loaded and called once more.
func (r *Redis) run(ctx context.Context, cmds ...*redis.Cmd) error {
	r.exec(ctx, cmds)
	var unknown []*redis.Cmd
	for _, c := range cmds {
		if err := c.Err(); err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) > 0 {
		if err := r.loadScripts(ctx); err != nil {
			return err
		}
		r.exec(ctx, unknown)
	}
	for _, c := range cmds {
		if err := c.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("redis %s: %w", c.Name(), err)
		}
	}
	return nil
}

// exec leaves each outcome in its command. A cluster is sent each batch by itself: one
// master that is silent would hold up what is for the others.
func (r *Redis) exec(ctx context.Context, cmds []*redis.Cmd) {
	if !r.cluster {
		r.road.travel(ctx, cmds)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	r.send(ctx, cmds)
}

// send is one pipelined batch.
func (r *Redis) send(ctx context.Context, cmds []*redis.Cmd) {
	all := make([]redis.Cmder, len(cmds))
	for i, c := range cmds {
		all[i] = once{c}
	}
	pipe := r.rdb.Pipeline()
	_ = pipe.BatchProcess(ctx, all...) // queues
	_, _ = pipe.Exec(ctx)
}

// sure runs a script that knows its own repeat: when the answer is lost, it asks
// once more.
func (r *Redis) sure(ctx context.Context, s script, keys []string, args ...any) (*redis.Cmd, error) {
	cmd := call(ctx, s, keys, args...)
	err := r.run(ctx, cmd)
	if err == nil || answered(err) || ctx.Err() != nil {
		return cmd, err
	}
	ctx, cancel := context.WithTimeout(ctx, againTime)
	defer cancel()
	cmd = call(ctx, s, keys, args...)
	return cmd, r.run(ctx, cmd)
}

// answered reports whether err is the server's own word.
func answered(err error) bool {
	var e redis.Error
	return errors.As(err, &e)
}

// loadScripts gives every master the scripts.
func (r *Redis) loadScripts(ctx context.Context) error {
	return r.each(ctx, func(ctx context.Context, node *redis.Client) error {
		pipe := node.Pipeline()
		for _, s := range r.scripts.all() {
			pipe.ScriptLoad(ctx, s.source)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("load scripts: %w", err)
		}
		return nil
	})
}

// each calls fn for every master, one after the other.
func (r *Redis) each(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	switch c := r.rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, fn) //nolint:wrapcheck // fn's own error
	case *redis.Client:
		return fn(ctx, c)
	}
	return fmt.Errorf("client of type %T", r.rdb)
}

// fence asks a server that is not in a cluster whether it is the master; a
// replica in a cluster sends us on by itself.
func (r *Redis) fence(ctx context.Context) []*redis.Cmd {
	if r.cluster {
		return nil
	}
	return []*redis.Cmd{redis.NewCmd(ctx, "role")}
}

// master judges the answer to fence.
func master(fence []*redis.Cmd) error {
	for _, c := range fence {
		role, err := c.Slice()
		if err != nil || len(role) == 0 || role[0] != "master" {
			return errReplica
		}
	}
	return nil
}
