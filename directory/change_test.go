package directory_test

import (
	"slices"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testChange(t *testing.T, open opener) {
	t.Run("sets a password by the one in use", func(t *testing.T) {
		e := newEstate(t, open)
		c := directory.Change{UserID: e.ids["unverified"], Current: oldPassword, Password: newPassword, Effect: "e"}
		for range 2 {
			got := e.change(c)
			if got.Result != directory.Done || got.Subject != e.user("unverified").Subject() || !got.Unverified {
				t.Errorf("%+v", got)
			}
		}
		if m := e.one(); m.Template != "password.changed" || m.To != "unverified@example.com" {
			t.Errorf("%+v", m)
		}
		if v := e.signOn("unverified", newPassword); v.Result != accepted || !v.Unverified || e.user("unverified").EmailVerified {
			t.Errorf("%+v", v)
		}
	})
	t.Run("counts wrong ones as sign-on does", func(t *testing.T) {
		e := newEstate(t, open)
		for range 3 {
			e.signOn("ada", "wrong")
		}
		wrong := directory.Change{UserID: e.ids["ada"], Current: "wrong", Password: newPassword, Effect: "e"}
		for range 3 { // one effect
			if got := e.change(wrong); got.Result != directory.WrongPassword {
				t.Errorf("%+v", got)
			}
		}
		wrong.Effect = "last"
		e.change(wrong)
		e.now.Move(time.Minute)
		if got := e.change(wrong); got.Result != directory.Locked || got.UnlockIn != 14*time.Minute {
			t.Errorf("%+v", got)
		}
		if got := e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: newPassword}); got.Result != directory.Locked || got.UnlockIn != 14*time.Minute {
			t.Errorf("the right one: %+v", got)
		}
		shape := e.shape(func() { e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: newPassword}) })
		if cost := shape[1:]; !slices.Equal(cost, []string{"0 commits", "1 hashes", "0 messages"}) {
			t.Errorf("the right one costs %v", cost)
		}
	})
	t.Run("a lock that comes while the new one is hashed holds", func(t *testing.T) {
		e := newEstate(t, open)
		slow := directory.NewHasher(cheap(), 1, func() time.Time { // as another process would
			for range 5 {
				e.signOn("ada", "wrong")
			}
			return e.now.Now()
		})
		a := directory.NewAccounts(e.db, slow, newRing(), lock5, e.now.Now)
		got, err := a.ChangePassword(t.Context(), directory.Change{Env: env, UserID: e.ids["ada"], Current: oldPassword, Password: newPassword})
		if err != nil || got.Result != directory.Locked || got.UnlockIn != 15*time.Minute {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("the right one of who may not sign on changes nothing", func(t *testing.T) {
		e := newEstate(t, open)
		until := e.now.Now().Add(time.Hour)
		if err := e.users.Lock(t.Context(), env, e.ids["bea"], until); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]directory.Changed{
			"disabled": {Result: directory.NotAllowed}, "locked": {Result: directory.Locked},
			"bea": {Result: directory.Locked, UnlockIn: time.Hour}, "external": {Result: directory.WrongPassword},
		} {
			got := e.change(directory.Change{UserID: e.ids[name], Current: oldPassword, Password: newPassword})
			if got.Result != want.Result || got.UnlockIn != want.UnlockIn || got.Subject != (flow.Subject{}) {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if n := len(e.mail()); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
	t.Run("is judged by every rule", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.MaxRepeated, e.policy.NotSimilarToCurrent, e.policy.ExcludesProfileData = 2, true, true
		for _, row := range []struct {
			password string
			broken   []string
		}{
			{"Sho", []string{"length"}},
			{"Xyzzz", []string{"length", "maxRepeatedCharacters"}},
			{oldPassword, []string{"notSimilarToCurrent"}},
			{"old-password-2", []string{"notSimilarToCurrent"}},
			{"ADA@example.com", []string{"excludesProfileData"}},
			{"Longenough", nil},
		} {
			got := e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: row.password})
			if !slices.Equal(got.Unsatisfied, row.broken) || (got.Result == directory.Done) != (row.broken == nil) {
				t.Errorf("%s: %+v", row.password, got)
			}
		}
	})
	t.Run("into itself is no change, whatever the policy", func(t *testing.T) {
		e := newEstate(t, open)
		got := e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: oldPassword})
		if got.Result != directory.Unsatisfying || !slices.Equal(got.Unsatisfied, []string{"notSimilarToCurrent"}) {
			t.Errorf("%+v", got)
		}
	})
	testChangeEnds(t, open)
}

func testChangeEnds(t *testing.T, open opener) {
	t.Run("ends what rested on the old password", func(t *testing.T) {
		for name, set := range map[string]func(e *estate, at time.Time){
			"change": func(e *estate, at time.Time) {
				e.change(directory.Change{UserID: e.ids["unverified"], Current: oldPassword, Password: newPassword, At: at})
			},
			"recovery": func(e *estate, at time.Time) {
				e.recover(directory.Recovering{Username: "unverified", Code: e.forgot("unverified").Params["code"], Password: newPassword, At: at})
			},
			"administrator": func(e *estate, at time.Time) {
				e.set(directory.PasswordSetting{UserID: e.ids["unverified"], Value: newPassword, At: at})
			},
		} {
			e := newEstate(t, open)
			codes := directory.NewCodes(e.db, e.now.Now)
			for n, user := range []string{"unverified", "ada"} {
				c := newCode(n, e.now.Now())
				c.UserID = e.ids[user]
				if err := codes.Issue(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			verification, _ := e.sendTo("unverified")
			recovery := e.forgot("unverified").Params["code"]
			for range 3 {
				e.signOn("unverified", "wrong")
			}
			at := e.now.Now().Add(time.Second)
			e.now.Move(2 * time.Second)
			set(e, at)
			for n, holds := range []bool{false, true} {
				if g, err := codes.Grant(t.Context(), env, newCode(n, at).GrantID); err != nil || g.Holds(e.now.Now()) != holds {
					t.Errorf("%s: grant %d: %+v %v", name, n, g, err)
				}
			}
			if v := e.verify("unverified", verification); v.OK {
				t.Errorf("%s: the verification code works", name)
			}
			if got := e.recover(directory.Recovering{Username: "unverified", Code: recovery, Password: oldPassword}); got.Result != directory.WrongCode {
				t.Errorf("%s: the recovery code works", name)
			}
			if s, err := e.users.Standing(t.Context(), env, e.ids["unverified"]); err != nil || !s.Enabled || !s.Since.Equal(at) {
				t.Errorf("%s: %+v %v", name, s, err)
			}
			if n := e.number(`SELECT COUNT(*) FROM failures WHERE key = $1`, e.ids["unverified"]); n != 0 {
				t.Errorf("%s: failures are left", name)
			}
			if m := e.mail(); len(m) != 1 || m[0].Template != "password.changed" {
				t.Errorf("%s: %+v", name, m)
			}
		}
	})
	t.Run("a temporary password need not be old, and is no longer temporary", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.MinAge = 24 * time.Hour
		e.set(directory.PasswordSetting{UserID: e.ids["ada"], Value: "Temporary-1", ForceChange: true})
		if v := e.signOn("ada", "Temporary-1"); v.State != directory.StateMustChange {
			t.Errorf("%+v", v)
		}
		if got := e.change(directory.Change{UserID: e.ids["ada"], Current: "Temporary-1", Password: newPassword}); got.Result != directory.Done {
			t.Errorf("%+v", got)
		}
		if v := e.signOn("ada", newPassword); v.State != directory.StateOK {
			t.Errorf("%+v", v)
		}
	})
	t.Run("a password that became another meanwhile fails and changes nothing", func(t *testing.T) {
		e := newEstate(t, open)
		slow := directory.NewHasher(cheap(), 1, func() time.Time { // as another process would
			e.do(`UPDATE users SET password = '$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE username = 'ada'`)
			return e.now.Now()
		})
		a := directory.NewAccounts(e.db, slow, newRing(), lock5, e.now.Now)
		got, err := a.ChangePassword(t.Context(), directory.Change{Env: env, UserID: e.ids["ada"], Current: oldPassword, Password: newPassword})
		if err == nil || got.Result != "" {
			t.Errorf("%+v", got)
		}
		if n := len(e.mail()); n != 0 {
			t.Errorf("%d messages", n)
		}
	})
}
