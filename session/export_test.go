package session

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

// The codec, for its own tests.
var (
	Encode        = func(x *flow.Execution) ([]byte, error) { return encode(x, ofHolder("holder")) }
	Decode        = decode
	EncodeSession = encodeSession
	DecodeSession = decodeSession
	ParseURL      = func(raw string) (mode string, opts redis.UniversalOptions, err error) {
		p, err := parseURL(raw)
		return p.mode, p.opts, err
	}
)

// AtBody is where a record's body begins.
const AtBody = atBody

// Keys of Redis, to look behind it.
var (
	RecordKey  = recordKey
	LeaseKey   = func(ref flow.Ref) string { _, lease := keysOf(ref); return lease }
	LimitKey   = limitKey
	SessionKey = sessionKey
)

// Client is the client in use.
func (r *Redis) Client() redis.UniversalClient { return r.rdb }

// Recheck makes the next Health look at the settings.
func (r *Redis) Recheck() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked = time.Time{}
}

// Value returns the bytes stored for ref.
func (m *Memory) Value(ref flow.Ref) []byte {
	s := m.shard(ofRef(ref))
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[ofRef(ref)].value
}

// Plant replaces the bytes stored for ref.
func (m *Memory) Plant(ref flow.Ref, value []byte) {
	s := m.shard(ofRef(ref))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[ofRef(ref)].value = value
}

// Road has callers' batches travel together.
type Road = road

// The limits of a Road.
const (
	MostTogether = mostTogether
	BatchTime    = batchTime
	Patience     = patience
)

// NewRoad makes one that sends by send.
func NewRoad(send func(context.Context, []*redis.Cmd)) *Road { return &road{send: send} }

// Travel sends a batch.
func (r *Road) Travel(ctx context.Context, cmds []*redis.Cmd) { r.travel(ctx, cmds) }
