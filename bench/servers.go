package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/redis/go-redis/v9"
)

// answers are the sizes, in bytes, that the bare server has to be like.
type answers struct{ record, acted, read int }

// house starts each server when it is first needed, and all of them on one Redis.
type house struct {
	dir     string
	bin     binaries
	redis   *process
	running map[string]*process
	like    answers

	equipped map[string]bool // users who have devices
}

func newHouse(ctx context.Context, dir string, bin binaries) (*house, error) {
	r, err := startRedis(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	return &house{dir: dir, bin: bin, redis: r, running: map[string]*process{}, equipped: map[string]bool{}}, nil
}

// close ends every server.
func (h *house) close() {
	for p := range maps.Values(h.running) {
		p.stop()
	}
	h.redis.stop()
}

// The servers.
const (
	bareServer = "bare"
	onRedis    = "doorward" // with Redis
	embedded   = "doorward embedded"
	cheap      = "doorward, hash and signatures made cheap"
)

// server starts the named server, or returns the running one, with the processes
// whose CPU counts.
func (h *house) server(ctx context.Context, name string) (servers, error) {
	on := servers{redis: h.redis}
	if name == embedded {
		on.redis = nil
	}
	if p := h.running[name]; p != nil {
		on.server = p
		return on, nil
	}
	var err error
	switch name {
	case bareServer:
		if err = h.measureAnswers(ctx); err == nil {
			on.server, err = startBare(ctx, h.dir, h.bin.bare, h.redis.addr, h.like)
		}
	case onRedis:
		on.server, err = node{name: "redis", binary: h.bin.product, dir: h.dir, redis: h.redis.addr, config: h.bin.config}.start(ctx)
	case embedded:
		on.server, err = node{name: "embedded", binary: h.bin.product, dir: h.dir}.start(ctx)
	case cheap:
		on.server, err = node{name: "cheap", binary: h.bin.cheap, dir: h.dir, redis: h.redis.addr, config: h.bin.cheapConfig}.start(ctx)
	default:
		err = fmt.Errorf("no server %q", name)
	}
	if on.server != nil {
		h.running[name] = on.server
	}
	return on, err
}

// measureAnswers learns from the product how much the bare server has to read and
// write.
func (h *house) measureAnswers(ctx context.Context) error {
	on, err := h.server(ctx, onRedis)
	if err != nil {
		return err
	}
	db := redis.NewClient(&redis.Options{Addr: h.redis.addr})
	defer db.Close()
	var v *visitor
	made, err := newKeys(ctx, db, func() error {
		if v, err = visit(on.server.addr); err != nil {
			return err
		}
		return v.authorize()
	})
	if err != nil {
		return err
	}
	defer v.Close()
	if err := v.read(); err != nil {
		return err
	}
	h.like.read = len(v.last.head) + len(v.last.body)
	if err := v.reset(); err != nil {
		return err
	}
	h.like.acted = len(v.last.head) + len(v.last.body)
	for _, k := range made {
		n, err := db.StrLen(ctx, k).Result()
		if err != nil {
			return err
		}
		h.like.record = max(h.like.record, int(n))
	}
	return nil
}

// newKeys are the keys that exist after do and did not before.
func newKeys(ctx context.Context, db *redis.Client, do func() error) ([]string, error) {
	had := map[string]bool{}
	each := func(f func(string)) error {
		all := db.Scan(ctx, 0, "", 1000).Iterator()
		for all.Next(ctx) {
			f(all.Val())
		}
		return all.Err()
	}
	if err := each(func(k string) { had[k] = true }); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	var made []string
	return made, each(func(k string) {
		if !had[k] {
			had[k] = true
			made = append(made, k)
		}
	})
}

// flowBytes is the Redis memory of one new flow: of every key that its start adds,
// the counters of an address aside, which are there already.
func (h *house) flowBytes(ctx context.Context) (window, error) {
	on, err := h.server(ctx, onRedis)
	if err != nil {
		return window{}, err
	}
	db := redis.NewClient(&redis.Options{Addr: h.redis.addr})
	defer db.Close()
	v, err := visit(on.server.addr)
	if err != nil {
		return window{}, err
	}
	defer v.Close()
	if err := v.authorizeWeb(); err != nil {
		return window{}, err
	}
	size := func(start func() error) (bytes float64, err error) {
		made, err := newKeys(ctx, db, start)
		for _, k := range made {
			n, err := db.MemoryUsage(ctx, k).Result()
			if err != nil {
				return 0, err
			}
			bytes += float64(n)
		}
		return bytes, err
	}
	w := window{}
	if w.value, err = size(v.authorizeWeb); err != nil {
		return w, err
	}
	w.other, err = size(v.authorize)
	return w, err
}

// restart starts a node on data that is there, and measures the milliseconds to
// its first answer and its memory, in MiB, one second later.
func (h *house) restart(ctx context.Context, n node) (window, error) {
	start := time.Now()
	p, err := n.start(ctx)
	if err != nil {
		return window{}, err
	}
	took := time.Since(start).Seconds() * 1000
	defer p.stop()
	time.Sleep(time.Second)
	mib, err := resident(p.pid())
	return window{value: took, other: mib}, err
}
