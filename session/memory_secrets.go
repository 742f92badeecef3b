package session

import (
	"context"
	"crypto/subtle"
	"time"
)

// PutSecret keeps a one-time secret as Redis.PutSecret does. Secrets end with the
// process; a snapshot has none.
func (m *Memory) PutSecret(_ context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error {
	key := identify("o", name)
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[key] == nil {
		if err := m.reserve(secretCost); err != nil {
			return err
		}
	}
	s.secrets[key] = &secret{hash: hash, left: tries, expires: m.now().Add(ttl)}
	return nil
}

// UseSecret tries a one-time secret as Redis.UseSecret does.
func (m *Memory) UseSecret(_ context.Context, name string, hash [32]byte, effect string) (Verdict, error) {
	key, t := identify("o", name), try(effect, hash)
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	x := s.secrets[key]
	switch {
	case x == nil || !now.Before(x.expires):
		return Verdict{}, nil
	case x.used == t:
		return Verdict{Outcome: OK}, nil
	case x.used != id{}:
		return Verdict{}, nil
	case x.tried == t:
		return Verdict{Outcome: Wrong, Left: x.left}, nil
	case x.left < 1:
		return Verdict{}, nil
	}
	x.left--
	if subtle.ConstantTimeCompare(x.hash[:], hash[:]) == 1 {
		x.used = t
		if last := now.Add(usedFor); last.Before(x.expires) {
			x.expires = last
		}
		return Verdict{Outcome: OK}, nil
	}
	x.tried = t
	return Verdict{Outcome: Wrong, Left: x.left}, nil
}
