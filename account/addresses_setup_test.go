package account_test

import (
	"context"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

const bea = "a0000000-0000-4000-8000-000000000002"

// archive is a directory in memory, with the people who live there.
type archive struct {
	*directory.Accounts
	users  *directory.Users
	outbox *directory.Outbox
}

// newArchive is a world in which ada and bea are kept as they are by the server.
func newArchive(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	now := func() time.Time { return w.now }
	db, err := directory.Open(t.Context(), directory.Options{Path: ":memory:", Now: now, Patience: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	hasher := directory.NewHasher(directory.Params{Memory: 64, Time: 1, Threads: 1}, 1, now)
	w.kept = &archive{
		Accounts: directory.NewAccounts(db, hasher, ring, func(string, string) passwordpolicy.Policy { return passwordpolicy.Policy{} }, now),
		users:    directory.NewUsers(db, hasher, now), outbox: directory.NewOutbox(db, ring, now),
	}
	for id, name := range map[string]string{ada: "ada", bea: "bea"} {
		u := directory.User{Env: envID, ID: id, Username: name, Enabled: true, Email: name + "@example.com", EmailVerified: true}
		if _, err := w.kept.users.Create(t.Context(), u, "Right-Horse-9", ""); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// is makes somebody else the one who is signed on.
func (w *world) is(session, user string) {
	w.session = &flow.Session{ID: session, User: flow.Subject{ID: user}, Proofs: flow.Ledger{flow.PasswordProof(user, w.now)}}
}

// sent is what has been sent since it was asked for last.
func (w *world) sent() []flow.Message {
	w.t.Helper()
	out, err := w.kept.outbox.Claim(w.t.Context(), 100, time.Hour, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// one is the only message that has been sent.
func (w *world) one() flow.Message {
	w.t.Helper()
	all := w.sent()
	if len(all) != 1 {
		w.t.Fatalf("%d messages", len(all))
	}
	return all[0]
}

// person is somebody as they are kept.
func (w *world) person(id string) directory.User {
	w.t.Helper()
	u, err := w.kept.users.Get(w.t.Context(), envID, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *world) Reaches(string, flow.Channel) bool { return !w.mute }

func (w *world) PendingAddress(ctx context.Context, env, userID string, kind directory.AddressKind) (directory.PendingAddress, error) {
	if w.kept == nil {
		return directory.PendingAddress{}, flow.ErrUnknown
	}
	return w.kept.PendingAddress(ctx, env, userID, kind)
}

func (w *world) Propose(ctx context.Context, p directory.Proposal) (directory.Proposed, error) {
	return w.kept.Propose(ctx, p)
}

func (w *world) Prove(ctx context.Context, p directory.AddressProof) (bool, error) {
	return w.kept.Prove(ctx, p)
}

func (w *world) Withdraw(ctx context.Context, env, userID string, kind directory.AddressKind) error {
	return w.kept.Withdraw(ctx, env, userID, kind)
}

func (w *world) RemovePhone(ctx context.Context, env, userID string) (bool, error) {
	return w.kept.RemovePhone(ctx, env, userID)
}
