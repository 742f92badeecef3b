package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// mostClients is the largest number of clients that drive a server at once.
const mostClients = 64

// settle is how long a load runs before it is measured.
const settle = 300 * time.Millisecond

// client is one closed loop: it does one thing, waits for its end and begins
// again.
type client func() error

// window is what was measured while a load ran; each arm fills in what it can.
type window struct {
	rate   float64 // things done per second
	server float64 // CPU of the server, microseconds per thing done
	redis  float64 // CPU of Redis, the same
	p50    float64 // milliseconds one thing took, of a paced load
	p99    float64
	value  float64 // what else an arm measures; its rows know the unit
	other  float64
}

// servers are the processes whose CPU is counted; redis may be nil.
type servers struct{ server, redis *process }

// cpu reads both.
func (s servers) cpu() (server, redis time.Duration, err error) {
	if server, err = cpu(s.server.pid()); err != nil || s.redis == nil {
		return server, 0, err
	}
	redis, err = cpu(s.redis.pid())
	return server, redis, err
}

// drive runs all clients for the length and measures. The first error of any
// client ends it.
func drive(clients []client, length time.Duration, on servers) (window, error) {
	l := newLoop(clients)
	time.Sleep(settle)
	n, t := l.done.Load(), time.Now()
	server, redis, err := on.cpu()
	if err != nil {
		return window{}, l.end(err)
	}
	time.Sleep(length)
	did := float64(l.done.Load() - n)
	wall := time.Since(t)
	serverNow, redisNow, err := on.cpu()
	if err = l.end(err); err != nil {
		return window{}, err
	}
	if did == 0 {
		return window{}, fmt.Errorf("nothing was done in %s", length)
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / did }
	return window{rate: did / wall.Seconds(), server: each(serverNow - server), redis: each(redisNow - redis)}, nil
}

// loop keeps clients going.
type loop struct {
	done    atomic.Int64
	over    atomic.Bool
	running sync.WaitGroup
	failed  atomic.Pointer[error]
}

func newLoop(clients []client) *loop {
	l := &loop{}
	for _, do := range clients {
		l.running.Go(func() {
			for !l.over.Load() {
				if err := do(); err != nil {
					l.failed.CompareAndSwap(nil, &err)
					return
				}
				l.done.Add(1)
			}
		})
	}
	return l
}

// end stops the clients and returns err, or else the first error of a client.
func (l *loop) end(err error) error {
	l.over.Store(true)
	l.running.Wait()
	if failed := l.failed.Load(); err == nil && failed != nil {
		return *failed
	}
	return err
}

// pace has each client do its thing once every interval and measures how long
// each took.
func pace(clients []client, every, length time.Duration) (window, error) {
	took := make([][]float64, len(clients))
	failed := make([]error, len(clients))
	var running sync.WaitGroup
	for i, do := range clients {
		running.Go(func() {
			time.Sleep(every * time.Duration(i) / time.Duration(len(clients)))
			next := time.NewTicker(every)
			defer next.Stop()
			for end := time.Now().Add(length); time.Now().Before(end) && failed[i] == nil; <-next.C {
				start := time.Now()
				failed[i] = do()
				took[i] = append(took[i], time.Since(start).Seconds()*1000)
			}
		})
	}
	running.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	return window{p50: percentile(all, 0.50), p99: percentile(all, 0.99)}, errors.Join(failed...)
}

// percentile is the value below which the part p of the sorted values lies.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}
