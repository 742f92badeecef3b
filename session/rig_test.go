package session_test

import (
	"context"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
	"doorward/internal/redistest"
	"doorward/runtime/flow"
	"doorward/session"
)

// store is what every implementation has: what package engine declares, and
// secrets.
type store interface {
	Create(ctx context.Context, x *flow.Execution, limits []flow.Limit) error
	Load(ctx context.Context, ref flow.Ref, session flow.Digest) (*flow.Execution, *flow.Session, error)
	Acquire(ctx context.Context, ref flow.Ref, c flow.Claim, limits []flow.Limit) (*flow.Execution, *flow.Session, error)
	Save(ctx context.Context, x *flow.Execution, holder string) error
	Release(ctx context.Context, ref flow.Ref, holder string) error
	Resume(ctx context.Context, ref flow.Ref, binding, session flow.Digest) (*flow.Execution, *flow.Session, error)
	Session(ctx context.Context, env string, st flow.Digest, limits []flow.Limit) (*flow.Session, error)
	PutSession(ctx context.Context, env string, st flow.Digest, s *flow.Session) error
	SessionKey(ctx context.Context, env, session string) (flow.Digest, error)
	SessionsOf(ctx context.Context, env, user string) ([]flow.Session, error)
	EndSession(ctx context.Context, env string, st flow.Digest) (*flow.Session, error)
	Count(ctx context.Context, limits []flow.Limit) error
	Uncount(ctx context.Context, limits []flow.Limit) error
	PutSecret(ctx context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error
	UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (session.Verdict, error)
}

// rig is one implementation under test with what a test does around it.
type rig struct {
	store store
	clock *clock
	url   string // of Redis, for a second node; empty in memory

	rounds uint64 // of the races

	age      func(d time.Duration)                     // time passes in the store
	plant    func(tb testing.TB, r flow.Ref, b []byte) // replaces stored bytes
	value    func(tb testing.TB, r flow.Ref) []byte
	uncount  func(tb testing.TB, l flow.Limit) // makes a limit uncountable
	failover func(tb testing.TB)               // the store goes down and comes back

	link    *redistest.Link // nil in memory
	batches *batches
}

// pass makes d pass.
func (r *rig) pass(d time.Duration) {
	r.clock.pass(d)
	if r.age != nil {
		r.age(d)
	}
}

func TestEmbedded(t *testing.T) {
	r := &rig{clock: &clock{}, rounds: 15_000}
	embedded(t, r, newDatabase(t))
}

// Sign-on sessions lie where the directory lies.
func TestEmbeddedOnPostgres(t *testing.T) {
	r := &rig{clock: &clock{}, rounds: 1_000}
	db, err := directory.Open(t.Context(), directory.Options{Path: pgtest.Database(t), Now: r.clock.now})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	embedded(t, r, db)
}

func embedded(t *testing.T, r *rig, db session.SQL) {
	t.Helper()
	path := t.TempDir() + "/snapshot"
	ring := newRing(t)
	sessions := session.NewSQLSessions(db, r.clock.now)
	m := session.NewMemory(0, r.clock.now)
	t.Cleanup(func() { _ = m.Close() })
	r.store = session.NewEmbedded(m, sessions)
	r.plant = func(_ testing.TB, ref flow.Ref, b []byte) { m.Plant(ref, b) }
	r.value = func(_ testing.TB, ref flow.Ref) []byte { return m.Value(ref) }
	r.failover = func(tb testing.TB) {
		tb.Helper()
		must(tb, m.Close())
		must(tb, m.Snapshot(path, ring))
		m = session.NewMemory(0, r.clock.now)
		must(tb, m.Restore(path, ring))
		r.store = session.NewEmbedded(m, sessions)
	}
	contract(t, r)
}

func TestOneRedis(t *testing.T) {
	s := redistest.Start(t)
	r := redisRig(t, s.URL())
	r.age, r.rounds = s.Age, 15_000
	r.failover = func(testing.TB) { s.Kill(); s.Restart() }
	contract(t, r)
}

func TestCluster(t *testing.T) {
	c := redistest.StartCluster(t)
	r := redisRig(t, c.URL())
	r.age = c.Age
	r.failover = c.Restart
	contract(t, r)
}

func TestSentinel(t *testing.T) {
	s := redistest.StartSentinel(t)
	r := redisRig(t, s.URL())
	r.age = s.Age
	r.failover = func(testing.TB) { s.Failover() }
	contract(t, r)
}

func redisRig(t *testing.T, url string) *rig {
	t.Helper()
	r := &rig{clock: &clock{}, url: url, rounds: 5_000, link: &redistest.Link{}, batches: &batches{}}
	s, err := session.Open(t.Context(), session.Options{URL: url, Now: r.clock.now, Hook: r.batches, Dial: r.link.Dial})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	r.store = s
	r.plant = func(tb testing.TB, ref flow.Ref, b []byte) {
		tb.Helper()
		must(tb, s.Client().Set(tb.Context(), session.RecordKey(ref), b, time.Minute).Err())
	}
	r.value = func(tb testing.TB, ref flow.Ref) []byte {
		tb.Helper()
		b, err := s.Client().Get(tb.Context(), session.RecordKey(ref)).Bytes()
		must(tb, err)
		return b
	}
	r.uncount = func(tb testing.TB, l flow.Limit) {
		tb.Helper()
		must(tb, s.Client().RPush(tb.Context(), session.LimitKey(l), "not a number").Err())
	}
	return r
}

// contract is what every implementation has to keep. Names are sentences.
func contract(t *testing.T, r *rig) {
	t.Helper()
	t.Run("executions", func(t *testing.T) { executions(t, r) })
	t.Run("leases", func(t *testing.T) { leases(t, r) })
	t.Run("saves", func(t *testing.T) { saves(t, r) })
	t.Run("resumes", func(t *testing.T) { resumes(t, r) })
	t.Run("limits", func(t *testing.T) { limits(t, r) })
	t.Run("sessions", func(t *testing.T) { sessions(t, r) })
	t.Run("secrets", func(t *testing.T) { secrets(t, r) })
	if r.link != nil {
		t.Run("batches", func(t *testing.T) { countBatches(t, r) }) // before what is taken back later
		t.Run("lost replies", func(t *testing.T) { lostReplies(t, r) })
	}
	t.Run("races", func(t *testing.T) { races(t, r) })
	t.Run("failover", func(t *testing.T) { failover(t, r) }) // last: it stays over
}
