package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxSkew is how far our clock and Redis's may be apart.
	maxSkew = 5 * time.Second
	// recheck is how long settings that were found safe are believed.
	recheck = time.Minute
	// oldestRedis is the first major version with PEXPIRE LT and GETDEL.
	oldestRedis = 7
)

// ErrUnsafe says that a server may lose or drop what it has acknowledged, or is
// too old. Options.AcceptLoss takes it all the same, unless it is too old.
var ErrUnsafe = errors.New("redis is not safe to use")

// Health reports why the store cannot be used now, if so: no answer, not the
// master, a clock more than 5 s apart, and, looked at every 60 s, settings that
// lose data. On a cluster it asks every master.
func (r *Redis) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTime+againTime)
	defer cancel()
	if err := r.each(ctx, r.alive); err != nil {
		return err
	}
	r.mu.Lock()
	due := r.now().Sub(r.checked).Abs() >= recheck
	r.mu.Unlock()
	if !due {
		return nil
	}
	if err := r.each(ctx, r.safe); err != nil {
		return err
	}
	r.mu.Lock()
	r.checked = r.now()
	r.mu.Unlock()
	return nil
}

// alive asks one server for its role and its time.
func (r *Redis) alive(ctx context.Context, node *redis.Client) error {
	before := r.now()
	pipe := node.Pipeline()
	role := pipe.Do(ctx, "role")
	clock := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	after := r.now()
	if err := master([]*redis.Cmd{role}); err != nil {
		return err
	}
	if t := clock.Val(); t.Before(before.Add(-maxSkew)) || t.After(after.Add(maxSkew)) {
		return fmt.Errorf("redis: clock differs by %v", t.Sub(after).Round(time.Second))
	}
	if r.cluster {
		info, err := node.ClusterInfo(ctx).Result()
		if err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		if !strings.Contains(info, "cluster_state:ok") {
			return errors.New("redis: cluster state is not ok")
		}
	}
	return nil
}

// safe looks at one server's version and settings.
func (r *Redis) safe(ctx context.Context, node *redis.Client) error {
	info, err := node.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	_, v, _ := strings.Cut(info, "redis_version:")
	major, _, _ := strings.Cut(v, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldestRedis {
		return fmt.Errorf("%w: version %q, want %d or later", ErrUnsafe, major, oldestRedis)
	}
	if r.risky {
		return nil
	}
	for name, want := range map[string]string{"appendonly": "yes", "maxmemory-policy": "noeviction"} {
		got, err := node.ConfigGet(ctx, name).Result()
		switch {
		case answered(err):
			return fmt.Errorf("%w: it does not tell %s: %w", ErrUnsafe, name, err)
		case err != nil:
			return fmt.Errorf("redis: %w", err)
		}
		if got[name] != want {
			return fmt.Errorf("%w: %s is %q, want %q", ErrUnsafe, name, got[name], want)
		}
	}
	return nil
}
