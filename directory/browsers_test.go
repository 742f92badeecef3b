package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

func (b *bench) trust(user, cookie string) {
	b.t.Helper()
	err := b.Trust(b.t.Context(), directory.Browser{
		Env: env, UserID: user, Hash: flow.Sum(cookie), Name: "Firefox", RemoteIP: "192.0.2.1", ExpiresAt: b.now.Now().Add(24 * time.Hour),
	}, b.now.Now())
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) trusted(user, cookie string) bool {
	b.t.Helper()
	ok, err := b.Trusted(b.t.Context(), env, user, flow.Sum(cookie))
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

func testBrowsers(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("are trusted by who trusted them, for so long", func(t *testing.T) {
		user, other := b.user(), b.user()
		b.trust(user, "c")
		if !b.trusted(user, "c") || b.trusted(other, "c") || b.trusted(user, "d") || b.trusted(user, "") {
			t.Error("not as it was trusted")
		}
		list, err := b.Browsers(t.Context(), env, user)
		if err != nil || len(list) != 1 || list[0].Name != "Firefox" || list[0].RemoteIP != "192.0.2.1" || list[0].Hash != flow.Sum("c") || !list[0].CreatedAt.Equal(b.now.Now()) {
			t.Errorf("%+v %v", list, err)
		}
		b.now.Move(23 * time.Hour)
		b.trust(user, "c") // once more
		b.now.Move(23 * time.Hour)
		if !b.trusted(user, "c") {
			t.Error("is not trusted any more")
		}
		b.now.Move(time.Hour)
		if list, err := b.Browsers(t.Context(), env, user); err != nil || len(list) != 0 || b.trusted(user, "c") {
			t.Errorf("%+v %v", list, err)
		}
	})
	t.Run("are revoked, one or all", func(t *testing.T) {
		user := b.user()
		b.trust(user, "c")
		b.trust(user, "d")
		list, err := b.Browsers(t.Context(), env, user)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		if err := b.Revoke(t.Context(), env, user, list[0].ID); err != nil || b.trusted(user, "c") == b.trusted(user, "d") {
			t.Error(err)
		}
		fails(t, b.Revoke(t.Context(), env, user, list[0].ID), flow.ErrUnknown)
		fails(t, b.Revoke(t.Context(), env, b.user(), list[1].ID), flow.ErrUnknown)
		if err := b.RevokeAll(t.Context(), env, user); err != nil || b.trusted(user, "c") || b.trusted(user, "d") {
			t.Error(err)
		}
	})
	t.Run("are twenty at most, the newest", func(t *testing.T) {
		user := b.user()
		for n := range 21 {
			b.trust(user, fmt.Sprint("c", n))
			b.now.Move(time.Second)
		}
		if list, err := b.Browsers(t.Context(), env, user); err != nil || len(list) != 20 || b.trusted(user, "c0") || !b.trusted(user, "c20") {
			t.Errorf("%d %v", len(list), err)
		}
	})
	testTrustEnds(t, b)
	testTrustAndPassword(t, open)
}

func testTrustEnds(t *testing.T, b *bench) {
	t.Helper()
	t.Run("end with each change of the factors", func(t *testing.T) {
		for name, change := range map[string]func(user string, d device.Device) error{
			"nickname": func(user string, d device.Device) error { return b.Nickname(t.Context(), env, user, d.ID, "n") },
			"enrolment that was begun": func(user string, _ device.Device) error {
				b.create(user, device.SMS, waiting)
				return nil
			},
			"enrolment that was given up": func(user string, _ device.Device) error {
				return b.Delete(t.Context(), env, user, b.create(user, device.SMS, waiting).ID, nil, "")
			},
			"ends: new device": func(user string, _ device.Device) error { b.create(user, device.SMS, nil); return nil },
			"ends: deleted": func(user string, d device.Device) error {
				return b.Delete(t.Context(), env, user, d.ID, nil, "")
			},
			"ends: activated": func(user string, _ device.Device) error {
				_, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: b.create(user, device.SMS, waiting).ID})
				return err
			},
			"ends: paired": func(user string, _ device.Device) error {
				err := b.CreatePairing(t.Context(), directory.Pairing{Env: env, UserID: user, ID: uuid.NewString(), Hash: [32]byte{77}, ExpiresAt: b.now.Now().Add(time.Hour)})
				_, errPair := b.Pair(t.Context(), directory.Pair{Env: env, Hash: [32]byte{77}, Key: []byte{1}})
				return errors.Join(err, errPair)
			},
		} {
			user, other := b.user(), b.user()
			d := b.totp(user)
			b.trust(user, "c")
			b.trust(other, "c")
			if err := change(user, d); err != nil {
				t.Fatal(name, err)
			}
			if b.trusted(user, "c") == (name[:5] == "ends:") || !b.trusted(other, "c") {
				t.Errorf("%s: trusted %v", name, b.trusted(user, "c"))
			}
		}
	})
}

func testTrustAndPassword(t *testing.T, open opener) {
	t.Run("end with a change of the password, and none comes after it of what was proven before", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewDevices(e.db, newRing(), e.now.Now)
		user := e.ids["ada"]
		browser := directory.Browser{Env: env, UserID: user, Hash: flow.Sum("c"), ExpiresAt: e.now.Now().Add(time.Hour)}
		proven := e.now.Now()
		for _, change := range []func() error{
			func() error {
				_, err := e.ChangePassword(t.Context(), directory.Change{Env: env, UserID: user, Current: oldPassword, Password: newPassword})
				return err
			},
			func() error {
				e.mail()
				e.recover(directory.Recovering{Username: "ada", Code: e.forgot("ada").Params["code"], Password: oldPassword})
				return nil
			},
			func() error {
				_, err := e.SetPassword(t.Context(), directory.PasswordSetting{Env: env, UserID: user, Value: newPassword})
				return err
			},
		} {
			if err := s.Trust(t.Context(), browser, proven); err != nil {
				t.Fatal(err)
			}
			e.now.Move(time.Second)
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if ok, err := s.Trusted(t.Context(), env, user, flow.Sum("c")); err != nil || ok {
				t.Errorf("still trusted: %v", err)
			}
			fails(t, s.Trust(t.Context(), browser, proven), flow.ErrUnknown)
			proven = e.now.Now()
		}
	})
}
