package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

// TestDevicesOfTwoNodes has two nodes, each with a directory of its own over the same
// file or server, do the same at once.
func TestDevicesOfTwoNodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *twoNodes){
		"a step is good once": testStepRace, "wrong codes are counted exactly": testWrongRace, "counters go up": testCounterRace,
		"a challenge is answered once": testChallengeRace, "a recovery code is good once": testRecoveryRace, "limits are kept": testLimitRace,
		"a pairing key is used once": testPairRace, "an approval is used once": testUseRace, "pushes are limited together": testPushRace,
		"a device is activated once": testActivateRace, "one handle is made": testHandleRace, "no trust outlives a change": testTrustRace,
		"a deletion of the user leaves nothing": testDeleteRace,
	} {
		t.Run(name, func(t *testing.T) {
			onMade(t, func(t *testing.T, path string) {
				t.Helper()
				test(t, open2(t, path))
			})
		})
	}
}

// twoNodes share a bench; the second has a directory of its own.
type twoNodes struct {
	*bench
	nodes [2]*directory.Devices
	other *directory.DB
}

func open2(t *testing.T, path string) *twoNodes {
	t.Helper()
	n := &twoNodes{bench: newBench(t, func(t *testing.T, o directory.Options) *directory.DB {
		t.Helper()
		return openAt(t, path, o)
	})}
	n.other = openAt(t, path, directory.Options{Now: n.now.Now})
	n.nodes = [2]*directory.Devices{n.Devices, directory.NewDevices(n.other, newRing(), n.now.Now)}
	return n
}

// all does something so many times at once, half of them on each node, and counts
// what it says.
func (n *twoNodes) all(times int, do func(i int, s *directory.Devices) (string, error)) map[string]int {
	n.t.Helper()
	said := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range times {
		wg.Go(func() {
			<-begin
			var word string
			err := stubbornly(func() (err error) { word, err = do(i, n.nodes[i%2]); return err })
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				n.t.Error(err)
			}
			said[word]++
		})
	}
	close(begin)
	wg.Wait()
	return said
}

// stubbornly asks again while the store is too busy, which must not be taken for an
// answer; what is asked has done nothing then.
func stubbornly(fn func() error) (err error) {
	for range 100 {
		if err = fn(); err == nil || !strings.Contains(err.Error(), "SQLITE_BUSY") && !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "SQLSTATE 55P03") {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

// word is an error that was to be expected, as what is counted.
func expected(err error, these ...error) (string, error) {
	for _, e := range these {
		if errors.Is(err, e) {
			return e.Error(), nil
		}
	}
	return "done", err
}

func testLimitRace(t *testing.T, n *twoNodes) {
	t.Helper()
	user := n.user()
	said := n.all(12, func(_ int, s *directory.Devices) (string, error) {
		_, err := s.Create(t.Context(), newDevice(user, device.TOTP, func(a *directory.NewDevice) { a.Most = 3 }))
		return expected(err, directory.ErrTooManyDevices)
	})
	if said["done"] != 3 {
		t.Error(said)
	}
	other := n.user()
	said = n.all(12, func(_ int, s *directory.Devices) (string, error) {
		_, err := s.Create(t.Context(), newDevice(other, device.SMS, func(a *directory.NewDevice) { a.Device.Phone = "+491" }))
		return expected(err, directory.ErrDuplicateDevice)
	})
	if said["done"] != 1 {
		t.Error(said)
	}
}

func testPairRace(t *testing.T, n *twoNodes) {
	t.Helper()
	p := directory.Pairing{Env: env, UserID: n.user(), ID: uuid.NewString(), Hash: [32]byte{5}, ExpiresAt: n.now.Now().Add(time.Hour)}
	if err := n.CreatePairing(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	said := n.all(12, func(i int, s *directory.Devices) (string, error) {
		_, err := s.Pair(t.Context(), directory.Pair{Env: env, Hash: p.Hash, Key: []byte{byte(i)}})
		return expected(err, flow.ErrUnknown)
	})
	if list, err := n.List(t.Context(), env, p.UserID); said["done"] != 1 || err != nil || len(list) != 1 {
		t.Error(said, list, err)
	}
}

func testUseRace(t *testing.T, n *twoNodes) {
	t.Helper()
	p := n.push(n.mobile())
	said := n.all(8, func(i int, s *directory.Devices) (string, error) {
		got, err := s.AnswerPush(t.Context(), env, p.Device, p.ID, i%4 < 2)
		return string(got.State), err
	})
	if len(said) != 1 {
		t.Error(said)
	}
	p = n.push(n.mobile())
	if _, err := n.AnswerPush(t.Context(), env, p.Device, p.ID, true); err != nil {
		t.Fatal(err)
	}
	said = n.all(16, func(i int, s *directory.Devices) (string, error) {
		used, err := s.UsePush(t.Context(), env, p.ID, fmt.Sprint(i/2)) // each effect twice
		return fmt.Sprint(used), err
	})
	if said["true"] != 2 {
		t.Error(said)
	}
}

func testPushRace(t *testing.T, n *twoNodes) {
	t.Helper()
	d := n.mobile()
	said := n.all(20, func(_ int, s *directory.Devices) (string, error) {
		p := device.Push{Env: env, ID: uuid.NewString(), UserID: d.UserID, Device: d.ID, ExpiresAt: n.now.Now().Add(time.Minute)}
		_, err := s.CreatePush(t.Context(), directory.NewPush{Push: p, Limit: directory.PushLimit{Count: 5, Period: time.Minute, Lock: time.Minute}})
		if limited := (*directory.TooManyPushesError)(nil); errors.As(err, &limited) {
			return "limited", nil
		}
		return "sent", err
	})
	if said["sent"] != 5 {
		t.Error(said)
	}
}

func testActivateRace(t *testing.T, n *twoNodes) {
	t.Helper()
	user := n.user()
	d := n.create(user, device.TOTP, func(a *directory.NewDevice) { waiting(a); a.Seed = []byte(secretSeed) })
	said := n.all(8, func(i int, s *directory.Devices) (string, error) {
		_, err := s.Activate(t.Context(), directory.Activation{Env: env, UserID: user, ID: d.ID, Step: 5, Effect: fmt.Sprint(i / 2), Notice: notice(), MFAEnabled: true})
		return expected(err, directory.ErrActivated)
	})
	if said["done"] != 2 || len(n.mail()) != 1 {
		t.Error(said)
	}
}

func testHandleRace(t *testing.T, n *twoNodes) {
	t.Helper()
	user := n.user()
	said := n.all(8, func(_ int, s *directory.Devices) (string, error) {
		h, err := s.Handle(t.Context(), env, user)
		return string(h), err
	})
	if len(said) != 1 {
		t.Errorf("%d handles", len(said))
	}
}

// testTrustRace has browsers be trusted while a device is activated and the password
// is changed: what comes first is ended, what comes after either stays or is refused.
func testTrustRace(t *testing.T, n *twoNodes) {
	t.Helper()
	accounts := directory.NewAccounts(n.other, directory.NewHasher(cheap(), 1, n.now.Now), newRing(), lock5, n.now.Now)
	for round := range 4 {
		user := n.user()
		proven := n.now.Now()
		n.now.Move(time.Second)
		said := n.all(8, func(i int, s *directory.Devices) (string, error) {
			if i == 4 {
				_, err := accounts.SetPassword(t.Context(), directory.PasswordSetting{Env: env, UserID: user, Value: newPassword})
				return "set", err
			}
			return expected(s.Trust(t.Context(), directory.Browser{Env: env, UserID: user, Hash: flow.Sum(fmt.Sprint(i)), ExpiresAt: n.now.Now().Add(time.Hour)}, proven), flow.ErrUnknown)
		})
		if list, err := n.Browsers(t.Context(), env, user); err != nil || len(list) != 0 {
			t.Errorf("round %d: %d browsers outlive the password, %v %v", round, len(list), said, err)
		}
	}
}

func testDeleteRace(t *testing.T, n *twoNodes) {
	t.Helper()
	for range 4 {
		user := n.user()
		d := n.totp(user)
		n.all(12, func(i int, s *directory.Devices) (string, error) {
			var err error
			switch i % 6 {
			case 0:
				if i == 0 {
					err = n.users.Delete(t.Context(), env, user)
				}
			case 1:
				_, err = s.Create(t.Context(), newDevice(user, device.TOTP, nil))
			case 2:
				err = s.Trust(t.Context(), directory.Browser{Env: env, UserID: user, Hash: flow.Sum("c"), ExpiresAt: n.now.Now().Add(time.Hour)}, n.now.Now())
			case 3:
				_, err = s.Try(t.Context(), directory.Try{Judged: judged(d), Compare: ofStep(int64(i))})
			case 4:
				err = s.Delete(t.Context(), env, user, d.ID, nil, "")
			case 5:
				_, err = s.CreatePush(t.Context(), directory.NewPush{Push: device.Push{Env: env, ID: uuid.NewString(), UserID: user, Device: d.ID}})
			}
			return expected(err, flow.ErrUnknown)
		})
	}
	for _, table := range []string{"devices", "trusted_browsers", "pushes"} {
		if left := rows(t, n.db, table); left != 0 {
			t.Errorf("%d rows of %s are left", left, table)
		}
	}
}
