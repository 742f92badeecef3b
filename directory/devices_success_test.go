package directory_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func testSuccesses(t *testing.T, open opener) {
	t.Run("write only what must be", func(t *testing.T) {
		count := &counter{}
		b := newBench(t, func(t *testing.T, o directory.Options) *directory.DB {
			t.Helper()
			o.Wrap = count.wrap
			return open(t, o)
		})
		d := b.create(b.user(), device.SMS, nil)
		for name, row := range map[string]struct {
			before func()
			writes bool
		}{
			"first": {func() {}, false},
			"again": {func() { b.succeed(d) }, false},
			"later": {func() { b.succeed(d); b.now.Move(61 * time.Second) }, false},
			"wrong": {func() { b.succeed(d); b.fail(d) }, true},
			"since": {func() { b.fail(d); b.succeed(d) }, false},
		} {
			row.before()
			if err := b.db.Flush(); err != nil {
				t.Fatal(err)
			}
			before := count.commits.Load()
			if v := b.succeed(d); !v.OK || !v.Counted {
				t.Errorf("%s: %+v", name, v)
			}
			if got := count.commits.Load() != before; got != row.writes {
				t.Errorf("%s: writes: %v", name, got)
			}
			b.now.Move(time.Hour)
		}
		if got := b.get(d); got.Wrong != 0 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("are kept as the last use, a moment later", func(t *testing.T) {
		b := newBench(t, open)
		d := b.create(b.user(), device.SMS, nil)
		first := b.now.Now()
		b.succeed(d)
		for end := time.Now().Add(time.Minute); b.get(d).LastUsedAt.IsZero() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		}
		if got := b.get(d).LastUsedAt; !got.Equal(first) {
			t.Errorf("%v", got)
		}
		for _, after := range []time.Duration{59 * time.Second, time.Second, time.Second} {
			b.now.Move(after)
			b.succeed(d)
		}
		if err := b.db.Flush(); err != nil || !b.get(d).LastUsedAt.Equal(first.Add(61*time.Second)) {
			t.Errorf("%v %v", b.get(d).LastUsedAt, err)
		}
	})
	t.Run("are of active devices that are there", func(t *testing.T) {
		b := newBench(t, open)
		for _, d := range []device.Device{b.create(b.user(), device.SMS, waiting), {UserID: b.user(), ID: "none"}} {
			if v, err := b.Succeed(t.Context(), directory.Success{Judged: judged(d), Seen: d}); err != nil || v.OK {
				t.Errorf("%+v %v", v, err)
			}
		}
	})
}

// TestWhatIsLeftForLaterIsWrittenAtTheEnd, and not before the device is read again.
func TestWhatIsLeftForLaterIsWrittenAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorward.db")
	for _, used := range []bool{false, true} {
		b := newBench(t, func(t *testing.T, o directory.Options) *directory.DB {
			t.Helper()
			o.Path = path
			db, err := directory.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			return db
		})
		if !used {
			b.succeed(b.create(b.user(), device.SMS, nil))
		}
		var n int
		if err := b.db.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM devices WHERE last_used_at > 0`).Scan(&n); err != nil || n > 0 != used {
			t.Errorf("%d devices were used, want %v; %v", n, used, err)
		}
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// testPasskeys holds the same of a device that was read before and of one that was not,
// for which there is a shorter way.
func testPasskeys(t *testing.T, open opener) {
	for name, seen := range map[string]bool{"unseen": false, "seen": true} {
		t.Run(name, func(t *testing.T) { testAssertions(t, open, seen) })
	}
}

func testAssertions(t *testing.T, open opener, seen bool) {
	t.Helper()
	b := newBench(t, open)
	challenge := byte(0)
	key := func(name string, count uint32) device.Device {
		return b.create(b.user(), device.FIDO2, func(n *directory.NewDevice) { n.Device.Credential = passkey(name, count) })
	}
	assert := func(d device.Device, count uint32, with func(*directory.Success)) directory.Standing {
		t.Helper()
		challenge++
		a := directory.Success{Judged: judged(d), Credential: passkey("", count), Challenge: [32]byte{challenge}}
		if seen {
			a.Seen = b.answering(d)
		}
		if with != nil {
			with(&a)
		}
		v, err := b.Succeed(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	t.Run("a counter goes up, or is always 0", func(t *testing.T) {
		for n, row := range []struct {
			kept, next uint32
			ok         bool
		}{{10, 11, true}, {10, 10, false}, {10, 9, false}, {10, 0, false}, {10, 1<<32 - 1, true}, {1<<32 - 1, 5, false}, {0, 0, true}, {0, 1, true}} {
			d := key(fmt.Sprint("counter", n), row.kept)
			v := assert(d, row.next, nil)
			if v.OK != row.ok || v.Cloned != !row.ok || v.Counted != true {
				t.Errorf("%+v: %+v", row, v)
			}
			if got := b.get(d); got.Credential.SignCount != max(row.kept, row.next) || (got.Wrong == 0) != row.ok || got.Credential.Suspected {
				t.Errorf("%+v: %+v", row, got)
			}
		}
	})
	t.Run("a suspected one may stay behind, and its counter never goes down", func(t *testing.T) {
		d := key("suspect", 10)
		if v, err := b.Fail(t.Context(), directory.Failing{Judged: judged(d), Suspect: true}); err != nil || v.Wrong != 1 || !b.get(d).Credential.Suspected {
			t.Errorf("%+v %v", v, err)
		}
		suspected := func(a *directory.Success) { a.Credential.Suspected = true }
		if v := assert(d, 9, suspected); !v.OK || v.Cloned {
			t.Errorf("%+v", v)
		}
		if got := b.get(d); got.Credential.SignCount != 10 || !got.Credential.Suspected {
			t.Errorf("%+v", got.Credential)
		}
	})
	t.Run("the one that moved the counter is right again, and no other", func(t *testing.T) {
		d := key("again", 10)
		of := func(effect string) directory.Judged {
			j := judged(d)
			j.Effect = effect
			return j
		}
		if v := assert(d, 11, func(a *directory.Success) { a.Judged = of(fmt.Sprint("counted/1 ", seen)) }); !v.OK {
			t.Fatalf("%+v", v)
		}
		if v, err := b.Fail(t.Context(), directory.Failing{Judged: of(fmt.Sprint("counted/1 ", seen)), Suspect: true}); err != nil || !v.OK || b.get(d).Credential.Suspected || b.get(d).Wrong != 0 {
			t.Errorf("%+v %v", v, err)
		}
		if v, err := b.Fail(t.Context(), directory.Failing{Judged: of(fmt.Sprint("counted/2 ", seen)), Suspect: true}); err != nil || v.OK || !b.get(d).Credential.Suspected || b.get(d).Wrong != 1 {
			t.Errorf("%+v %v", v, err)
		}
	})
	t.Run("the backup state is kept, and nothing else is changed", func(t *testing.T) {
		d := key("backup", 1)
		want := *d.Credential
		want.SignCount, want.BackedUp = 2, true
		other := func(a *directory.Success) {
			a.Credential = &device.Credential{ID: []byte("other"), PublicKey: []byte("other"), SignCount: 2, BackedUp: true, RPID: "other"}
		}
		if v := assert(d, 2, other); !v.OK || !cmp.Equal(b.get(d).Credential, &want) {
			t.Errorf("%+v %s", v, cmp.Diff(&want, b.get(d).Credential))
		}
	})
	t.Run("a challenge is answered once", func(t *testing.T) {
		d, other := key("challenge", 0), key("challenge of other", 0)
		used := [32]byte{255}
		with := func(effect string) func(*directory.Success) {
			return func(a *directory.Success) { a.Challenge, a.Effect = used, effect }
		}
		if v := assert(d, 0, with("first")); !v.OK {
			t.Errorf("%+v", v)
		}
		if v := assert(d, 0, with("first")); !v.OK {
			t.Errorf("the same effect: %+v", v)
		}
		if v := assert(d, 0, nil); !v.OK { // so that d was used a moment ago, and is read as that
			t.Errorf("another challenge: %+v", v)
		}
		if v := assert(d, 0, with("first")); !v.OK {
			t.Errorf("the same effect again: %+v", v)
		}
		for _, row := range []struct {
			d      device.Device
			effect string
		}{{d, "second"}, {d, ""}, {other, ""}} {
			if v := assert(row.d, 0, with(row.effect)); v.OK || !v.Replayed || v.Wrong == 0 {
				t.Errorf("%+v", v)
			}
		}
		b.now.Move(flow.Life)
		if _, err := b.db.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := assert(d, 0, with("")); v.OK || !v.Replayed {
			t.Errorf("later: %+v", v)
		}
	})
	t.Run("a challenge is used up by a refused answer too", func(t *testing.T) {
		d := key("refused", 0)
		if err := b.Block(t.Context(), env, d.UserID, d.ID); err != nil {
			t.Fatal(err)
		}
		with := func(a *directory.Success) { a.Challenge = [32]byte{254} }
		if v := assert(d, 0, with); v.OK || v.Replayed {
			t.Errorf("%+v", v)
		}
		if err := b.Unblock(t.Context(), env, d.UserID, d.ID); err != nil {
			t.Fatal(err)
		}
		if v := assert(d, 0, with); v.OK || !v.Replayed {
			t.Errorf("%+v", v)
		}
	})
}
