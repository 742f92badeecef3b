package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"doorward/keys"
	"doorward/runtime/flow"
	"doorward/session"
)

func newRing(tb testing.TB) *keys.Ring {
	tb.Helper()
	ring, err := keys.Generate()
	must(tb, err)
	return ring
}

// race lets n racers take the lease and save until the execution has had as many
// versions as rounds, and returns the version of every save that was said to have
// won. Each racer works as a node does: acquire, step, save.
func race(ctx context.Context, s store, ref flow.Ref, n int, node string, rounds uint64) ([]uint64, error) {
	var mu sync.Mutex
	var won []uint64
	var fault error
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			mine, err := racer(ctx, s, ref, fmt.Sprintf("%s%d", node, i), rounds)
			mu.Lock()
			defer mu.Unlock()
			won, fault = append(won, mine...), errors.Join(fault, err)
		})
	}
	wg.Wait()
	return won, fault
}

func racer(ctx context.Context, s store, ref flow.Ref, name string, rounds uint64) (won []uint64, err error) {
	var held *flow.HeldError
	began := time.Now()
	for turn := 0; time.Since(began) < time.Minute; turn++ {
		holder := name + "/" + strconv.Itoa(turn)
		x, _, err := s.Acquire(ctx, ref, flow.Claim{Holder: holder}, nil)
		switch {
		case errors.As(err, &held):
			continue
		case err != nil:
			return won, err
		case x.Version >= rounds:
			return won, s.Release(ctx, ref, holder)
		}
		x.Version++
		switch err := s.Save(ctx, x, holder); {
		case err == nil:
			won = append(won, x.Version)
		case !errors.Is(err, flow.ErrLost):
			return won, err
		}
	}
	return won, errors.New("the race does not end")
}

// races: eight racers, on Redis in two processes, and every version is won once.
func races(t *testing.T, r *rig) {
	x := fresh(newRef(), r.clock.round())
	x.ExpiresAt = x.EndsAt
	must(t, r.store.Create(t.Context(), x, nil))
	began := time.Now()
	var won []uint64
	if r.url == "" {
		mine, err := race(t.Context(), r.store, x.Ref, 8, "a", r.rounds)
		must(t, err)
		won = mine
	} else {
		others := startNode(t, r, x.Ref)
		mine, err := race(t.Context(), r.store, x.Ref, 4, "a", r.rounds)
		must(t, err)
		theirs := others()
		t.Logf("won here %d, there %d", len(mine), len(theirs))
		if len(mine) == 0 || len(theirs) == 0 {
			t.Error("only one process raced")
		}
		won = append(mine, theirs...)
	}
	t.Logf("%d rounds x 8 racers in %v", r.rounds, time.Since(began).Round(time.Millisecond))
	seen := map[uint64]int{}
	for _, v := range won {
		seen[v]++
	}
	for v := uint64(2); v <= r.rounds; v++ {
		if seen[v] != 1 {
			t.Fatalf("version %d was won %d times", v, seen[v])
		}
	}
}

// startNode runs four racers in a process of their own and returns how to get
// what they won.
func startNode(t *testing.T, r *rig, ref flow.Ref) func() []uint64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "DOORWARD_TEST_NODE="+r.url,
		"DOORWARD_TEST_ENV="+ref.Env, "DOORWARD_TEST_FLOW="+ref.ID, "DOORWARD_TEST_ROUNDS="+strconv.FormatUint(r.rounds, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("second node says %q", lines.Text())
	}
	return func() (won []uint64) {
		for lines.Scan() {
			v, err := strconv.ParseUint(lines.Text(), 10, 64)
			must(t, err)
			won = append(won, v)
		}
		must(t, cmd.Wait())
		return won
	}
}

// secondNode is what startNode runs.
func secondNode() int {
	ref := flow.Ref{Env: os.Getenv("DOORWARD_TEST_ENV"), ID: os.Getenv("DOORWARD_TEST_FLOW")}
	rounds, err := strconv.ParseUint(os.Getenv("DOORWARD_TEST_ROUNDS"), 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := session.Open(ctx, session.Options{URL: os.Getenv("DOORWARD_TEST_NODE"), Now: time.Now, AcceptLoss: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close() //nolint:errcheck // the process ends
	fmt.Println("ready")
	won, err := race(ctx, s, ref, 4, "b", rounds)
	for _, v := range won {
		fmt.Println(v)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
