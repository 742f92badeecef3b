package directory_test

import (
	"errors"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testStanding(t *testing.T, open opener) {
	t.Run("a lock is told to the right password only, and counts as all others", func(t *testing.T) {
		e := newEstate(t, open)
		for n := range 4 {
			for _, name := range []string{"locked", "nobody"} {
				if v := e.signOn(name, "wrong"); v.Result != refused {
					t.Errorf("%s, attempt %d: %+v", name, n+1, v)
				}
			}
		}
		if v := e.signOn("locked", oldPassword); v.Result != locked || v.UnlockIn != 0 || v.Subject.ID != e.ids["locked"] {
			t.Errorf("the right password: %+v", v)
		}
		if v := e.signOn("locked", "wrong"); v.Result != locked || v.UnlockIn != 15*time.Minute {
			t.Errorf("the fifth: %+v", v)
		}
	})
	t.Run("a lock ends by itself or by being lifted", func(t *testing.T) {
		e := newEstate(t, open)
		id := e.ids["ada"]
		lock := func(until time.Time) {
			t.Helper()
			if err := e.users.Lock(t.Context(), env, id, until); err != nil {
				t.Fatal(err)
			}
		}
		enabled := func() bool {
			t.Helper()
			s, err := e.users.Standing(t.Context(), env, id)
			if err != nil {
				t.Fatal(err)
			}
			if s.Locales != "de" {
				t.Errorf("prefers %q", s.Locales)
			}
			return s.Enabled
		}
		until := e.now.Now().Add(time.Hour)
		lock(until)
		if v := e.signOn("ada", oldPassword); v.Result != locked || v.UnlockIn != time.Hour || enabled() {
			t.Errorf("%+v", v)
		}
		if u := e.user("ada"); !u.LockedAt.Equal(e.now.Now()) || !u.LockUntil.Equal(until) {
			t.Errorf("%+v", u)
		}
		e.now.Move(time.Hour)
		if v := e.signOn("ada", oldPassword); v.Result != accepted || !enabled() {
			t.Errorf("after its time: %+v", v)
		}
		lock(e.now.Now()) // is over already
		if !enabled() {
			t.Error("a lock that is over locks")
		}
		lock(time.Time{})
		if enabled() {
			t.Error("a lock without end does not lock")
		}
		if err := e.users.Unlock(t.Context(), env, id); err != nil || !enabled() || !e.user("ada").LockedAt.IsZero() {
			t.Error("not unlocked", err)
		}
	})
	t.Run("unknown users have none", func(t *testing.T) {
		e := newEstate(t, open)
		if s, err := e.users.Standing(t.Context(), env, "nobody"); err != nil || s != (flow.Standing{}) {
			t.Errorf("%+v %v", s, err)
		}
		_, err := e.passwords.State(t.Context(), env, "nobody")
		_, errSet := e.SetPassword(t.Context(), directory.PasswordSetting{Env: env, UserID: "nobody", Value: newPassword})
		for name, err := range map[string]error{
			"lock": e.users.Lock(t.Context(), env, "nobody", time.Time{}), "unlock": e.users.Unlock(t.Context(), env, "nobody"), "state": err,
			"password": errSet, "force change": e.ForceChange(t.Context(), env, "nobody"), "population": e.users.SetPopulation(t.Context(), env, "nobody", "p2"),
		} {
			if !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	testPasswordStates(t, open)
}

func testPasswordStates(t *testing.T, open opener) {
	t.Run("passwords have states", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("bea", "wrong")
		}
		e.set(directory.PasswordSetting{UserID: e.ids["disabled"], Value: newPassword, ForceChange: true})
		state := func(name string) directory.PasswordStatus {
			t.Helper()
			s, err := e.passwords.State(t.Context(), env, e.ids[name])
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		made := e.now.Now()
		e.now.Move(time.Minute)
		for name, want := range map[string]directory.PasswordStatus{
			"ada":          {State: directory.StateOK, ChangedAt: made},
			"bea":          {State: directory.StateLockedOut, ChangedAt: made, UnlockIn: 14 * time.Minute},
			"disabled":     {State: directory.StateMustChange, ChangedAt: made},
			"external":     {State: directory.StateExternal},
			"passwordless": {State: directory.StateNone},
			"locked":       {State: directory.StateOK, ChangedAt: made},
		} {
			if got := state(name); got != want {
				t.Errorf("%s: %+v", name, got)
			}
		}
		e.policy.MaxAge = time.Minute
		if got := state("ada").State; got != directory.StateExpired {
			t.Error(got)
		}
		if err := e.UnlockPassword(t.Context(), env, e.ids["bea"]); err != nil {
			t.Fatal(err)
		}
		if v := e.signOn("bea", oldPassword); v.Result != accepted || v.State != directory.StateExpired {
			t.Errorf("%+v", v)
		}
	})
}
