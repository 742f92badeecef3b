package directory_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/directory"
)

// Each of these runs on both stores.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	t.Run("open a new directory", func(t *testing.T) { onBoth(t, testTwoOpen) })
	for name, test := range map[string]func(*testing.T, string){
		"redeem a code once": testTwoRedeem, "count failures together": testTwoGuess, "make one signing key": testTwoEnsure,
	} {
		t.Run(name, func(t *testing.T) { onMade(t, test) })
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
		p, before := start(t, "write", path), len(acknowledged)
		for p.out.Scan() { // killed at some moment after it has begun, however slow the machine is
			if p.out.Text() == "busy" {
				continue
			}
			if acknowledged = append(acknowledged, p.out.Text()); len(acknowledged) == before+1 {
				time.AfterFunc(300*time.Millisecond, func() { _ = p.Process.Kill() })
			}
		}
		_ = p.Wait()
	}
	db := openAt(t, path, directory.Options{})
	kept := map[string]bool{}
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
	if len(acknowledged) < 40 {
		t.Errorf("only %d rows were acknowledged", len(acknowledged))
	}
	if !directory.OnServer(path) {
		if err := integrity(db); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d rows acknowledged, %d kept", len(acknowledged), len(kept))
}
