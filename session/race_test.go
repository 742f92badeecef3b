package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
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

// raceTime ends a race that a busy machine draws out.
const raceTime = 10 * time.Second

// race lets n racers take the lease and save until the execution has had as many
// versions as rounds, or raceTime is over, and returns the version of every save that was said to have
// won, and 0 for every one whose outcome stayed unknown. Each racer works as a
// node does: acquire, step, save.
func race(ctx context.Context, s store, ref flow.Ref, n int, node string, rounds uint64) (won []uint64) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			mine := racer(ctx, s, ref, fmt.Sprintf("%s%d", node, i), rounds)
			mu.Lock()
			defer mu.Unlock()
			won = append(won, mine...)
		})
	}
	wg.Wait()
	return won
}

func racer(ctx context.Context, s store, ref flow.Ref, name string, rounds uint64) (won []uint64) {
	began := time.Now()
	for turn := 0; time.Since(began) < raceTime; turn++ {
		holder := name + "/" + strconv.Itoa(turn)
		x, _, err := s.Acquire(ctx, ref, flow.Claim{Holder: holder}, nil)
		if err != nil { // held, or a busy machine
			continue
		}
		if x.Version >= rounds {
			_ = s.Release(ctx, ref, holder) // or the others wait for its end
			return won
		}
		x.Version++
		switch err := s.Save(ctx, x, holder); {
		case err == nil:
			won = append(won, x.Version)
		case !errors.Is(err, flow.ErrLost):
			won = append(won, 0)
		}
	}
	return won
}

// races: eight racers, on Redis in two processes, and every version is won once.
func races(t *testing.T, r *rig) {
	t.Helper()
	x := fresh(newRef(), r.clock.round())
	x.ExpiresAt = x.EndsAt
	must(t, r.store.Create(t.Context(), x, nil))
	began := time.Now()
	var won []uint64
	if r.url == "" {
		won = race(t.Context(), r.store, x.Ref, 8, "a", r.rounds)
	} else {
		others := startNode(t, r, x.Ref)
		mine := race(t.Context(), r.store, x.Ref, 4, "a", r.rounds)
		theirs := others()
		t.Logf("won here %d, there %d", len(mine), len(theirs))
		if len(mine) == 0 || len(theirs) == 0 {
			t.Error("only one process raced")
		}
		won = slices.Concat(mine, theirs)
	}
	reached := load(t, r, x.Ref).Version
	t.Logf("%d rounds x 8 racers in %v", reached, time.Since(began).Round(time.Millisecond))
	seen := map[uint64]int{}
	for _, v := range won {
		seen[v]++
	}
	unclear := seen[0]
	for v := uint64(2); v <= reached; v++ {
		switch seen[v] {
		case 0:
			unclear--
		case 1:
		default:
			t.Errorf("version %d was won %d times", v, seen[v])
		}
	}
	if reached < 100 {
		t.Errorf("only %d rounds were raced", reached)
	}
	if unclear < 0 {
		t.Errorf("%d versions were won by nobody", -unclear)
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
	defer s.Close()
	fmt.Println("ready")
	for _, v := range race(ctx, s, ref, 4, "b", rounds) {
		fmt.Println(v)
	}
	return 0
}
