package session

import (
	"context"
	"time"

	"doorward/runtime/flow"
)

type counter struct {
	n    int
	ends time.Time
}

// Count moves limits as Redis.Count does.
func (m *Memory) Count(_ context.Context, limits []flow.Limit) error { return m.count(limits) }

// Uncount takes one back of each limit as Redis.Uncount does.
func (m *Memory) Uncount(_ context.Context, limits []flow.Limit) error {
	for _, l := range limits {
		m.unbump(ofLimit(l))
	}
	return nil
}

func (m *Memory) unbump(name id) {
	s := m.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.counters[name]; c != nil && c.n > 0 && m.now().Before(c.ends) {
		c.n--
	}
}

// count moves every limit and returns the first that was passed, or flow.ErrFull
// when one could not be counted.
func (m *Memory) count(limits []flow.Limit) error {
	var passed error
	for _, l := range limits {
		n, left, err := m.bump(ofLimit(l), l.Window)
		if err != nil {
			return err
		}
		if n > l.Max && passed == nil {
			passed = &flow.LimitError{Limit: l, RetryAfter: seconds(left)}
		}
	}
	return passed
}

func (m *Memory) bump(name id, window time.Duration) (n int, left time.Duration, err error) {
	s := m.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	c := s.counters[name]
	if c == nil {
		if err := m.reserve(counterCost); err != nil {
			return 0, 0, err
		}
		c = &counter{}
		s.counters[name] = c
	}
	if !now.Before(c.ends) {
		*c = counter{ends: now.Add(window)}
	}
	c.n++
	return c.n, c.ends.Sub(now), nil
}

// sweep frees what has expired, one shard after the other.
func (m *Memory) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-m.stop:
			return
		case <-tick.C:
			m.sweepShard(&m.shards[i%shards])
		}
	}
}

func (m *Memory) sweepShard(s *shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, free := m.now(), 0
	for name, e := range s.records {
		if !now.Before(e.expires) {
			free += len(e.value) + recordCost
			delete(s.records, name)
		}
	}
	for name, c := range s.counters {
		if !now.Before(c.ends) {
			free += counterCost
			delete(s.counters, name)
		}
	}
	for name, x := range s.secrets {
		if !now.Before(x.expires) {
			free += secretCost
			delete(s.secrets, name)
		}
	}
	_ = m.reserve(-free)
}
