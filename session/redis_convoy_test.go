package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/internal/redistest"
	"doorward/session"
)

// far is a server that answers every command with its name, after a while.
type far struct {
	mu   sync.Mutex
	sent [][]string // names of what travelled together
}

func (f *far) road(takes time.Duration) *session.Road {
	return session.NewRoad(func(ctx context.Context, cmds []*redis.Cmd) {
		until, ok := ctx.Deadline()
		if !ok {
			panic("sent without a deadline")
		}
		var names []string
		for _, c := range cmds {
			names = append(names, c.Name())
		}
		f.mu.Lock()
		f.sent = append(f.sent, names)
		f.mu.Unlock()
		if left := time.Until(until); left < takes {
			time.Sleep(left)
			for _, c := range cmds {
				c.SetErr(context.DeadlineExceeded)
			}
			return
		}
		time.Sleep(takes)
		for _, c := range cmds {
			c.SetVal("answer to " + c.Name())
		}
	})
}

// travel has n batches travel, each a moment after the one before.
func travel(r *session.Road, n int, apart time.Duration) []*redis.Cmd {
	cmds := make([]*redis.Cmd, n)
	var done sync.WaitGroup
	for i := range cmds {
		cmds[i] = redis.NewCmd(context.Background(), fmt.Sprint(i))
		done.Go(func() { r.Travel(context.Background(), []*redis.Cmd{cmds[i]}) })
		time.Sleep(apart)
	}
	done.Wait()
	return cmds
}

func TestConvoy(t *testing.T) {
	t.Parallel()
	const moment = session.Patience / 1000
	for name, tc := range map[string]struct {
		n     int
		apart time.Duration
		takes time.Duration
		sent  []int // how many travelled together
		in    time.Duration
	}{
		"who meets nobody goes at once":                             {3, session.Patience, session.Patience / 2, []int{1, 1, 1}, 3 * session.Patience},
		"who comes while others are under way goes with the next":   {10, moment, session.Patience / 2, []int{1, 9}, session.Patience},
		"who comes after those have left waits for them in turn":    {9, session.Patience / 8, session.Patience * 9 / 16, []int{1, 4, 4}, 2 * session.Patience},
		"no convoy is larger than it may be":                        {130, moment, session.Patience / 2, []int{1, 64, 64, 1}, 2 * session.Patience},
		"whoever comes once those have been away for a while goes":  {4, session.Patience * 3 / 4, 20 * session.Patience, []int{1, 2, 1}, 24 * session.Patience},
		"nobody waits longer than a batch may take, whatever hangs": {3, 40 * time.Millisecond, time.Hour, []int{1, 1, 1}, session.BatchTime + 81*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &far{}
				start := time.Now()
				for i, cmd := range travel(f.road(tc.takes), tc.n, tc.apart) {
					want := fmt.Sprintf("answer to %d", i)
					if hangs := tc.takes > session.BatchTime; hangs && !errors.Is(cmd.Err(), context.DeadlineExceeded) || !hangs && cmd.Val() != want {
						t.Errorf("%v %v, want %s", cmd.Val(), cmd.Err(), want)
					}
				}
				if took := time.Since(start); took > tc.in {
					t.Errorf("took %v, want %v at most", took, tc.in)
				}
				var sent []int
				for _, together := range f.sent {
					sent = append(sent, len(together))
				}
				if !slices.Equal(sent, tc.sent) {
					t.Errorf("sent %v, want %v together", f.sent, tc.sent)
				}
			})
		})
	}
	t.Run("who has less time than the others is not kept waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := (&far{}).road(time.Hour)
			go travel(r, 1, 0)
			time.Sleep(moment)
			brief, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			hasty, start := redis.NewCmd(t.Context(), "hasty"), time.Now()
			r.Travel(brief, []*redis.Cmd{hasty})
			if took := time.Since(start); !errors.Is(hasty.Err(), context.DeadlineExceeded) || took > 20*time.Millisecond {
				t.Errorf("got %v, %v after %v", hasty.Val(), hasty.Err(), took)
			}
			time.Sleep(session.BatchTime)
		})
	})
}

// Callers who come and go as they please get their own answers of a real server,
// whoever they travel with.
func TestCallersTravelTogether(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := &rig{store: open(t, session.Options{URL: server.URL()}), clock: &clock{}}
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 50 {
				x := created(t, r)
				got := load(t, r, x.Ref)
				if got.Ref != x.Ref || got.CreatedAt != x.CreatedAt {
					t.Errorf("got %v of %v", got.Ref, x.Ref)
				}
			}
		})
	}
	callers.Wait()
}
