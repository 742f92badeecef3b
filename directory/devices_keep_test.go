package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

func testDeviceLogs(t *testing.T, open opener) {
	b := newBench(t, open)
	d := b.mobile()
	for n := range 102 {
		if err := b.AddLog(t.Context(), env, d.ID, fmt.Sprint("line ", n)); err != nil {
			t.Fatal(err)
		}
		b.now.Move(time.Second)
	}
	list, err := b.Logs(t.Context(), env, d.UserID, d.ID)
	if err != nil || len(list) != 100 || list[0].Body != "line 101" || list[99].Body != "line 2" || !list[0].At.Equal(b.now.Now().Add(-time.Second)) {
		t.Errorf("%d %v", len(list), err)
	}
	long := make([]byte, 16<<10+1)
	for i := range long {
		long[i] = "é"[i%2]
	}
	if err := b.AddLog(t.Context(), env, d.ID, "x"+string(long)); err != nil {
		t.Fatal(err)
	}
	if list, err = b.Logs(t.Context(), env, d.UserID, d.ID); err != nil || len(list[0].Body) != 16<<10-1 {
		t.Errorf("%d %v", len(list[0].Body), err)
	}
	fails(t, b.AddLog(t.Context(), env, "none", "x"), flow.ErrUnknown)
	_, err = b.Logs(t.Context(), env, b.user(), d.ID)
	fails(t, err, flow.ErrUnknown)
}

func testDeviceSweep(t *testing.T, open opener) {
	b := newBench(t, open)
	user := b.user()
	d := b.totp(user)
	b.create(user, device.SMS, waiting)
	b.push(d)
	err := errors.Join(b.AddLog(t.Context(), env, d.ID, "x"),
		b.CreatePairing(t.Context(), directory.Pairing{Env: env, UserID: user, ID: uuid.NewString(), ExpiresAt: b.now.Now().Add(time.Hour)}),
		b.Trust(t.Context(), directory.Browser{Env: env, UserID: user, Hash: flow.Sum("c"), ExpiresAt: b.now.Now().Add(90 * 24 * time.Hour)}, b.now.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Succeed(t.Context(), directory.Success{Judged: judged(d), Challenge: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		left  string
	}{
		{2 * time.Hour, "devices 2 pairings 1 pushes 1 used_challenges 1 trusted_browsers 1 device_logs 1"},
		{2 * time.Hour, "devices 2 pairings 0 pushes 0 used_challenges 0 trusted_browsers 1 device_logs 1"},
		{21 * time.Hour, "devices 1 pairings 0 pushes 0 used_challenges 0 trusted_browsers 1 device_logs 1"},
		{30 * 24 * time.Hour, "devices 1 pairings 0 pushes 0 used_challenges 0 trusted_browsers 1 device_logs 0"},
		{60 * 24 * time.Hour, "devices 1 pairings 0 pushes 0 used_challenges 0 trusted_browsers 0 device_logs 0"},
	} {
		b.now.Move(step.after)
		if _, err := b.db.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, table := range []string{"devices", "pairings", "pushes", "used_challenges", "trusted_browsers", "device_logs"} {
			got += fmt.Sprint(" ", table, " ", rows(t, b.db, table))
		}
		if got[1:] != step.left {
			t.Errorf("after another %v:%s", step.after, got)
		}
	}
}

func testDeviceReseal(t *testing.T, open opener) {
	b := newBench(t, open)
	user := b.user()
	var last device.Device
	for range 3 {
		last = b.totp(user)
	}
	b.create(user, device.SMS, nil)
	ring := newRing()
	for round := range 2 {
		next, err := ring.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{3, 0} {
			if n, err := directory.Reseal(t.Context(), b.db, next); n != want || err != nil {
				t.Errorf("%d values were sealed anew: %v", n, err)
			}
		}
		s := directory.NewDevices(b.db, next, b.now.Now)
		if v, err := s.Try(t.Context(), directory.Try{Judged: judged(last), Compare: ofStep(int64(round))}); err != nil || !v.OK {
			t.Errorf("%+v %v", v, err)
		}
		ring = next
	}
	stranger := mustGenerate(t)
	_, err := directory.Reseal(t.Context(), b.db, stranger)
	fails(t, err, keys.ErrSealed)
}
