package directory_test

import (
	"fmt"
	"testing"

	"doorward/directory"
	"doorward/runtime/device"
)

func testStepRace(t *testing.T, n *twoNodes) {
	t.Helper()
	d := n.totp(n.user())
	said := n.all(32, func(_ int, s *directory.Devices) (string, error) {
		v, err := s.Try(t.Context(), directory.Try{Judged: directory.Judged{Env: env, UserID: d.UserID, ID: d.ID}, Compare: ofStep(7)})
		return fmt.Sprint(v.OK, v.Replayed), err
	})
	if said["true false"] != 1 || said["false true"] != 31 {
		t.Error(said)
	}
	if got := n.get(d); got.Wrong > 31 {
		t.Errorf("%+v", got)
	}
}

func testWrongRace(t *testing.T, n *twoNodes) {
	t.Helper()
	user := n.user()
	free, locking := n.totp(user), n.totp(n.user())
	said := n.all(90, func(_ int, s *directory.Devices) (string, error) { // fewer than lock whatever the policy says
		v, err := s.Try(t.Context(), directory.Try{Judged: directory.Judged{Env: env, UserID: user, ID: free.ID}, Compare: ofStep(-1)})
		return fmt.Sprint(v.OK, v.Counted), err
	})
	m, err := n.Account(t.Context(), env, user)
	if got := n.get(free); said["false true"] != 90 || got.Wrong != 90 || err != nil || m.Wrong != 90 {
		t.Errorf("%v %d %d %v", said, got.Wrong, m.Wrong, err)
	}
	said = n.all(200, func(_ int, s *directory.Devices) (string, error) {
		v, err := s.Try(t.Context(), directory.Try{Judged: judged(locking), Compare: ofStep(-1)})
		return fmt.Sprint(v.Counted, v.DeviceLocked), err
	})
	if said["true false"] != 2 || said["true true"] != 1 || said["false true"] != 197 || n.get(locking).Wrong != 3 {
		t.Errorf("%v %d", said, n.get(locking).Wrong)
	}
	if v := n.try(locking, 5); v.OK {
		t.Errorf("%+v", v)
	}
}

func testCounterRace(t *testing.T, n *twoNodes) {
	t.Helper()
	for round := range 4 {
		d := n.create(n.user(), device.FIDO2, func(a *directory.NewDevice) { a.Device.Credential = passkey(fmt.Sprint("raced", round), 10) })
		said := n.all(2, func(i int, s *directory.Devices) (string, error) {
			v, err := s.Succeed(t.Context(), directory.Success{Judged: judged(d), Credential: passkey("", 12+uint32(i)), Challenge: [32]byte{byte(round), byte(i), 1}})
			return fmt.Sprint(i, v.OK, v.Cloned), err
		})
		if got := n.get(d); got.Credential.SignCount != 13 || said["1 true false"] != 1 || said["0 true false"]+said["0 false true"] != 1 {
			t.Errorf("%v %+v", said, got.Credential)
		}
	}
}

func testChallengeRace(t *testing.T, n *twoNodes) {
	t.Helper()
	d := n.create(n.user(), device.FIDO2, func(a *directory.NewDevice) { a.Device.Credential = passkey("challenged", 0) })
	used, err := n.Succeed(t.Context(), directory.Success{Judged: judged(d), Credential: passkey("", 0), Challenge: [32]byte{2}})
	if err != nil || !used.OK {
		t.Fatalf("%+v %v", used, err)
	}
	d = n.get(d)
	said := n.all(16, func(_ int, s *directory.Devices) (string, error) {
		v, err := s.Succeed(t.Context(), directory.Success{Judged: directory.Judged{Env: env, UserID: d.UserID, ID: d.ID}, Seen: d, Credential: passkey("", 0), Challenge: [32]byte{3}})
		return fmt.Sprint(v.OK, v.Replayed), err
	})
	if said["true false"] != 1 || said["false true"] != 15 {
		t.Error(said)
	}
}

func testRecoveryRace(t *testing.T, n *twoNodes) {
	t.Helper()
	d := n.create(n.user(), device.Recovery, func(a *directory.NewDevice) { a.Seed, a.Codes = []byte{7}, [][32]byte{{7, 1}, {7, 2}} })
	said := n.all(16, func(_ int, s *directory.Devices) (string, error) {
		v, err := s.TryRecovery(t.Context(), directory.RecoveryTry{Judged: directory.Judged{Env: env, UserID: d.UserID, ID: d.ID}, Hash: func(seed []byte) [32]byte { return [32]byte{seed[0], 1} }})
		return fmt.Sprint(v.OK), err
	})
	if left, err := n.CodesLeft(t.Context(), env, d.ID); said["true"] != 1 || left != 1 || err != nil {
		t.Error(said, left, err)
	}
}
