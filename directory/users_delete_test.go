package directory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testDeletes(t *testing.T, open opener) {
	t.Run("leave nothing of a user, and all of the others", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.History.Count = 5
		codes, consents := directory.NewCodes(e.db, e.now.Now), directory.NewConsents(e.db, e.now.Now)
		tables := map[string]string{
			"users": "id", "password_history": "user_id", "secret_codes": "account", "failures": "key", "grants": "user_id", "consents": "user_id", "mail_counts": "account",
		}
		for n, name := range []string{"ada", "bea"} {
			e.change(directory.Change{UserID: e.ids[name], Current: oldPassword, Password: newPassword})
			e.mail()
			e.forgot(name)
			e.signOn(name, "wrong")
			c := newCode(n, e.now.Now())
			c.UserID = e.ids[name]
			_, err := consents.Accept(t.Context(), directory.Consent{Env: env, UserID: e.ids[name], Agreement: "a"}, "")
			if err = errors.Join(err, codes.Issue(t.Context(), c)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.users.Delete(t.Context(), env, e.ids["ada"]); err != nil {
			t.Fatal(err)
		}
		for table, column := range tables {
			for name, want := range map[string]int{"ada": 0, "bea": 1} {
				if n := e.number(`SELECT COUNT(*) FROM `+table+` WHERE `+column+` = $1`, e.ids[name]); (n > 0) != (want > 0) {
					t.Errorf("%s: %d of %s", table, n, name)
				}
			}
		}
		if s, err := e.users.Standing(t.Context(), env, e.ids["ada"]); err != nil || s != (flow.Standing{}) {
			t.Errorf("%+v %v", s, err)
		}
		if _, r, err := codes.Redeem(t.Context(), env, newCode(0, e.now.Now()).Hash); err != nil || r != directory.Unknown {
			t.Errorf("the code is %v, %v", r, err)
		}
		if v := e.signOn("ada", newPassword); v.Result != refused || v.Subject.ID != "" {
			t.Errorf("%+v", v)
		}
		if err := e.users.Delete(t.Context(), env, e.ids["ada"]); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("make the name free, and effects of before harmless", func(t *testing.T) {
		e := newEstate(t, open)
		u, err := e.users.Create(t.Context(), directory.User{Env: env, Username: "eve"}, "", "e")
		r := newcomer()
		r.Effect = "e"
		made := e.register(r)
		if err = errors.Join(err, e.users.Delete(t.Context(), env, u.ID), e.users.Delete(t.Context(), env, made.Subject.ID)); err != nil {
			t.Fatal(err)
		}
		if _, err := e.users.Create(t.Context(), directory.User{Env: env, Username: "eve"}, "", "e"); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("the effect again: %v", err)
		}
		if again := e.register(r); again.Subject.ID != made.Subject.ID || e.number(`SELECT COUNT(*) FROM users WHERE name_key = 'newcomer'`) != 0 {
			t.Errorf("the effect again: %+v", again)
		}
		if _, err := e.users.Create(t.Context(), directory.User{Env: env, Username: "eve"}, "", ""); err != nil {
			t.Error(err)
		}
	})
	t.Run("make what was proven under an id that is used again count no more", func(t *testing.T) {
		e := newEstate(t, open)
		id := e.ids["ada"]
		if err := e.users.Delete(t.Context(), env, id); err != nil {
			t.Fatal(err)
		}
		e.now.Move(time.Second)
		if _, err := e.users.Create(t.Context(), directory.User{Env: env, ID: id, Username: "ada", Enabled: true}, "", ""); err != nil {
			t.Fatal(err)
		}
		if s, err := e.users.Standing(t.Context(), env, id); err != nil || !s.Since.Equal(e.now.Now()) {
			t.Errorf("%+v %v", s, err)
		}
	})
	t.Run("meet a change of the password and leave nothing either way", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.History.Count = 5
		consents := directory.NewConsents(e.db, e.now.Now)
		for n := range 6 {
			name := fmt.Sprint("user", n)
			u, err := e.users.Create(t.Context(), directory.User{Env: env, Username: name, Enabled: true}, oldPassword, "")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, do := range []func(ctx context.Context) error{
				func(ctx context.Context) error { return e.users.Delete(ctx, env, u.ID) },
				func(ctx context.Context) error {
					_, _ = e.ChangePassword(ctx, directory.Change{Env: env, UserID: u.ID, Current: oldPassword, Password: newPassword}) // or it is gone
					return nil
				},
				func(ctx context.Context) error {
					_, err := consents.Accept(ctx, directory.Consent{Env: env, UserID: u.ID, Agreement: "a"}, "")
					if errors.Is(err, flow.ErrUnknown) {
						err = nil
					}
					return err
				},
			} {
				wg.Go(func() {
					if err := do(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		for _, table := range []string{"password_history", "consents"} {
			if n := rows(t, e.db, table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	})
}
