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

func testPairings(t *testing.T, open opener) {
	b := newBench(t, open)
	hashes := byte(0)
	key := func(user, application string) directory.Pairing {
		t.Helper()
		hashes++
		p := directory.Pairing{
			Env: env, UserID: user, ID: uuid.NewString(), Application: application, Policy: "p", Nickname: "mine", Hash: [32]byte{hashes},
			CreatedAt: b.now.Now(), ExpiresAt: b.now.Now().Add(10 * time.Minute),
		}
		if err := b.CreatePairing(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("give a device a seed, which is shown until a code of it was accepted", func(t *testing.T) {
		user := b.user()
		p := key(user, "app")
		seed := []byte("12345678901234567890")
		pair := directory.Pair{Env: env, Hash: p.Hash, Key: []byte{hashes}, Seed: seed}
		if d, err := b.Pair(t.Context(), pair); err != nil || !d.Codes {
			t.Fatalf("%+v, %v", d, err)
		}
		pair.Seed = []byte("another, of a repeat")
		if d, err := b.Pair(t.Context(), pair); err != nil || !d.Codes {
			t.Fatalf("%+v, %v", d, err)
		}
		if got, err := b.FreshSeed(t.Context(), env, p.ID); err != nil || !cmp.Equal(got, seed) {
			t.Errorf("%q, %v", got, err)
		}
		_, err := b.Seed(t.Context(), env, user, p.ID) // which is of those that wait
		fails(t, err, flow.ErrUnknown)
		try := directory.Try{Judged: directory.Judged{Env: env, UserID: user, ID: p.ID}, Compare: func(given []byte, last int64) (int64, bool) {
			return 7, cmp.Equal(given, seed) && last < 7
		}}
		if st, err := b.Try(t.Context(), try); err != nil || !st.OK {
			t.Errorf("%+v, %v", st, err)
		}
		if st, err := b.Try(t.Context(), try); err != nil || st.OK {
			t.Errorf("a second time: %+v, %v", st, err)
		}
		_, err = b.FreshSeed(t.Context(), env, p.ID)
		fails(t, err, flow.ErrUnknown)
		none := key(user, "other")
		if d, err := b.Pair(t.Context(), directory.Pair{Env: env, Hash: none.Hash, Key: []byte{hashes}}); err != nil || d.Codes {
			t.Errorf("%+v, %v", d, err)
		}
		_, err = b.FreshSeed(t.Context(), env, none.ID)
		fails(t, err, flow.ErrUnknown)
	})
	t.Run("make an active device once", func(t *testing.T) {
		user := b.user()
		p := key(user, "app")
		for _, read := range []func() (directory.Pairing, error){
			func() (directory.Pairing, error) { return b.PairingOf(t.Context(), env, p.Hash) },
			func() (directory.Pairing, error) { return b.Pairing(t.Context(), env, p.ID) },
		} {
			if got, err := read(); err != nil || got != p {
				t.Errorf("%v %s", err, cmp.Diff(p, got))
			}
		}
		pair := directory.Pair{Env: env, Hash: p.Hash, Key: []byte{hashes}, Name: "Pixel", Alert: "token", MFAEnabled: true, Notice: notice()}
		first, err := b.Pair(t.Context(), pair)
		if err != nil {
			t.Fatal(err)
		}
		want := device.Device{
			Env: env, UserID: user, ID: p.ID, Type: device.Mobile, Status: device.Active, Name: "Pixel", Nickname: "mine", Application: "app", Policy: "p",
			Key: []byte{hashes}, Alert: "token", CreatedAt: b.now.Now(), UpdatedAt: b.now.Now(), ActivatedAt: b.now.Now(),
		}
		again, err := b.Pair(t.Context(), pair)
		if err != nil || !cmp.Equal(first, want) || !cmp.Equal(again, want) {
			t.Errorf("%v %s %s", err, cmp.Diff(want, first), cmp.Diff(want, again))
		}
		pair.Key = []byte("another")
		_, err = b.Pair(t.Context(), pair)
		fails(t, err, flow.ErrUnknown)
		if got, err := b.Mobile(t.Context(), env, p.ID); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		b.now.Move(time.Hour)
		if got, err := b.Pairing(t.Context(), env, p.ID); err != nil || got.Device != p.ID {
			t.Errorf("%+v %v", got, err)
		}
		if u, err := b.users.Get(t.Context(), env, user); err != nil || !u.MFAEnabled || len(b.mail()) != 1 {
			t.Errorf("%+v %v", u, err)
		}
	})
	t.Run("expire, and are unknown elsewhere", func(t *testing.T) {
		p := key(b.user(), "app")
		_, err := b.Pair(t.Context(), directory.Pair{Env: "other", Hash: p.Hash, Key: []byte("k")})
		fails(t, err, flow.ErrUnknown)
		b.now.Move(10 * time.Minute)
		_, err = b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte("k")})
		fails(t, err, flow.ErrUnknown)
		_, err = b.Pairing(t.Context(), env, p.ID)
		fails(t, err, flow.ErrUnknown)
		_, err = b.PairingOf(t.Context(), env, p.Hash)
		fails(t, err, flow.ErrUnknown)
		dropped := key(b.user(), "app")
		if err := b.DropPairing(t.Context(), env, dropped.UserID, dropped.ID); err != nil {
			t.Fatal(err)
		}
		_, err = b.Pair(t.Context(), directory.Pair{Env: env, Hash: dropped.Hash, Key: []byte("k")})
		fails(t, err, flow.ErrUnknown)
		fails(t, b.DropPairing(t.Context(), env, dropped.UserID, dropped.ID), flow.ErrUnknown)
		p.UserID, p.ID = "nobody", uuid.NewString()
		fails(t, b.CreatePairing(t.Context(), p), flow.ErrUnknown)
	})
	t.Run("void the one before of the same application", func(t *testing.T) {
		user := b.user()
		b.create(user, device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte(uuid.NewString()) })
		old, other := key(user, "app"), key(user, "other")
		next := key(user, "app")
		if err := b.CreatePairing(t.Context(), next); err != nil { // the same id again
			t.Error(err)
		}
		for n, row := range []struct {
			p    directory.Pairing
			want error
		}{{old, flow.ErrUnknown}, {other, nil}, {next, nil}} {
			_, err := b.Pair(t.Context(), directory.Pair{Env: env, Hash: row.p.Hash, Key: []byte{1, byte(n)}})
			fails(t, err, row.want)
		}
	})
	t.Run("are void once a first device is active, or what opens the account is another", func(t *testing.T) {
		for name, then := range map[string]func(user string){
			"a device that is active at once": func(user string) {
				b.create(user, device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte(uuid.NewString()) })
			},
			"one that was activated": func(user string) {
				d := b.create(user, device.TOTP, func(n *directory.NewDevice) { n.Device.Status = device.ActivationRequired })
				if _, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID}); err != nil {
					t.Fatal(err)
				}
			},
			"another address": func(user string) {
				if _, err := b.users.Update(t.Context(), env, user, func(u *directory.User) error { u.Email = "another@example.com"; return nil }); err != nil {
					t.Fatal(err)
				}
			},
		} {
			user := b.user()
			p := key(user, "app")
			then(user)
			_, err := b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte(uuid.NewString())})
			if !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("after %s: %v", name, err)
			}
		}
		user := b.user()
		b.create(user, device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte(uuid.NewString()) })
		p := key(user, "app") // given to whoever has proven the first
		b.create(user, device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte(uuid.NewString()) })
		if _, err := b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte(uuid.NewString())}); err != nil {
			t.Errorf("beside two others: %v", err)
		}
	})
	t.Run("stay good when the device is refused", func(t *testing.T) {
		user := b.user()
		b.create(user, device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte("key") })
		p := key(user, "app")
		_, err := b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte("key")})
		fails(t, err, directory.ErrDuplicateDevice)
		_, err = b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte("other"), Most: 1})
		fails(t, err, directory.ErrTooManyDevices)
		if _, err = b.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte("other"), Most: 2}); err != nil {
			t.Error(err)
		}
	})
}
