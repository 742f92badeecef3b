package main

import (
	"runtime"
	"sync"
	"time"
)

// lull is how long nothing is hashed before there is room for it no more.
const lull = time.Second

// room is for what goes on beside hashing, which keeps every core busy for tens of
// milliseconds at a time: as long as passwords are hashed, Go is given more threads
// than there are cores, so that everything else still gets its turn. Measured, on two
// cores that both hash: with two the median of everything else rises 110 times, with
// six it does not. Without hashing more threads than cores are a cost alone: of an
// action on two cores a sixth.
type room struct {
	set   func(threads int)
	cores int

	mu      sync.Mutex
	hashing int
	wide    bool
	narrow  *time.Timer
}

func newRoom() *room {
	return &room{set: func(n int) { runtime.GOMAXPROCS(n) }, cores: runtime.GOMAXPROCS(0)}
}

// beside makes room for one more hash, until it is done.
func (r *room) beside() (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hashing++
	if r.narrow != nil {
		r.narrow.Stop()
	}
	if !r.wide {
		r.wide = true
		r.set(2*r.cores + 2)
	}
	return r.leave
}

func (r *room) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hashing--; r.hashing == 0 {
		r.narrow = time.AfterFunc(lull, r.close)
	}
}

// close takes the room back, unless somebody has come meanwhile.
func (r *room) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hashing == 0 && r.wide {
		r.wide = false
		r.set(r.cores)
	}
}
