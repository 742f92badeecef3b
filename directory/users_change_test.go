package directory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

var errNo = errors.New("no")

func testUpdates(t *testing.T, open opener) {
	update := func(e *estate, change func(u *directory.User)) (directory.User, error) {
		e.t.Helper()
		return e.users.Update(e.t.Context(), env, e.ids["ada"], func(u *directory.User) error { change(u); return nil })
	}
	t.Run("keep what they change, and nothing else", func(t *testing.T) {
		e := newEstate(t, open)
		want := e.user("ada")
		e.now.Move(time.Minute)
		got, err := update(e, func(u *directory.User) {
			id, now := u.ID, e.now.Now()
			*u = ada()
			u.ID, u.Env, u.Username, u.Authority, u.Profile = "other", "other", "Ada L.", "idp", []byte(` {"b":[1.0],"a":"\u00e9"} `)
			u.Population, u.Enabled, u.Unverified, u.MustChange, u.LockedAt, u.CreatedAt = "p9", false, true, true, now, now
			u.Email, u.EmailVerified, want.UpdatedAt = "ada@example.com", true, now
			if id != want.ID {
				t.Error("another user")
			}
		})
		want.Username, want.Type, want.EmailVerified, want.Given, want.Family, want.Locale, want.PreferredLanguage = "Ada L.", "staff", true, "Ada", "Lovelace", "en-GB", "en-GB, en"
		want.Authority, want.Profile, want.MFAEnabled = "idp", []byte(`{"a":"é","b":[1]}`), true
		if kept := e.user("ada"); err != nil || !cmp.Equal(got, want) || !cmp.Equal(kept, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
	})
	t.Run("take a free name and no other", func(t *testing.T) {
		e := newEstate(t, open)
		for _, row := range []struct {
			name string
			want error
		}{{"BEA", directory.ErrTaken}, {" x", directory.ErrName}, {"", directory.ErrName}, {"ADA", nil}, {"augusta", nil}} {
			if _, err := update(e, func(u *directory.User) { u.Username = row.name }); !errors.Is(err, row.want) {
				t.Errorf("%q: %v", row.name, err)
			}
		}
		if e.signOn("augusta", oldPassword).Result != accepted || e.signOn("ada", oldPassword).Result != refused {
			t.Error("the name is another")
		}
	})
	t.Run("that fail change nothing", func(t *testing.T) {
		e := newEstate(t, open)
		before := e.user("ada")
		for want, change := range map[error]func(u *directory.User) error{
			errNo:                func(u *directory.User) error { u.Given = "x"; return errNo },
			directory.ErrProfile: func(u *directory.User) error { u.Given, u.Profile = "x", []byte(`[]`); return nil },
			directory.ErrName:    func(u *directory.User) error { u.Given, u.Username = "x", "\u200b"; return nil },
		} {
			if _, err := e.users.Update(t.Context(), env, e.ids["ada"], change); !errors.Is(err, want) {
				t.Error(err)
			}
		}
		if _, err := e.users.Update(t.Context(), "other", e.ids["ada"], func(*directory.User) error { t.Error("called"); return nil }); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
		if after := e.user("ada"); !cmp.Equal(before, after) {
			t.Error(cmp.Diff(before, after))
		}
	})
	t.Run("refuse a profile that is none", func(t *testing.T) {
		e := newEstate(t, open)
		for _, profile := range []string{
			`[]`, `"x"`, `{`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"externalId":1}`, `{"mobilePhone":null}`, `{"externalId":"\u0000"}`,
			`{"a":"` + strings.Repeat("x", 64<<10) + `"}`,
		} {
			if _, err := update(e, func(u *directory.User) { u.Profile = []byte(profile) }); !errors.Is(err, directory.ErrProfile) {
				t.Errorf("%.20s: %v", profile, err)
			}
		}
		for _, profile := range []string{``, `{}`, `{"a":"\u0000"}`, `{"ExternalId":1}`} {
			if _, err := update(e, func(u *directory.User) { u.Profile = []byte(profile) }); err != nil {
				t.Errorf("%s: %v", profile, err)
			}
		}
	})
	testMoves(t, open)
	testUpdatesTogether(t, open)
}

func testMoves(t *testing.T, open opener) {
	t.Run("to another address make it unverified, and codes for the other one void", func(t *testing.T) {
		e := newEstate(t, open)
		got := e.register(newcomer())
		code := e.one().Params["code"]
		e.ids["newcomer"] = got.Subject.ID
		recovery := e.forgot("ada").Params["code"]
		for name, address := range map[string]string{"newcomer": "moved@example.com", "ada": "Ada@example.com"} {
			u, err := e.users.Update(t.Context(), env, e.ids[name], func(u *directory.User) error { u.Email, u.EmailVerified = address, true; return nil })
			if err != nil || u.Email != address || u.EmailVerified {
				t.Errorf("%+v %v", u, err)
			}
		}
		if n := e.number(`SELECT COUNT(*) FROM secret_codes WHERE used_at = 0`); n != 0 {
			t.Errorf("%d codes are good", n)
		}
		if v := e.verify("newcomer", code); v.OK {
			t.Error("the code for the other address is good")
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: recovery, Password: newPassword}); got.Result != directory.WrongCode {
			t.Errorf("%+v", got)
		}
		if n := e.number(`SELECT COUNT(*) FROM users WHERE registered`); n != 0 {
			t.Error("still registered")
		}
		r := newcomer()
		r.Username = "second"
		if e.register(r).Subject.ID == "" {
			t.Error("the address that was left is not free")
		}
		r.Username, r.Email = "third", "MOVED@example.com"
		if e.register(r).Subject.ID != "" {
			t.Error("the address that was taken is free")
		}
	})
	t.Run("without another address leave codes alone", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		if _, err := e.users.Update(t.Context(), env, e.ids["ada"], func(u *directory.User) error { u.Given = "A."; return nil }); err != nil {
			t.Fatal(err)
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != directory.Done {
			t.Errorf("%+v", got)
		}
	})
}

func testUpdatesTogether(t *testing.T, open opener) {
	t.Run("of many at once lose none", func(t *testing.T) {
		e := newEstate(t, open)
		var wg sync.WaitGroup
		const each = 5
		for range 8 {
			wg.Go(func() {
				for range each {
					if _, err := e.users.Update(t.Context(), env, e.ids["ada"], func(u *directory.User) error { u.Given += "x"; return nil }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() { // beside what changes other things of the user
			for range each {
				if err := errors.Join(e.users.SetPopulation(t.Context(), env, e.ids["ada"], "p2"), e.users.SetEnabled(t.Context(), env, e.ids["ada"], false)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		if u := e.user("ada"); u.Given != "Ada"+strings.Repeat("x", 8*each) || u.Population != "p2" || u.Enabled {
			t.Errorf("%+v", u)
		}
	})
	t.Run("of many at once one gets the name", func(t *testing.T) {
		e := newEstate(t, open)
		var wg sync.WaitGroup
		var mu sync.Mutex
		won, taken := 0, 0
		for name := range e.ids {
			wg.Go(func() {
				_, err := e.users.Update(t.Context(), env, e.ids[name], func(u *directory.User) error { u.Username = "The-One"; return nil })
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, directory.ErrTaken):
					taken++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 || taken != len(e.ids)-1 {
			t.Errorf("%d have it, %d do not", won, taken)
		}
	})
}
