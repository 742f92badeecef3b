package directory_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestDevicesInSQLiteFile(t *testing.T)   { devicesContract(t, onFile) }
func TestDevicesInSQLiteMemory(t *testing.T) { devicesContract(t, inMemory) }
func TestDevicesInPostgres(t *testing.T)     { devicesContract(t, onServer) }

// devicesContract is what devices do, whatever the directory lies on.
func devicesContract(t *testing.T, open opener) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, opener){
		"devices": testDevices, "limits": testDeviceLimits, "activation": testActivation, "deletion": testDeviceDeletion, "changes": testDeviceChanges,
		"codes": testDeviceTries, "locks": testDeviceLocks, "recovery codes": testRecoveryCodes, "right answers": testSuccesses, "passkeys": testPasskeys,
		"pairings": testPairings, "pushes": testPushes, "push limits": testPushLimits, "browsers": testBrowsers, "offers": testPasskeyOffers, "logs": testDeviceLogs,
		"sweep": testDeviceSweep, "reseal": testDeviceReseal,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// bench is a directory with users who have devices.
type bench struct {
	*directory.Devices
	t      *testing.T
	now    *clock
	db     *directory.DB
	users  *directory.Users
	outbox *directory.Outbox
	named  int
}

func newBench(t *testing.T, open opener) *bench {
	t.Helper()
	b := &bench{t: t, now: newClock()}
	b.db = open(t, directory.Options{Now: b.now.Now})
	b.Devices = directory.NewDevices(b.db, newRing(), b.now.Now)
	b.users = directory.NewUsers(b.db, directory.NewHasher(cheap(), 1, b.now.Now), b.now.Now)
	b.outbox = directory.NewOutbox(b.db, newRing(), b.now.Now)
	return b
}

// user makes one without a password.
func (b *bench) user() string {
	b.t.Helper()
	b.named++
	u, err := b.users.Create(b.t.Context(), directory.User{Env: env, Username: fmt.Sprint("user", b.named), Enabled: true, Email: "a@example.com"}, "", "")
	if err != nil {
		b.t.Fatal(err)
	}
	return u.ID
}

// create makes a device of that type.
func (b *bench) create(user string, t device.Type, with func(*directory.NewDevice)) device.Device {
	b.t.Helper()
	d, err := b.Create(b.t.Context(), newDevice(user, t, with))
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func newDevice(user string, t device.Type, with func(*directory.NewDevice)) directory.NewDevice {
	n := directory.NewDevice{Device: device.Device{Env: env, UserID: user, Type: t, Status: device.Active}}
	if with != nil {
		with(&n)
	}
	return n
}

func waiting(n *directory.NewDevice) { n.Device.Status = device.ActivationRequired }

// totp makes an active device whose seed is secretSeed.
func (b *bench) totp(user string) device.Device {
	b.t.Helper()
	return b.create(user, device.TOTP, func(n *directory.NewDevice) { n.Seed = []byte(secretSeed) })
}

const secretSeed = "canary-seed-of-20-by"

func (b *bench) get(d device.Device) device.Device {
	b.t.Helper()
	got, err := b.Get(b.t.Context(), env, d.UserID, d.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *bench) mail() []flow.Message {
	b.t.Helper()
	out, err := b.outbox.Claim(b.t.Context(), 100, time.Hour, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// fails ends the test unless err is what was to be expected.
func fails(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

func notice() *flow.Message {
	return &flow.Message{Env: env, Template: "device.changed", To: "ada@example.com", Params: map[string]string{"nickname": "phone"}}
}

func passkey(id string, count uint32) *device.Credential {
	return &device.Credential{
		ID: []byte(id), PublicKey: []byte{1, 2}, SignCount: count, Transports: []string{"usb"}, AAGUID: [16]byte{7}, Format: "packed",
		Handle: bytes.Repeat([]byte{9}, 64), RPID: "example.com", Attachment: "platform", Discoverable: true, Verified: true, BackupEligible: true,
	}
}

func testDevices(t *testing.T, open opener) {
	b := newBench(t, open)
	t.Run("are kept as given", func(t *testing.T) {
		user := b.user()
		want := device.Device{
			Env: env, UserID: user, ID: uuid.NewString(), Type: device.FIDO2, Status: device.Active, Nickname: "key", Name: "model", Application: "a", Policy: "p",
			Credential: passkey("kept", 1<<32-1),
		}
		made, err := b.Create(t.Context(), directory.NewDevice{Device: want})
		want.CreatedAt, want.UpdatedAt, want.ActivatedAt = b.now.Now(), b.now.Now(), b.now.Now()
		if err != nil || !cmp.Equal(made, want) || !cmp.Equal(b.get(made), want) {
			t.Errorf("%v %s", err, cmp.Diff(want, made))
		}
		answering := device.Device{Env: env, UserID: user, ID: want.ID, Type: want.Type, Status: want.Status, Nickname: want.Nickname}
		if got, err := b.Answering(t.Context(), env, user, want.ID); err != nil || !cmp.Equal(got, answering) {
			t.Errorf("%v %s", err, cmp.Diff(answering, got))
		}
		answering.Credential = want.Credential
		if got, err := b.AnsweringCredential(t.Context(), env, []byte("kept")); err != nil || !cmp.Equal(got, answering) {
			t.Errorf("%v %s", err, cmp.Diff(answering, got))
		}
		phone := b.create(user, device.SMS, func(n *directory.NewDevice) { waiting(n); n.Device.Phone = "+4930123456" })
		if phone.Status != device.ActivationRequired || phone.Phone != "+4930123456" || !phone.ActivatedAt.IsZero() || phone.Credential != nil || len(phone.ID) != 36 {
			t.Errorf("%+v", phone)
		}
		if list, err := b.List(t.Context(), env, user); err != nil || len(list) != 2 {
			t.Errorf("%+v %v", list, err)
		}
	})
	t.Run("are nobody else's", func(t *testing.T) {
		user, other := b.user(), b.user()
		d := b.create(user, device.FIDO2, func(n *directory.NewDevice) { n.Device.Credential = passkey("one", 0) })
		_, ofOther := b.Get(t.Context(), env, other, d.ID)
		_, elsewhere := b.Get(t.Context(), "other", user, d.ID)
		_, credential := b.AnsweringCredential(t.Context(), "other", []byte("one"))
		_, noCredential := b.AnsweringCredential(t.Context(), env, nil)
		_, answering := b.Answering(t.Context(), env, other, d.ID)
		for _, err := range []error{ofOther, answering, elsewhere, credential, noCredential, b.Delete(t.Context(), env, other, d.ID, nil, ""), b.Block(t.Context(), env, other, d.ID), b.Reorder(t.Context(), env, other, []string{d.ID})} {
			fails(t, err, flow.ErrUnknown)
		}
		if list, err := b.List(t.Context(), env, "nobody"); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
		_, err := b.Create(t.Context(), newDevice("nobody", device.TOTP, nil))
		fails(t, err, flow.ErrUnknown)
	})
	t.Run("are made once per effect", func(t *testing.T) {
		user := b.user()
		n := newDevice(user, device.TOTP, func(n *directory.NewDevice) { n.Effect, n.Notice, n.MFAEnabled = "f/n/1"+user, notice(), true })
		first, err := b.Create(t.Context(), n)
		again, errAgain := b.Create(t.Context(), n)
		if err != nil || errAgain != nil || !cmp.Equal(first, again) {
			t.Errorf("%v %v %s", err, errAgain, cmp.Diff(first, again))
		}
		if m := b.mail(); len(m) != 1 || m[0].Template != "device.changed" || !m[0].CreatedAt.Equal(b.now.Now()) || m[0].ExpiresAt.Sub(m[0].CreatedAt) < time.Hour {
			t.Errorf("%+v", m)
		}
		if u, err := b.users.Get(t.Context(), env, user); err != nil || !u.MFAEnabled {
			t.Errorf("%+v %v", u, err)
		}
	})
	testDeviceOwners(t, b)
}

func testDeviceOwners(t *testing.T, b *bench) {
	t.Helper()
	t.Run("have one handle a user, which says nothing of them", func(t *testing.T) {
		user := b.user()
		one, err := b.Handle(t.Context(), env, user)
		two, errAgain := b.Handle(t.Context(), env, user)
		other, errOther := b.Handle(t.Context(), env, b.user())
		if errors.Join(err, errAgain, errOther) != nil || len(one) != 64 || !bytes.Equal(one, two) || bytes.Equal(one, other) {
			t.Errorf("%x %x %x %v", one, two, other, errors.Join(err, errAgain, errOther))
		}
		_, err = b.Handle(t.Context(), env, "nobody")
		fails(t, err, flow.ErrUnknown)
	})
	t.Run("show their seed until they are active", func(t *testing.T) {
		user := b.user()
		d := b.create(user, device.TOTP, func(n *directory.NewDevice) { waiting(n); n.Seed = []byte(secretSeed) })
		if seed, err := b.Seed(t.Context(), env, user, d.ID); err != nil || string(seed) != secretSeed {
			t.Errorf("%q %v", seed, err)
		}
		if _, err := b.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID}); err != nil {
			t.Fatal(err)
		}
		_, err := b.Seed(t.Context(), env, user, d.ID)
		fails(t, err, flow.ErrUnknown)
	})
	t.Run("stand in the order that their user gives, then by activation", func(t *testing.T) {
		user := b.user()
		ids := []string{}
		for range 3 {
			ids = append(ids, b.totp(user).ID)
			b.now.Move(time.Second)
		}
		order := func() string {
			list, err := b.List(t.Context(), env, user)
			if err != nil {
				t.Fatal(err)
			}
			var at []string
			for _, d := range list {
				at = append(at, fmt.Sprint(slices.Index(ids, d.ID)))
			}
			return strings.Join(at, " ")
		}
		if s := order(); s != "0 1 2" {
			t.Error(s)
		}
		if err := b.Reorder(t.Context(), env, user, []string{ids[2], ids[0]}); err != nil || order() != "2 0 1" {
			t.Error(order(), err)
		}
		fails(t, b.Reorder(t.Context(), env, user, []string{ids[1], uuid.NewString()}), flow.ErrUnknown)
		if s := order(); s != "2 0 1" {
			t.Error(s)
		}
		if err := b.RemoveOrder(t.Context(), env, user); err != nil || order() != "0 1 2" {
			t.Error(order(), err)
		}
	})
}
