package directory_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

func testDeviceLimits(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("are of active devices, and of those that have waited for less than an hour", func(t *testing.T) {
		user := b.user()
		most := func(n *directory.NewDevice) { n.Most = 2 }
		first := b.create(user, device.TOTP, func(n *directory.NewDevice) { most(n); waiting(n) })
		b.create(user, device.TOTP, most)
		_, err := b.Create(t.Context(), newDevice(user, device.TOTP, most))
		fails(t, err, directory.ErrTooManyDevices)
		b.create(user, device.Recovery, most)
		b.now.Move(time.Hour)
		b.create(user, device.TOTP, most)
		_, err = b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: first.ID, Most: 2})
		fails(t, err, directory.ErrTooManyDevices)
		if _, err = b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: first.ID, Most: 3}); err != nil {
			t.Error(err)
		}
	})
	t.Run("are one of a type for a number, an address and a key, and one for a credential", func(t *testing.T) {
		user, other := b.user(), b.user()
		for name, row := range map[string]struct {
			one, same, different device.Device
			shared               bool // others may have it
		}{
			"number":     {device.Device{Type: device.SMS, Phone: "+491"}, device.Device{Type: device.SMS, Phone: "+491"}, device.Device{Type: device.Voice, Phone: "+491"}, true},
			"address":    {device.Device{Type: device.Email, Email: "Ada@Example.com"}, device.Device{Type: device.Email, Email: "ada@EXAMPLE.com"}, device.Device{Type: device.Email, Email: "bea@example.com"}, true},
			"key":        {device.Device{Type: device.Mobile, Key: []byte{1}}, device.Device{Type: device.Mobile, Key: []byte{1}}, device.Device{Type: device.Mobile, Key: []byte{2}}, false},
			"credential": {device.Device{Type: device.FIDO2, Credential: passkey("a", 0)}, device.Device{Type: device.FIDO2, Credential: passkey("a", 0)}, device.Device{Type: device.FIDO2, Credential: passkey("b", 0)}, false},
		} {
			add := func(user string, d device.Device) error {
				d.Env, d.UserID, d.Status = env, user, device.Active
				_, err := b.Create(t.Context(), directory.NewDevice{Device: d})
				return err
			}
			if err := errors.Join(add(user, row.one), add(user, row.different)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			fails(t, add(user, row.same), directory.ErrDuplicateDevice)
			if err := add(other, row.same); (err == nil) != row.shared {
				t.Errorf("%s of somebody else: %v", name, err)
			}
		}
	})
	t.Run("let one that waits give way to the next attempt", func(t *testing.T) {
		user := b.user()
		sms := func(n *directory.NewDevice) { waiting(n); n.Device.Phone = "+4912345" }
		first := b.create(user, device.SMS, sms)
		second := b.create(user, device.SMS, sms)
		if list, err := b.List(t.Context(), env, user); err != nil || len(list) != 1 || list[0].ID != second.ID {
			t.Errorf("%+v %v", list, err)
		}
		_, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: first.ID})
		fails(t, err, flow.ErrUnknown)
	})
}

// TestNoSeedLiesInTheFiles looks for what a thief of the file could use.
func TestNoSeedLiesInTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	b := newBench(t, func(t *testing.T, o directory.Options) *directory.DB {
		t.Helper()
		return openAt(t, path, o)
	})
	b.create(b.user(), device.TOTP, func(n *directory.NewDevice) {
		n.Seed, n.Device.Nickname = []byte(secretSeed), "canary of what may lie there"
	})
	if err := b.Trust(t.Context(), directory.Browser{Env: env, UserID: b.user(), Hash: flow.Sum("canary-cookie"), ExpiresAt: b.now.Now().Add(time.Hour)}, b.now.Now()); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, file := range []string{path, path + "-wal"} {
		lookFor(t, file, [][]byte{[]byte(secretSeed), []byte("canary-cookie")})
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(text, []byte("canary of what may lie there"))
	}
	if !found {
		t.Error("the device is not in the files that were searched")
	}
}
