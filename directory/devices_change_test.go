package directory_test

import (
	"errors"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func testActivation(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("makes a device what it has shown to be, once", func(t *testing.T) {
		user := b.user()
		d := b.create(user, device.FIDO2, waiting)
		b.now.Move(time.Minute)
		a := directory.Activation{
			Env: env, UserID: user, ID: d.ID, Credential: passkey("activated", 3), Name: "model", Nickname: "key", MFAEnabled: true, Notice: notice(), Effect: "a" + user,
		}
		want := d
		want.Status, want.Credential, want.Name, want.Nickname = device.Active, a.Credential, "model", "key"
		want.ActivatedAt, want.UpdatedAt = b.now.Now(), b.now.Now()
		for range 2 {
			if got, err := b.Activate(t.Context(), a); err != nil || !cmp.Equal(got, want) {
				t.Errorf("%v %s", err, cmp.Diff(want, got))
			}
			b.now.Move(time.Second)
		}
		a.Effect = ""
		_, err := b.Activate(t.Context(), a)
		fails(t, err, directory.ErrActivated)
		if n := len(b.mail()); n != 1 {
			t.Errorf("%d notices", n)
		}
		if u, err := b.users.Get(t.Context(), env, user); err != nil || !u.MFAEnabled {
			t.Errorf("%+v %v", u, err)
		}
		if s, err := b.users.Standing(t.Context(), env, user); err != nil || !s.Since.IsZero() {
			t.Errorf("what was proven before does not count any more: %+v %v", s, err)
		}
	})
	t.Run("is not of a credential that somebody has", func(t *testing.T) {
		b.create(b.user(), device.FIDO2, func(n *directory.NewDevice) { n.Device.Credential = passkey("somebody's", 0) })
		user := b.user()
		d := b.create(user, device.FIDO2, waiting)
		_, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID, Credential: passkey("somebody's", 0)})
		fails(t, err, directory.ErrDuplicateDevice)
		if got := b.get(d); got.Status != device.ActivationRequired {
			t.Errorf("%+v", got)
		}
	})
	t.Run("uses up the step of its code", func(t *testing.T) {
		user := b.user()
		d := b.create(user, device.TOTP, func(n *directory.NewDevice) { waiting(n); n.Seed = []byte(secretSeed) })
		if _, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID, Step: 100}); err != nil {
			t.Fatal(err)
		}
		if v := b.try(d, 100); v.OK || !v.Replayed {
			t.Errorf("the code of the activation: %+v", v)
		}
		if v := b.try(d, 101); !v.OK {
			t.Errorf("%+v", v)
		}
	})
	t.Run("comes within a day", func(t *testing.T) {
		user := b.user()
		for after, want := range map[time.Duration]error{24*time.Hour - time.Second: nil, 24 * time.Hour: flow.ErrUnknown} {
			d := b.create(user, device.TOTP, waiting)
			b.now.Move(after)
			_, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID})
			fails(t, err, want)
		}
		_, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: uuid.NewString()})
		fails(t, err, flow.ErrUnknown)
	})
}

func testDeviceDeletion(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("is done once, with all that was asked of the device", func(t *testing.T) {
		user := b.user()
		d := b.create(user, device.Recovery, func(n *directory.NewDevice) { n.Codes = [][32]byte{{1}} })
		push := b.push(d)
		if v := b.fail(d); v.Wrong != 1 {
			t.Errorf("%+v", v)
		}
		if err := errors.Join(b.AddLog(t.Context(), env, d.ID, "line"), b.Delete(t.Context(), env, user, d.ID, notice(), "d"+user), b.Delete(t.Context(), env, user, d.ID, notice(), "d"+user)); err != nil {
			t.Fatal(err)
		}
		fails(t, b.Delete(t.Context(), env, user, d.ID, nil, ""), flow.ErrUnknown)
		_, err := b.Push(t.Context(), env, push.ID)
		fails(t, err, flow.ErrUnknown)
		for _, table := range []string{"devices", "recovery_codes", "device_logs", `failures WHERE key LIKE 'device/%'`} {
			if n := rows(t, b.db, table); n != 0 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
		if n := len(b.mail()); n != 1 {
			t.Errorf("%d notices", n)
		}
	})
	t.Run("comes with that of the user", func(t *testing.T) {
		b := newBench(t, open)
		user, other := b.user(), b.user()
		for _, user := range []string{user, other} {
			d := b.totp(user)
			b.push(d)
			b.fail(d)
			err := errors.Join(b.CreatePairing(t.Context(), directory.Pairing{Env: env, UserID: user, ID: uuid.NewString(), Hash: [32]byte([]byte(user)), ExpiresAt: b.now.Now().Add(time.Hour)}),
				b.Trust(t.Context(), directory.Browser{Env: env, UserID: user, Hash: flow.Sum("c"), ExpiresAt: b.now.Now().Add(time.Hour)}, b.now.Now()))
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := b.users.Delete(t.Context(), env, user); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"devices": 1, "pushes": 1, "pairings": 1, "trusted_browsers": 1, "failures": 2} {
			if n := rows(t, b.db, table); n != want {
				t.Errorf("%d rows of %s", n, table)
			}
		}
	})
}

func testDeviceChanges(t *testing.T, open opener) {
	b := newBench(t, open)
	user := b.user()
	d := b.totp(user)
	nobody := uuid.NewString()
	t.Run("nickname", func(t *testing.T) {
		b.now.Move(time.Second)
		if err := b.Nickname(t.Context(), env, user, d.ID, "my phone"); err != nil {
			t.Fatal(err)
		}
		if got := b.get(d); got.Nickname != "my phone" || !got.UpdatedAt.Equal(b.now.Now()) {
			t.Errorf("%+v", got)
		}
		fails(t, b.Nickname(t.Context(), env, user, nobody, ""), flow.ErrUnknown)
	})
	t.Run("block", func(t *testing.T) {
		if err := b.Block(t.Context(), env, user, d.ID); err != nil {
			t.Fatal(err)
		}
		at := b.now.Now()
		b.now.Move(time.Minute)
		if err := b.Block(t.Context(), env, user, d.ID); err != nil || !b.get(d).BlockedAt.Equal(at) {
			t.Errorf("%v %v", err, b.get(d).BlockedAt)
		}
		if v := b.try(d, 5); v.OK || v.Counted || !v.Blocked {
			t.Errorf("%+v", v)
		}
		if v := b.succeed(d); v.OK || v.Counted || !v.Blocked {
			t.Errorf("%+v", v)
		}
		if err := b.Unblock(t.Context(), env, user, d.ID); err != nil || !b.get(d).BlockedAt.IsZero() {
			t.Error(err)
		}
		if v := b.try(d, 5); !v.OK {
			t.Errorf("%+v", v)
		}
		fails(t, b.Block(t.Context(), env, user, nobody), flow.ErrUnknown)
	})
	t.Run("lock", func(t *testing.T) {
		until := b.now.Now().Add(100 * 24 * time.Hour)
		if err := b.Lock(t.Context(), env, user, d.ID, until); err != nil || !b.get(d).LockedUntil.Equal(until) {
			t.Error(err)
		}
		for range 2 {
			if v := b.try(d, 6); v.OK || v.Counted || !v.DeviceLocked || v.AccountLocked || !v.Until.Equal(until) {
				t.Errorf("%+v", v)
			}
			b.now.Move(60 * 24 * time.Hour) // longer than counts are kept
			if _, err := b.db.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if b.now.Now().After(until) {
				break
			}
		}
		if v := b.try(d, 6); !v.OK {
			t.Errorf("after the lock: %+v", v)
		}
		if err := errors.Join(b.Lock(t.Context(), env, user, d.ID, b.now.Now().Add(time.Hour)), b.Unlock(t.Context(), env, user, d.ID)); err != nil {
			t.Error(err)
		}
		if v := b.try(d, 7); !v.OK {
			t.Errorf("unlocked: %+v", v)
		}
		fails(t, b.Lock(t.Context(), env, user, nobody, until), flow.ErrUnknown)
		fails(t, b.Unlock(t.Context(), env, user, nobody), flow.ErrUnknown)
		if n := rows(t, b.db, "failures"); n != 0 {
			t.Errorf("%d counts of nothing", n)
		}
	})
}
