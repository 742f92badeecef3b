package directory_test

import (
	"errors"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"

	"github.com/google/uuid"
)

func testDeviceLocks(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("a lock says until when, holds for the right code, and ends", func(t *testing.T) {
		d := b.totp(b.user())
		for range 3 {
			b.try(d, -1)
		}
		until := b.now.Now().Add(5 * time.Minute)
		for _, v := range []directory.Standing{b.try(d, 5), b.try(d, -1), b.fail(d), b.succeed(d)} {
			if v.OK || v.Counted || !v.DeviceLocked || v.AccountLocked || !v.Until.Equal(until) || v.Wrong != 3 {
				t.Errorf("%+v", v)
			}
		}
		if got := b.get(d); !got.LockedUntil.Equal(until) || got.Usable(b.now.Now()) {
			t.Errorf("%+v", got)
		}
		b.now.Move(5 * time.Minute)
		if v := b.try(d, 5); !v.OK {
			t.Errorf("%+v", v)
		}
		if got := b.get(d); got.Wrong != 0 || !got.LockedUntil.IsZero() {
			t.Errorf("%+v", got)
		}
	})
	t.Run("the count goes on after a lock, and locks again", func(t *testing.T) {
		d := b.totp(b.user())
		for n := 1; n <= 9; n++ {
			if v := b.fail(d); v.Wrong != n || v.DeviceLocked != (n%3 == 0) {
				t.Errorf("%d: %+v", n, v)
			}
			if n%3 == 0 {
				b.now.Move(5 * time.Minute)
			}
		}
	})
	t.Run("without a cool-down nothing locks, and what is left begins again", func(t *testing.T) {
		d := b.totp(b.user())
		j := judged(d)
		j.Failure.CoolDown = 0
		for n, left := range []int{2, 1, 0, 2, 1, 0} {
			v, err := b.Fail(t.Context(), directory.Failing{Judged: j})
			if err != nil || v.DeviceLocked || v.Left != left || v.Wrong != n+1 {
				t.Errorf("%d: %+v %v", n+1, v, err)
			}
		}
	})
	testAccountLocks(t, b)
	testLongDeviceLocks(t, b)
	testLocksApart(t, open)
}

func testAccountLocks(t *testing.T, b *bench) {
	t.Helper()
	t.Run("wrong answers of all devices lock the account, and a right one of any begins again", func(t *testing.T) {
		user := b.user()
		devices := make([]device.Device, 5)
		for n := range devices {
			devices[n] = b.totp(user)
		}
		for n := range 9 {
			if v := b.fail(devices[n%5]); v.AccountLocked {
				t.Errorf("%d: %+v", n, v)
			}
		}
		if v := b.try(devices[4], 5); !v.OK {
			t.Errorf("%+v", v)
		}
		for _, d := range devices {
			if err := b.Unlock(t.Context(), env, user, d.ID); err != nil {
				t.Fatal(err)
			}
		}
		var last directory.Standing
		for n := range 10 {
			if last = b.fail(devices[n%5]); last.AccountLocked != (n == 9) {
				t.Errorf("%d: %+v", n, last)
			}
		}
		if !last.Until.Equal(b.now.Now().Add(time.Hour)) {
			t.Errorf("%+v", last)
		}
		fresh := b.totp(user)
		for _, v := range []directory.Standing{b.try(fresh, 5), b.succeed(fresh)} {
			if v.OK || v.Counted || !v.AccountLocked || v.DeviceLocked || !v.Until.Equal(last.Until) {
				t.Errorf("%+v", v)
			}
		}
		if m, err := b.Account(t.Context(), env, user); err != nil || m.Wrong != 10 || !m.LockedUntil.Equal(last.Until) {
			t.Errorf("%+v %v", m, err)
		}
		j := judged(fresh)
		j.IgnoreLock = true
		if v, err := b.Try(t.Context(), directory.Try{Judged: j, Compare: ofStep(5)}); err != nil || !v.OK {
			t.Errorf("a policy that ignores the lock: %+v %v", v, err)
		}
		if m, err := b.Account(t.Context(), env, user); err != nil || m.Wrong != 10 || m.LockedUntil.IsZero() {
			t.Errorf("and does not lift it: %+v %v", m, err)
		}
		if err := b.UnlockAccount(t.Context(), env, user); err != nil {
			t.Fatal(err)
		}
		if v := b.try(fresh, 6); !v.OK {
			t.Errorf("%+v", v)
		}
	})
}

func testLongDeviceLocks(t *testing.T, b *bench) {
	t.Helper()
	t.Run("a hundred in a row lock the account for a day, whatever the policy says", func(t *testing.T) {
		user := b.user()
		var v directory.Standing
		var err error
		for range 100 {
			if v.AccountLocked {
				t.Fatalf("%+v", v)
			}
			j := directory.Judged{Env: env, UserID: user, ID: uuid.NewString(), IgnoreLock: true}
			if v, err = b.Fail(t.Context(), directory.Failing{Judged: j}); err != nil {
				t.Fatal(err)
			}
		}
		d := b.totp(user)
		if !v.AccountLocked || !v.Until.Equal(b.now.Now().Add(24*time.Hour)) || v.Left != 0 {
			t.Errorf("%+v", v)
		}
		j := judged(d)
		j.IgnoreLock = true
		if v, err := b.Try(t.Context(), directory.Try{Judged: j, Compare: ofStep(5)}); err != nil || v.OK || !v.AccountLocked {
			t.Errorf("%+v %v", v, err)
		}
		b.now.Move(24 * time.Hour)
		if v := b.fail(d); !v.AccountLocked {
			t.Errorf("after the day: %+v", v)
		}
	})
}

func testLocksApart(t *testing.T, open opener) {
	t.Run("a lock by wrong passwords is another thing", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewDevices(e.db, newRing(), e.now.Now)
		for range 5 {
			e.signOn("ada", "wrong")
		}
		if m, err := s.Account(t.Context(), env, e.ids["ada"]); err != nil || m != (directory.MFAStanding{}) {
			t.Errorf("%+v %v", m, err)
		}
		for range 10 {
			if _, err := s.Fail(t.Context(), directory.Failing{Judged: directory.Judged{Env: env, UserID: e.ids["ada"], Account: directory.Failure{Count: 10, CoolDown: time.Hour}}}); err != nil {
				t.Fatal(err)
			}
		}
		code := e.forgot("ada").Params["code"]
		if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != directory.Done {
			t.Fatalf("%+v", got)
		}
		if m, err := s.Account(t.Context(), env, e.ids["ada"]); err != nil || m.LockedUntil.IsZero() {
			t.Errorf("a recovery lifts it: %+v %v", m, err)
		}
	})
}

func testRecoveryCodes(t *testing.T, open opener) {
	b := newBench(t, open)
	user := b.user()
	codes := func(n *directory.NewDevice) { n.Seed, n.Codes = []byte{7}, [][32]byte{{7, 1}, {7, 2}, {7, 3}} }
	d := b.create(user, device.Recovery, codes)
	try := func(d device.Device, code byte, effect string) directory.Standing {
		a := directory.RecoveryTry{Judged: judged(d), Hash: func(seed []byte) [32]byte { return [32]byte{seed[0], code} }}
		a.Effect = effect
		v, err := b.TryRecovery(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, row := range []struct {
		code   byte
		effect string
		ok     bool
		left   int
	}{{1, "r", true, 2}, {9, "r", true, 2}, {1, "", false, 2}, {3, "", true, 1}, {9, "", false, 2}, {2, "", true, 0}, {2, "", false, 2}} {
		if v := try(d, row.code, row.effect); v.OK != row.ok || v.Left != row.left {
			t.Errorf("%+v: %+v", row, v)
		}
	}
	next := b.create(user, device.Recovery, codes)
	if n, err := b.CodesLeft(t.Context(), env, next.ID); err != nil || n != 3 {
		t.Errorf("%d %v", n, err)
	}
	if list, err := b.List(t.Context(), env, user); err != nil || len(list) != 1 {
		t.Errorf("new codes leave the old ones: %+v %v", list, err)
	}
	for range 3 {
		try(next, 9, "")
	}
	if v := try(next, 1, ""); v.OK || !v.DeviceLocked {
		t.Errorf("%+v", v)
	}
	if err := errors.Join(b.Unlock(t.Context(), env, user, next.ID), b.Block(t.Context(), env, user, next.ID)); err != nil {
		t.Fatal(err)
	}
	if v := try(next, 1, ""); v.OK || !v.Blocked {
		t.Errorf("%+v", v)
	}
}
