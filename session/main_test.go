package session_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"doorward/internal/pgtest"
	"doorward/runtime/flow"
	"doorward/session"
)

// TestMain runs the tests, or, started by one of them, a second node.
func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // the library reports every refused connection
	if os.Getenv("DOORWARD_TEST_NODE") != "" {
		os.Exit(secondNode())
	}
	goleak.VerifyTestMain(pgtest.Tests{M: m})
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// clock is real time plus what has been made to pass.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) pass(d time.Duration) { c.offset.Add(int64(d)) }
func (c *clock) round() time.Time     { return c.now().UTC().Truncate(time.Millisecond) }
func newRef() flow.Ref                { return flow.Ref{Env: uuid.NewString(), ID: uuid.NewString()} }
func digest() (d flow.Digest)         { _, _ = rand.Read(d[:]); return d }
func claim(holder string) flow.Claim {
	return flow.Claim{Holder: holder, Submit: flow.Sum("submit of " + holder)}
}

func limit(n int) flow.Limit {
	return flow.Limit{Key: "test:" + uuid.NewString(), Max: n, Window: time.Minute}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// fresh is an execution as it is created at an authorize request: what a first
// status needs.
func fresh(ref flow.Ref, now time.Time) *flow.Execution {
	payload := make([]byte, 250)
	_, _ = rand.Read(payload)
	return &flow.Execution{
		Ref: ref, Format: flow.Format, Version: 1, Plan: digest(), Node: "1.password", Status: "USERNAME_PASSWORD_REQUIRED",
		Steps:   map[string][]byte{},
		Demand:  flow.Demand{Needs: []flow.Need{{Factors: flow.Knowledge}}, ACR: "Single_Factor"},
		Binding: digest(), Rotated: 1,
		Request: flow.Request{
			Application: uuid.NewString(), ReturnTo: "https://app.example.com/callback", MaxAge: -1, Payload: payload,
		},
		CreatedAt: now, ExpiresAt: now.Add(flow.Idle), EndsAt: now.Add(flow.Life),
	}
}

// full is an execution with something in every field.
func full(ref flow.Ref, now time.Time) *flow.Execution {
	x := fresh(ref, now)
	x.Attempt, x.Status = 3, flow.Failed
	x.Failure = &flow.Failure{Code: "ACCOUNT_DISABLED", Message: "The account is disabled.", HTML: "<p>It is.</p>", Details: []flow.Detail{{Code: "X", Target: "user.email", Pointer: "/user/email", Message: "Taken.", Inner: map[string]any{"a": "b"}}}}
	x.User = flow.Subject{ID: uuid.NewString(), Username: "ada", Given: "Ada", Family: "Lovelace", Population: uuid.NewString(), Locales: "de"}
	x.Others = []flow.Digest{digest()}
	x.Person = flow.Candidate{Username: "bea", Address: "b•••@example.com", UserID: uuid.NewString(), Proofs: flow.Ledger{{Subject: "bea", Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", Address: "bea@example.com", At: now, Origin: flow.FromIDP}}}
	x.Foreign = flow.ForeignAccount{Provider: uuid.NewString(), ID: "bea at the partner's"}
	x.Steps = map[string][]byte{"1.password": []byte(`{"tries":2}`), "2.otp": []byte(`{}`)}
	x.Proofs = flow.Ledger{
		{Subject: x.User.ID, Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now},
		{Subject: x.User.ID, Factors: flow.Possession, Method: "mfa", AMR: "otp", Authenticator: uuid.NewString(), Address: "+15551234", At: now, Origin: flow.FromSession},
	}
	x.Demand.Needs = append(x.Demand.Needs, flow.Need{Factors: flow.Possession, NotBefore: now.Add(-time.Hour)})
	x.Demand.NotBefore = now.Add(-2 * time.Hour)
	x.Token, x.Accepted, x.TokenAt = digest(), true, 2
	x.SessionID, x.SessionHash = uuid.NewString(), digest()
	x.Repeat = flow.Mark{Submit: digest(), Key: digest(), Binding: digest(), Version: 4, At: now, Fault: &flow.Fault{
		Code: flow.InvalidData, Message: flow.InvalidMessage, RetryAfter: 3 * time.Second, Restart: true,
		Details: []flow.Detail{{Code: flow.PasswordLockedOut, Target: "password", Pointer: "/password", Message: "Locked.", Inner: map[string]any{
			"secondsUntilUnlock": int64(900), "allowedValues": []string{"a", "b"}, "ratio": 0.5, "known": true, "none": nil, "text": "x",
		}}},
	}}
	x.Request.PiFlow, x.Request.Fresh, x.Request.LoginHint, x.Request.Locales = true, true, "ada@example.com", "de"
	x.Inputs, x.Outputs, x.Secrets = []byte("{}"), map[string][]byte{"form": []byte("{}")}, map[string][]byte{"form\x00formData.user.password": {1}}
	x.Named, x.Return, x.Request.Definition, x.Request.For = true, "a=b", uuid.NewString(), uuid.NewString()
	x.Request.User, x.Request.Owner, x.Demand.Vouched = x.User, uuid.NewString(), true
	return x
}

func signOn(now time.Time) *flow.Session {
	user := flow.Subject{ID: uuid.NewString(), Username: "ada", Given: "Ada", Family: "Lovelace", Population: uuid.NewString(), Locales: "de"}
	return &flow.Session{
		ID: uuid.NewString(), User: user,
		Proofs:    flow.Ledger{{Subject: user.ID, Factors: flow.Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: now}},
		CreatedAt: now, ActiveAt: now, ExpiresAt: now.Add(8 * time.Hour), RemoteIP: "192.0.2.7", UserAgent: "Browser/1.0",
		Replaced: []flow.Replaced{{Hash: digest(), At: now}, {Hash: digest(), At: now.Add(-time.Minute)}},
	}
}

// batches counts what is sent to Redis, as one hook at the client sees it.
type batches struct{ n atomic.Int32 }

func (b *batches) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *batches) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b.n.Add(1)
		return next(ctx, cmd)
	}
}

func (b *batches) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		b.n.Add(1)
		return next(ctx, cmds)
	}
}

// database is SQLite with the one table that sessions need.
type database struct{ *sql.DB }

func newDatabase(tb testing.TB) database {
	tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(tb.TempDir(), "sessions.db")+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(1000)&_txlock=immediate")
	must(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	_, err = db.Exec(`CREATE TABLE sessions (env TEXT, hash BLOB, id TEXT, user_id TEXT, body BLOB, put_at INTEGER, expires_at INTEGER, PRIMARY KEY (env, hash))`)
	must(tb, err)
	return database{db}
}

func (d database) Reader() *sql.DB { return d.DB }

func (d database) Write(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// newEmbedded is an embedded store of size bytes.
func newEmbedded(tb testing.TB, size int64, now func() time.Time) *session.Embedded {
	tb.Helper()
	m := session.NewMemory(size, now)
	tb.Cleanup(func() { _ = m.Close() })
	return session.NewEmbedded(m, session.NewSQLSessions(newDatabase(tb), now))
}
