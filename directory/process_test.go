package directory_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// Each of these runs on both stores.
func TestTwoProcesses(t *testing.T) {
	for name, test := range map[string]func(*testing.T, string){
		"open a new directory": testTwoOpen, "redeem a code once": testTwoRedeem,
		"count failures together": testTwoGuess, "make one signing key": testTwoEnsure,
	} {
		t.Run(name, func(t *testing.T) { onBoth(t, test) })
	}
}

func testTwoOpen(t *testing.T, path string) {
	t.Helper()
	for _, lines := range bothDo(t, "open", path) {
		if strings.Join(lines, "") != "opened" {
			t.Errorf("child said %q", lines)
		}
	}
}

func testTwoRedeem(t *testing.T, path string) {
	t.Helper()
	db := openAt(t, path, directory.Options{})
	codes := directory.NewCodes(db, time.Now)
	for n := range raceCodes {
		if err := codes.Issue(t.Context(), newCode(n, time.Now().UTC().Truncate(time.Millisecond))); err != nil {
			t.Fatal(err)
		}
	}
	first := map[string]int{}
	both := bothDo(t, "redeem", path)
	for _, line := range append(both[0], both[1]...) {
		if r, _ := strconv.Atoi(word(line, 1)); directory.Redemption(r) == directory.First {
			first[word(line, 0)]++
		}
	}
	for n := range raceCodes {
		if first[fmt.Sprint(n)] != 1 {
			t.Errorf("code %d was first %d times", n, first[fmt.Sprint(n)])
		}
		if g, err := codes.Grant(t.Context(), env, fmt.Sprint("grant", n)); err != nil || g.Holds(time.Now()) {
			t.Errorf("grant %d holds after a replay (%v)", n, err)
		}
	}
}

func testTwoGuess(t *testing.T, path string) {
	t.Helper()
	times := map[string]int{}
	both := bothDo(t, "guess", path)
	for _, line := range append(both[0], both[1]...) {
		times[line]++
	}
	if r, l := times[fmt.Sprint(directory.Refused)], times[fmt.Sprint(directory.LockedOut)]; r != 4 || l != 16 {
		t.Errorf("%d refused and %d locked out of 20, with a lock at the 5th", r, l)
	}
}

func testTwoEnsure(t *testing.T, path string) {
	t.Helper()
	both := bothDo(t, "ensure", path)
	if a, b := fmt.Sprint(both[0]), fmt.Sprint(both[1]); a != b || len(both[0]) != 1 {
		t.Errorf("%s and %s", a, b)
	}
}

func TestAcknowledgedRowsSurviveKill(t *testing.T) { onBoth(t, testKilledWriters) }

func testKilledWriters(t *testing.T, path string) {
	t.Helper()
	var acknowledged []string
	for range 4 {
		p := start(t, "write", path)
		time.AfterFunc(400*time.Millisecond, func() { _ = p.Process.Kill() })
		acknowledged = append(acknowledged, p.lines()...)
		_ = p.Wait()
	}
	db := openAt(t, path, directory.Options{})
	kept := map[string]bool{}
	acknowledged = slices.DeleteFunc(acknowledged, func(id string) bool { return id == "busy" })
	found, err := db.Reader().Query(`SELECT hash FROM sessions`)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var id []byte
		if err := found.Scan(&id); err != nil {
			t.Fatal(err)
		}
		kept[string(id)] = true
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	for _, id := range acknowledged {
		if !kept[id] {
			t.Errorf("acknowledged row %s is lost", id)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d rows were acknowledged", len(acknowledged))
	}
	if !directory.OnServer(path) {
		if err := integrity(db); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d rows acknowledged, %d kept", len(acknowledged), len(kept))
}

func TestNothingUsableLiesInTheFiles(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "directory.db")
	db := openAt(t, path, directory.Options{})
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
	if _, err := directory.NewResources(db, ring).Apply(ctx, env, nil, nil, map[string][]byte{"application/a/secret": []byte("canary-secret")}, nil); err != nil {
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
	canaries := [][]byte{
		[]byte("canary-password"), []byte("canary-guess"), []byte("canary-stranger"), []byte("canary-secret"), []byte("canary-code"),
		private, private[len(private)-32:],
	}
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
