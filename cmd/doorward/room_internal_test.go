package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestThereIsRoomBesideHashing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var set []int
		r := &room{cores: 2, set: func(n int) { set = append(set, n) }}
		was := func(want ...int) {
			t.Helper()
			r.mu.Lock()
			defer r.mu.Unlock()
			if !slices.Equal(set, want) {
				t.Fatalf("threads %v, want %v", set, want)
			}
		}
		first, second := r.beside(), r.beside()
		was(6)
		first()
		time.Sleep(2 * lull)
		was(6) // the second is at it
		second()
		time.Sleep(lull / 2)
		third := r.beside()
		time.Sleep(lull)
		was(6) // nor was there a lull
		third()
		time.Sleep(lull + time.Millisecond)
		was(6, 2)
		r.beside()()
		was(6, 2, 6)
		time.Sleep(lull + time.Millisecond)
		was(6, 2, 6, 2)
	})
}
