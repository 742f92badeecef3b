package directory_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"doorward/directory"
)

// set gives a user a password, which must be Done.
func (e *estate) set(p directory.PasswordSetting) {
	e.t.Helper()
	p.Env = env
	if got, err := e.SetPassword(e.t.Context(), p); err != nil || got.Result != directory.Done {
		e.t.Fatalf("%+v %v", got, err)
	}
}

func testSetPassword(t *testing.T, open opener) {
	set := func(e *estate, name, value string) (directory.Changed, error) {
		e.t.Helper()
		return e.SetPassword(e.t.Context(), directory.PasswordSetting{Env: env, UserID: e.ids[name], Value: value, Effect: e.effect()})
	}
	const ssha = "{SSHA}C1newsfFmlD02QTcqAUBSUg9SAZzYWx0" // of "imported", with the salt "salt"
	t.Run("an administrator's password obeys the policy, but for its least age", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.MinAge, e.policy.History.Count, e.policy.ExcludesProfileData = 24*time.Hour, 3, true
		e.change(directory.Change{UserID: e.ids["ada"]}) // costs a try and no more
		if _, err := e.users.Update(t.Context(), env, e.ids["ada"], func(u *directory.User) error {
			u.Profile = []byte(`{"name":{"middle":"Augusta King"},"x":[1,["Countess Lovelace"]]}`)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			value  string
			broken []string
		}{
			{"short", []string{"length"}},
			{"ada@EXAMPLE.com", []string{"excludesProfileData"}},
			{"augusta king", []string{"excludesProfileData"}},
			{"Countess Lovelace", []string{"excludesProfileData"}},
			{oldPassword, []string{"history"}},
			{newPassword, nil},
			{oldPassword, []string{"history"}},
		} {
			got, err := set(e, "ada", row.value)
			if err != nil || !slices.Equal(got.Unsatisfied, row.broken) || (got.Result == directory.Done) != (row.broken == nil) {
				t.Errorf("%s: %+v %v", row.value, got, err)
			}
		}
		if v := e.signOn("ada", newPassword); v.Result != accepted {
			t.Errorf("%+v", v)
		}
	})
	t.Run("it is set where there was none, and taken away", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.History.Count = 3
		e.set(directory.PasswordSetting{UserID: e.ids["passwordless"], Value: newPassword})
		if v := e.signOn("passwordless", newPassword); v.Result != accepted {
			t.Errorf("%+v", v)
		}
		e.set(directory.PasswordSetting{UserID: e.ids["ada"]})
		if s, err := e.passwords.State(t.Context(), env, e.ids["ada"]); err != nil || s.State != directory.StateNone || e.signOn("ada", "").Result != refused {
			t.Errorf("taken away: %+v %v", s, err)
		}
	})
	t.Run("a hash is taken as one, or refused", func(t *testing.T) {
		e := newEstate(t, open)
		e.set(directory.PasswordSetting{UserID: e.ids["ada"], Value: ssha})
		if e.signOn("ada", ssha).Result != refused || e.signOn("ada", "imported").Result != accepted {
			t.Error("the hash was not taken as one")
		}
		if got, err := set(e, "bea", "{SSHA}short"); err == nil || got.Result != "" || e.signOn("bea", oldPassword).Result != accepted {
			t.Error("a broken hash was taken")
		}
		u := ada()
		if _, err := e.users.Create(t.Context(), directory.User{Env: env, Username: "imported", Enabled: true}, ssha, ""); err != nil {
			t.Fatal(err)
		}
		if v := e.signOn("imported", "imported"); v.Result != accepted {
			t.Errorf("%+v", v)
		}
		u.Username = "broken"
		if _, err := e.users.Create(t.Context(), u, "{SSHA}short", ""); err == nil {
			t.Error("a broken hash was taken")
		}
	})
	t.Run("is set once per effect, and not where another has it", func(t *testing.T) {
		e := newEstate(t, open)
		for _, value := range []string{"first-of-them", "second-of-them"} {
			e.set(directory.PasswordSetting{UserID: e.ids["ada"], Value: value, Effect: "e"})
		}
		if v := e.signOn("ada", "first-of-them"); v.Result != accepted {
			t.Errorf("%+v", v)
		}
		for range 2 { // what was refused is refused again
			got, err := e.SetPassword(t.Context(), directory.PasswordSetting{Env: env, UserID: e.ids["ada"], Value: "short", Effect: "f"})
			if err != nil || !slices.Equal(got.Unsatisfied, []string{"length"}) {
				t.Errorf("%+v %v", got, err)
			}
			e.policy.MinLength = 1
		}
		if _, err := set(e, "external", newPassword); !errors.Is(err, directory.ErrExternal) {
			t.Error(err)
		}
	})
	t.Run("of two at once both are done, one after the other", func(t *testing.T) {
		e := newEstate(t, open)
		var wg sync.WaitGroup
		for _, value := range []string{"First-of-them-1", "Second-of-them-2"} {
			wg.Go(func() {
				got, err := e.SetPassword(t.Context(), directory.PasswordSetting{Env: env, UserID: e.ids["ada"], Value: value})
				if err != nil || got.Result != directory.Done {
					t.Errorf("%+v %v", got, err)
				}
			})
		}
		wg.Wait()
		if a, b := e.signOn("ada", "First-of-them-1"), e.signOn("ada", "Second-of-them-2"); (a.Result == accepted) == (b.Result == accepted) {
			t.Errorf("%+v %+v", a, b)
		}
	})
	testForceChange(t, open)
}

func testForceChange(t *testing.T, open opener) {
	t.Run("a change can be forced of who has a password here", func(t *testing.T) {
		e := newEstate(t, open)
		if err := e.ForceChange(t.Context(), env, e.ids["ada"]); err != nil {
			t.Fatal(err)
		}
		if v := e.signOn("ada", oldPassword); v.Result != accepted || v.State != directory.StateMustChange {
			t.Errorf("%+v", v)
		}
		if err := e.ForceChange(t.Context(), env, e.ids["external"]); !errors.Is(err, directory.ErrExternal) {
			t.Error(err)
		}
		if err := e.ForceChange(t.Context(), env, e.ids["passwordless"]); !errors.Is(err, directory.ErrNoPassword) {
			t.Error(err)
		}
	})
	t.Run("a state warns before the password expires", func(t *testing.T) {
		const day = 24 * time.Hour
		e := newEstate(t, open)
		e.policy.MaxAge = 30 * day
		for _, row := range []struct {
			after time.Duration
			state directory.PasswordState
			left  time.Duration
		}{{9 * day, directory.StateOK, 0}, {time.Second, directory.StateOK, 21*day - time.Second}, {20 * day, directory.StateOK, day - time.Second}, {day, directory.StateExpired, 0}} {
			e.now.Move(row.after)
			if s, err := e.passwords.State(t.Context(), env, e.ids["ada"]); err != nil || s.State != row.state || s.ExpiresIn != row.left {
				t.Errorf("%+v %v", s, err)
			}
		}
		e.policy.MaxAge = 0
		if s, err := e.passwords.State(t.Context(), env, e.ids["ada"]); err != nil || s.State != directory.StateOK || s.ExpiresIn != 0 {
			t.Errorf("without a rule: %+v %v", s, err)
		}
	})
	t.Run("a check that is no sign-on counts, and is not remembered as one", func(t *testing.T) {
		e := newEstate(t, open)
		check := func(password string) directory.Result {
			v, err := e.passwords.Check(t.Context(), directory.Check{Env: env, UserID: e.ids["ada"], Password: password, NoSignOn: true, RemoteIP: "192.0.2.1"})
			if err != nil {
				t.Fatal(err)
			}
			return v.Result
		}
		if check("wrong") != refused || e.number(`SELECT COUNT(*) FROM failures`) != 1 {
			t.Error("a wrong password was not counted")
		}
		if check(oldPassword) != accepted || e.number(`SELECT COUNT(*) FROM failures`) != 0 {
			t.Error("the right password did not clear the count")
		}
		if u := e.user("ada"); !u.LastSignOnAt.IsZero() || u.LastSignOnIP != "" {
			t.Errorf("%+v", u)
		}
	})
}
