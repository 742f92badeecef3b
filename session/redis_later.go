package session

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

const (
	laterMost  = 1024                   // commands that wait; one more is left to expire
	laterPause = 250 * time.Millisecond // between tries
)

// later takes back what could not be taken back at once, because the server did
// not answer: leases that a lost request may have taken, above all, which would
// keep their owner out until they expire.
type later struct {
	run  func(ctx context.Context, cmds ...*redis.Cmd) error
	cmds chan *redis.Cmd
	stop context.CancelFunc
	done sync.WaitGroup
}

func newLater(run func(ctx context.Context, cmds ...*redis.Cmd) error) *later {
	ctx, stop := context.WithCancel(context.Background())
	l := &later{run: run, cmds: make(chan *redis.Cmd, laterMost), stop: stop}
	l.done.Go(func() { l.work(ctx) })
	return l
}

func (l *later) add(cmd *redis.Cmd) {
	select {
	case l.cmds <- redis.NewCmd(context.Background(), cmd.Args()...):
	default:
	}
}

func (l *later) close() {
	l.stop()
	l.done.Wait()
}

func (l *later) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case cmd := <-l.cmds:
			l.try(ctx, cmd)
		}
	}
}

// try sends a command until it is answered; after a lease's time it is needless.
func (l *later) try(ctx context.Context, cmd *redis.Cmd) {
	ctx, cancel := context.WithTimeout(ctx, flow.LeaseTime)
	defer cancel()
	for {
		err := l.run(ctx, redis.NewCmd(ctx, cmd.Args()...))
		if err == nil || answered(err) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(laterPause):
		}
	}
}
