package session

import (
	"context"
	"crypto/subtle"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"doorward/runtime/flow"
)

const (
	// DefaultMemory is the cap in bytes when none is given.
	DefaultMemory = 256 << 20

	shards = 64
	// sweepEvery is the pause between two shards; all are swept in 3.2 s.
	sweepEvery = 50 * time.Millisecond
	// What an entry costs beside its value: map, key, headers.
	recordCost  = 256
	counterCost = 96
	secretCost  = 192
)

// Memory keeps executions, counters and secrets of one process. It evicts
// nothing: over its cap it refuses with flow.ErrFull. Records are encoded as for
// Redis, so that nobody shares memory with it. Use it through Embedded, and Close
// it.
type Memory struct {
	now    func() time.Time
	cap    int64
	used   atomic.Int64
	shards [shards]shard
	stop   chan struct{}
	done   sync.WaitGroup
	once   sync.Once
}

type shard struct {
	mu       sync.Mutex
	records  map[id]*entry
	counters map[id]*counter
	secrets  map[id]*secret
}

type entry struct {
	value   []byte
	expires time.Time
	holder  id
	submit  flow.Digest
	leased  time.Time // the lease is held before then
}

type secret struct {
	hash    [32]byte
	left    int
	used    id // the try that was right
	tried   id // the last one that was not
	expires time.Time
}

// NewMemory makes an empty store of at most size bytes, DefaultMemory when size
// is 0, and starts to sweep it.
func NewMemory(size int64, now func() time.Time) *Memory {
	if size <= 0 {
		size = DefaultMemory
	}
	m := &Memory{now: now, cap: size, stop: make(chan struct{})}
	for i := range m.shards {
		m.shards[i] = shard{records: map[id]*entry{}, counters: map[id]*counter{}, secrets: map[id]*secret{}}
	}
	m.done.Go(m.sweep)
	return m
}

// Close ends the sweeper. The store can still be saved.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.stop) })
	m.done.Wait()
	return nil
}

// Used is how many bytes are taken, as counted against the cap.
func (m *Memory) Used() int64 { return m.used.Load() }

func (m *Memory) shard(name id) *shard { return &m.shards[name[0]%shards] }

// reserve takes n bytes, or gives -n back.
func (m *Memory) reserve(n int) error {
	if m.used.Add(int64(n)) > m.cap && n > 0 {
		m.used.Add(int64(-n))
		return flow.ErrFull
	}
	return nil
}

// live returns the entry that has not expired; the shard is locked.
func (m *Memory) live(s *shard, name id) *entry {
	if e := s.records[name]; e != nil && m.now().Before(e.expires) {
		return e
	}
	return nil
}

// Create stores a new execution, if no limit is passed.
func (m *Memory) Create(_ context.Context, x *flow.Execution, limits []flow.Limit) error {
	b, err := encode(x, id{})
	if err != nil {
		return err
	}
	if err := m.count(limits); err != nil {
		return err
	}
	name := ofRef(x.Ref)
	s := m.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.live(s, name) != nil {
		return fmt.Errorf("execution %s exists", x.Ref.ID)
	}
	return m.put(s, name, &entry{value: b, expires: x.ExpiresAt})
}

// put replaces what lies under name; the shard is locked.
func (m *Memory) put(s *shard, name id, e *entry) error {
	cost := len(e.value) + recordCost
	if old := s.records[name]; old != nil {
		cost -= len(old.value) + recordCost
	}
	if err := m.reserve(cost); err != nil {
		return err
	}
	e.value = append(make([]byte, 0, len(e.value)), e.value...) // no spare room
	s.records[name] = e
	return nil
}

// load reads the record of ref.
func (m *Memory) load(ref flow.Ref) (*flow.Execution, error) {
	name := ofRef(ref)
	s := m.shard(name)
	s.mu.Lock()
	var value []byte // is replaced and never changed
	if e := m.live(s, name); e != nil {
		value = e.value
	}
	s.mu.Unlock()
	if value == nil {
		return nil, flow.ErrUnknown
	}
	return decode(ref, value, m.now())
}

// acquire takes the lease and reads the record.
func (m *Memory) acquire(ref flow.Ref, c flow.Claim) (*flow.Execution, error) {
	name, holder := ofRef(ref), ofHolder(c.Holder)
	s := m.shard(name)
	s.mu.Lock()
	e, now := m.live(s, name), m.now()
	if e != nil && now.Before(e.leased) && e.holder != holder {
		defer s.mu.Unlock()
		return nil, &flow.HeldError{Submit: e.submit}
	}
	if e != nil {
		e.holder, e.submit, e.leased = holder, c.Submit, now.Add(flow.LeaseTime)
	}
	s.mu.Unlock()
	if e == nil {
		return nil, flow.ErrUnknown
	}
	x, err := m.load(ref)
	if err != nil {
		return nil, m.give(ref, c.Holder, err)
	}
	return x, nil
}

// Save implements engine.Executions as Redis.Save does.
func (m *Memory) Save(_ context.Context, x *flow.Execution, holder string) error {
	name, mine := ofRef(x.Ref), ofHolder(holder)
	b, err := encode(x, mine)
	if err != nil {
		return err
	}
	s := m.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := m.live(s, name)
	switch {
	case e == nil:
		return flow.ErrLost
	case version(e.value) == x.Version && id(e.value[atSave:atBody]) == mine:
		return nil // already mine
	case version(e.value) != x.Version-1:
		return flow.ErrLost
	case e.holder != mine || !m.now().Before(e.leased):
		return flow.ErrLost
	}
	return m.put(s, name, &entry{value: b, expires: x.ExpiresAt})
}

// Release gives the lease back without a save.
func (m *Memory) Release(_ context.Context, ref flow.Ref, holder string) error {
	return m.give(ref, holder, nil)
}

// give gives the lease back and returns err.
func (m *Memory) give(ref flow.Ref, holder string, err error) error {
	name := ofRef(ref)
	s := m.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := m.live(s, name); e != nil && e.holder == ofHolder(holder) {
		e.holder, e.leased = id{}, time.Time{}
	}
	return err
}

// resume marks a terminal record of this binding and reads it.
func (m *Memory) resume(ref flow.Ref, binding flow.Digest) (*flow.Execution, error) {
	name := ofRef(ref)
	s := m.shard(name)
	s.mu.Lock()
	if e := m.live(s, name); e != nil && e.value[atFlags] == flagTerminal && !binding.IsZero() &&
		subtle.ConstantTimeCompare(e.value[atBinding:atSave], binding[:]) == 1 {
		marked := append(make([]byte, 0, len(e.value)), e.value...)
		marked[atFlags] |= flagResumed
		e.value = marked
		if last := m.now().Add(flow.ResumedLife); last.Before(e.expires) {
			e.expires = last
		}
	}
	s.mu.Unlock()
	return m.load(ref)
}
