package directory_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
	"doorward/runtime/flow"
)

// leaveSecrets keeps one secret of every sort and returns what must not be found.
func leaveSecrets(t *testing.T, db *directory.DB) [][]byte {
	t.Helper()
	ctx := t.Context()
	ring := newRing()
	hasher := directory.NewHasher(cheap(), 1, time.Now)
	if _, err := directory.NewUsers(db, hasher, time.Now).Create(ctx, ada(), "canary-password", "canary-effect"); err != nil {
		t.Fatal(err)
	}
	p := directory.NewPasswords(db, hasher, ring, lock5, time.Now)
	for _, c := range []directory.Check{
		{Env: env, Username: "canary-stranger", Password: "canary-guess", Effect: "e1"},
		{Env: env, Username: "ada", Password: "canary-guess", Effect: "e2"},
		{Env: env, Username: "ada", Password: "canary-password", Effect: "e3"},
	} {
		if _, err := p.Check(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := directory.NewResources(db, ring).Apply(ctx, env, nil, nil, map[string][]byte{"application/a/secret": []byte("canary-secret")}, nil, 0); err != nil {
		t.Fatal(err)
	}
	code := newCode(0, time.Now())
	code.Hash = flow.Sum("canary-code")
	if err := directory.NewCodes(db, time.Now).Issue(ctx, code); err != nil {
		t.Fatal(err)
	}
	signing := directory.NewSigningKeys(db, ring, time.Now)
	if _, err := signing.Ensure(ctx, env, "EdDSA"); err != nil {
		t.Fatal(err)
	}
	key, err := signing.Active(ctx, env, "EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{
		[]byte("canary-password"), []byte("canary-guess"), []byte("canary-stranger"), []byte("canary-secret"), []byte("canary-code"),
		private, private[len(private)-32:],
	}
}

func TestNothingUsableLiesInTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db := openAt(t, path, directory.Options{})
	canaries := append(leaveSecrets(t, db), mailedCanaries(t, db)...)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files { // in the log, and again once it is in the database
		lookFor(t, f, canaries)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !lookFor(t, path, canaries) {
		t.Error("the user is not in the file that was searched")
	}
}

func TestNothingUsableLiesInTheTables(t *testing.T) {
	path := pgtest.Database(t)
	db := openAt(t, path, directory.Options{})
	canaries := append(leaveSecrets(t, db), mailedCanaries(t, db)...)
	for _, c := range canaries {
		canaries = append(canaries, []byte(hex.EncodeToString(c))) // as bytes are shown
	}
	user := false
	for _, table := range strings.Fields(tables(t, path, db.Reader())) {
		all := []byte(sorted(t, db.Reader(), `SELECT t::text FROM `+table+` t`))
		for _, c := range canaries {
			if bytes.Contains(all, c) {
				t.Errorf("%s holds %q", table, c)
			}
		}
		user = user || bytes.Contains(all, []byte("ada@example.com"))
	}
	if !user {
		t.Error("the user is not in the tables that were searched")
	}
}

func lookFor(t *testing.T, file string, canaries [][]byte) (user bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range canaries {
		if bytes.Contains(b, c) {
			t.Errorf("%s holds %q", filepath.Base(file), c)
		}
	}
	return bytes.Contains(b, []byte("ada@example.com"))
}
