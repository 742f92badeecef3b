package directory_test

import (
	"fmt"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"

	"github.com/google/go-cmp/cmp"
)

// judged has three wrong answers of a device lock it for five minutes, and ten of the
// account lock that for an hour.
func judged(d device.Device) directory.Judged {
	return directory.Judged{
		Env: env, UserID: d.UserID, ID: d.ID, Failure: directory.Failure{Count: 3, CoolDown: 5 * time.Minute}, Account: directory.Failure{Count: 10, CoolDown: time.Hour},
	}
}

// ofStep is a code that is right for one step; -1: for none.
func ofStep(step int64) func([]byte, int64) (int64, bool) {
	return func(seed []byte, _ int64) (int64, bool) { return step, step >= 0 && string(seed) == secretSeed }
}

// try presents the code of a step; -1: a wrong one.
func (b *bench) try(d device.Device, step int64) directory.Standing {
	b.t.Helper()
	v, err := b.Try(b.t.Context(), directory.Try{Judged: judged(d), Compare: ofStep(step)})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bench) fail(d device.Device) directory.Standing {
	b.t.Helper()
	v, err := b.Fail(b.t.Context(), directory.Failing{Judged: judged(d)})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// answering is d as it is read for an answer. However it was read otherwise, it stands
// alike.
func (b *bench) answering(d device.Device) device.Device {
	b.t.Helper()
	if err := b.db.Flush(); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.Answering(b.t.Context(), env, d.UserID, d.ID)
	if d.Credential != nil {
		got, err = b.AnsweringCredential(b.t.Context(), env, d.Credential.ID)
	}
	if all := b.get(d); err != nil || got.Wrong != all.Wrong || got.WrongOfAll != all.WrongOfAll || got.LockedUntil != all.LockedUntil || got.LastUsedAt != all.LastUsedAt {
		b.t.Fatalf("%+v is read as %+v, %v", all, got, err)
	}
	return got
}

func (b *bench) succeed(d device.Device) directory.Standing {
	b.t.Helper()
	v, err := b.Succeed(b.t.Context(), directory.Success{Judged: judged(d), Seen: b.answering(d)})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func testDeviceTries(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("a step is good once, and none before it ever again", func(t *testing.T) {
		d := b.totp(b.user())
		for _, row := range []struct {
			step         int64
			ok, replayed bool
		}{{0, true, false}, {0, false, true}, {10, true, false}, {10, false, true}, {9, false, true}, {11, true, false}, {-1, false, false}} {
			if v := b.try(d, row.step); v.OK != row.ok || v.Replayed != row.replayed || !v.Counted {
				t.Errorf("step %d: %+v", row.step, v)
			}
		}
		if got := b.get(d); got.Wrong != 1 || !got.LastUsedAt.Equal(b.now.Now()) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("compare is told the seed and the last step", func(t *testing.T) {
		d := b.totp(b.user())
		for _, want := range []int64{-1, 7} {
			_, err := b.Try(t.Context(), directory.Try{Judged: judged(d), Compare: func(seed []byte, last int64) (int64, bool) {
				if last != want || string(seed) != secretSeed {
					t.Errorf("%q %d, want %d", seed, last, want)
				}
				return 7, true
			}})
			if err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a repeated effect is told the same and counts once", func(t *testing.T) {
		d := b.totp(b.user())
		for n, step := range []int64{5, -1, 6} {
			first := directory.Standing{}
			for round := range 3 {
				a := directory.Try{Judged: judged(d), Compare: ofStep(step)}
				a.Effect = fmt.Sprint(d.ID, n)
				v, err := b.Try(t.Context(), a)
				if err != nil || v.OK != (step >= 0) || round > 0 && !cmp.Equal(v, first) {
					t.Errorf("%+v %v", v, err)
				}
				first = v
			}
		}
		if got := b.get(d); got.Wrong != 0 {
			t.Errorf("%+v", got)
		}
	})
	testDeviceRefusals(t, b)
}

func testDeviceRefusals(t *testing.T, b *bench) {
	t.Helper()
	t.Run("what is nobody's is counted and locked alike", func(t *testing.T) {
		user := b.user()
		sleeping := b.create(user, device.TOTP, func(n *directory.NewDevice) { waiting(n); n.Seed = []byte(secretSeed) })
		for name, d := range map[string]device.Device{
			"wrong": b.totp(b.user()), "nobody's": {UserID: "stranger", ID: "none"}, "a stranger's": {UserID: "one"}, "another stranger's": {UserID: "two"}, "another's": {UserID: user, ID: b.totp(b.user()).ID}, "not active": sleeping,
		} {
			step := int64(5)
			if name == "wrong" {
				step = -1
			}
			var got []string
			for range 4 {
				v := b.try(d, step)
				got = append(got, fmt.Sprint(v.OK, v.Counted, v.DeviceLocked, v.Wrong, v.Left))
			}
			if s := fmt.Sprint(got); s != "[false true false 1 2 false true false 2 1 false true true 3 0 false false true 3 0]" {
				t.Errorf("%s: %s", name, s)
			}
		}
	})
	t.Run("a code of a device without a seed is wrong", func(t *testing.T) {
		if v := b.try(b.create(b.user(), device.SMS, nil), 5); v.OK || v.Wrong != 1 {
			t.Errorf("%+v", v)
		}
	})
	t.Run("an error of the store or the ring judges nothing", func(t *testing.T) {
		d := b.totp(b.user())
		other := directory.NewDevices(b.db, mustGenerate(t), b.now.Now)
		if v, err := other.Try(t.Context(), directory.Try{Judged: judged(d), Compare: ofStep(5)}); err == nil || v.OK {
			t.Errorf("%+v", v)
		}
		if got := b.get(d); got.Wrong != 0 {
			t.Errorf("%+v", got)
		}
	})
}
