package directory_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"doorward/directory"
)

func testHistory(t *testing.T, open opener) {
	password := func(n int) string { return fmt.Sprint("Password-number-", n) }
	// grown is an account that had the passwords 0 to last, a day each.
	grown := func(t *testing.T, count, days, last int) *estate {
		t.Helper()
		e := newEstate(t, open)
		e.policy.History.Count, e.policy.History.RetentionDays = count, days
		current := oldPassword
		for n := range last + 1 {
			e.now.Move(24 * time.Hour)
			if got := e.change(directory.Change{UserID: e.ids["ada"], Current: current, Password: password(n)}); got.Result != directory.Done {
				t.Fatalf("%d: %+v", n, got)
			}
			current = password(n)
		}
		e.mail()
		return e
	}
	reused := func(e *estate, n int) bool {
		e.t.Helper()
		m := e.forgot("ada")
		got := e.recover(directory.Recovering{Username: "ada", Code: m.Params["code"], Password: password(n)})
		if got.Result == directory.Unsatisfying && !slices.Equal(got.Unsatisfied, []string{"history"}) {
			e.t.Errorf("%+v", got)
		}
		e.now.Move(time.Hour) // so that there is another code
		return got.Result == directory.Unsatisfying
	}
	t.Run("the last passwords may not come again", func(t *testing.T) {
		for count, first := range map[int]int{1: 5, 3: 3, 6: 0} { // the first that may not, of 0 to 5
			e := grown(t, count, 365, 5)
			for n := 5; n >= first; n-- {
				if !reused(e, n) {
					t.Errorf("of the last %d, %d is forgotten", count, n)
				}
			}
			if first > 0 && reused(e, first-1) {
				t.Errorf("of the last %d, %d is remembered", count, first-1)
			}
		}
	})
	t.Run("fewer count once the policy says so", func(t *testing.T) {
		e := grown(t, 6, 365, 5)
		e.policy.History.Count = 3
		if !reused(e, 3) || reused(e, 2) {
			t.Error("the wrong ones are remembered")
		}
	})
	t.Run("without the rule none is remembered or kept", func(t *testing.T) {
		e := grown(t, 0, 0, 3)
		if reused(e, 3) || rows(t, e.db, "password_history") != 0 {
			t.Error("a password is remembered")
		}
	})
	t.Run("an old one is forgotten when its time is over", func(t *testing.T) {
		e := grown(t, 6, 3, 3) // 2 was replaced now, 1 a day ago, 0 two days ago
		e.now.Move(36 * time.Hour)
		if !reused(e, 1) || reused(e, 0) {
			t.Error("the wrong ones are forgotten")
		}
		if n := e.number(`SELECT COUNT(*) FROM password_history`); n != 3 { // 3, 2 and 1
			t.Errorf("%d are kept", n)
		}
	})
	t.Run("no more is kept than counts", func(t *testing.T) {
		e := grown(t, 3, 365, 6)
		if n := e.number(`SELECT COUNT(*) FROM password_history`); n != 2 {
			t.Errorf("%d are kept", n)
		}
	})
	t.Run("old passwords are hashed after all else is right", func(t *testing.T) {
		e := grown(t, 4, 365, 5)
		hashes := func(c directory.Change) int64 {
			e.now.Move(time.Hour)
			before := e.looks.Load()
			c.UserID = e.ids["ada"]
			e.change(c)
			return (e.looks.Load() - before) / 2
		}
		for _, row := range []struct {
			label, current, password string
			want                     int64
		}{
			{"wrong current password", "wrong", password(9), 1},
			{"another rule", password(5), "short", 1},
			{"reused", password(5), password(2), 4}, // the current one and three old ones
			{"free", password(5), password(9), 5},   // and the new one
		} {
			if got := hashes(directory.Change{Current: row.current, Password: row.password}); got != row.want {
				t.Errorf("%s: %d hashes", row.label, got)
			}
		}
		e.mail()
		m := e.forgot("ada")
		before := e.looks.Load()
		e.recover(directory.Recovering{Username: "ada", Code: "WRONGWRO", Password: password(9)})
		if e.looks.Load() != before {
			t.Error("a wrong code is hashed for")
		}
		e.recover(directory.Recovering{Username: "ada", Code: m.Params["code"], Password: password(8)})
		if n := (e.looks.Load() - before) / 2; n != 5 {
			t.Errorf("%d hashes for a recovery", n)
		}
	})
	testAge(t, open)
}

func testAge(t *testing.T, open opener) {
	t.Run("a young password stays", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.MinAge = 24 * time.Hour
		e.now.Move(23 * time.Hour)
		c := directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: newPassword, Effect: "e"}
		if got := e.change(c); got.Result != directory.TooYoung || got.UnlockIn != time.Hour {
			t.Errorf("%+v", got)
		}
		code := e.forgot("ada").Params["code"]
		if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != directory.TooYoung || got.UnlockIn != time.Hour {
			t.Errorf("%+v", got)
		}
		e.now.Move(time.Hour)
		if got := e.change(c); got.Result != directory.TooYoung || got.UnlockIn != 0 {
			t.Errorf("the same effect again: %+v", got)
		}
		c.Effect = ""
		if got := e.change(c); got.Result != directory.Done {
			t.Errorf("%+v", got)
		}
	})
	t.Run("an old password has expired, and may be changed", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.MaxAge, e.policy.MinAge = 30*24*time.Hour, 24*time.Hour
		for after, want := range map[time.Duration]directory.PasswordState{
			30*24*time.Hour - time.Millisecond: directory.StateOK, 30 * 24 * time.Hour: directory.StateExpired,
		} {
			e.now.Move(after)
			if v := e.signOn("ada", oldPassword); v.Result != accepted || v.State != want {
				t.Errorf("after %v: %+v", after, v)
			}
			e.now.Move(-after)
		}
		e.now.Move(30 * 24 * time.Hour)
		if got := e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: newPassword}); got.Result != directory.Done {
			t.Errorf("%+v", got)
		}
		if v := e.signOn("ada", newPassword); v.State != directory.StateOK {
			t.Errorf("%+v", v)
		}
	})
}
