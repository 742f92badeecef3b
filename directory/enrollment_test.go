package directory_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

// enrollee is a newcomer of whom a flow knows more.
func enrollee(o directory.Opening) directory.Registration {
	r := newcomer()
	r.Type, r.Locale, r.PreferredLanguage, r.MFAEnabled, r.Opening = "customer", "de-AT", "de, en;q=0.5", true, o
	r.Profile = []byte(`{"name":{"middle":"M."}, "mobilePhone":"+43 1"}`)
	return r
}

func testEnrollment(t *testing.T, open opener) {
	want := func(e *estate, id string) directory.User {
		return directory.User{
			Env: env, ID: id, Username: "Newcomer", Population: "p1", Type: "customer", Enabled: true, Email: "New.Comer@Example.com",
			Given: "Nina", Family: "O'Comer", Locale: "de-AT", PreferredLanguage: "de, en;q=0.5", MFAEnabled: true,
			Profile: []byte(`{"mobilePhone":"+43 1","name":{"middle":"M."}}`), PasswordChangedAt: e.now.Now(), CreatedAt: e.now.Now(), UpdatedAt: e.now.Now(),
		}
	}
	t.Run("an account that is verified later is made without mail", func(t *testing.T) {
		e := newEstate(t, open)
		r := enrollee(directory.Deferred)
		r.Effect = "e"
		got := e.register(r)
		kept := want(e, got.Subject.ID)
		kept.Unverified = true
		if u, err := e.users.Get(t.Context(), env, got.Subject.ID); err != nil || !cmp.Equal(u, kept) || got.Subject != u.Subject() {
			t.Errorf("%v %s", err, cmp.Diff(kept, u))
		}
		if m := e.one(); m.To != "" || len(m.Params) != 0 {
			t.Errorf("%+v", m)
		}
		if again := e.register(r); again.Subject != got.Subject || len(e.mail()) != 0 {
			t.Errorf("the same effect again: %+v", again)
		}
		if v := e.signOn("newcomer", newPassword); v.Result != refused {
			t.Errorf("before the address is verified: %+v", v)
		}
		e.ids["newcomer"] = got.Subject.ID
		for range 5 { // no code was counted
			code, to := e.sendTo("newcomer")
			if to != "New.Comer@Example.com" {
				t.Errorf("sent to %q", to)
			}
			e.ids["last"] = code
		}
		if v := e.verify("newcomer", e.ids["last"]); !v.OK {
			t.Errorf("%+v", v)
		}
		if v := e.signOn("newcomer", newPassword); v.Result != accepted {
			t.Errorf("%+v", v)
		}
	})
	t.Run("an account that is verified later tells nobody what is taken", func(t *testing.T) {
		e := newEstate(t, open)
		asks := map[string]struct{ name, email, template, to string }{
			"free":    {"free", "free@example.com", "", ""},
			"name":    {"ADA", "other@example.com", "registration.nameTaken", "other@example.com"},
			"address": {"free2", "ADA@example.com", "registration.exists", "ada@example.com"},
			"both":    {"bea", "ada@example.com", "registration.exists", "ada@example.com"},
		}
		e.sameShape([]string{"free", "name", "address", "both"}, func(label string) {
			r := enrollee(directory.Deferred)
			r.Username, r.Email, r.Effect = asks[label].name, asks[label].email, e.effect()
			if got := e.register(r); (got.Subject.ID != "") != (label == "free") || got.Taken != nil || got.Fault != "" {
				t.Errorf("%s: %+v", label, got)
			}
		})
		for _, m := range e.mail() {
			delete(asks, func() string {
				for label, row := range asks {
					if m.To == row.to && (m.Template == row.template || m.To == "") {
						return label
					}
				}
				t.Errorf("%+v", m)
				return ""
			}())
		}
		if len(asks) != 0 {
			t.Errorf("nothing was mailed for %v", asks)
		}
	})
	testOpenAccounts(t, open, want)
}

func testOpenAccounts(t *testing.T, open opener, want func(*estate, string) directory.User) { //nolint:thelper // a test, which tells its own lines
	t.Run("an account may be usable at once", func(t *testing.T) {
		e := newEstate(t, open)
		r := enrollee(directory.Usable)
		r.Effect = "e"
		got := e.register(r)
		if u, err := e.users.Get(t.Context(), env, got.Subject.ID); err != nil || !cmp.Equal(u, want(e, got.Subject.ID)) {
			t.Errorf("%v %s", err, cmp.Diff(want(e, got.Subject.ID), u))
		}
		if again := e.register(r); again.Subject != got.Subject {
			t.Errorf("the same effect again: %+v", again)
		}
		if v := e.signOn("newcomer", newPassword); v.Result != accepted || v.Unverified || len(e.mail()) != 0 {
			t.Errorf("%+v", v)
		}
	})
	t.Run("and then what is taken is told, once per effect", func(t *testing.T) {
		e := newEstate(t, open)
		for _, row := range []struct{ name, email, taken string }{
			{"ADA", "other@example.com", "username"}, {"free", "ADA@example.com", "email"}, {"bea", "Ada@example.com", "username email"},
		} {
			r := enrollee(directory.Usable)
			r.Username, r.Email, r.Effect = row.name, row.email, row.name
			for range 2 {
				if got := e.register(r); strings.Join(got.Taken, " ") != row.taken || got.Subject != (flow.Subject{}) {
					t.Errorf("%s: %+v", row.name, got)
				}
				r.Username, r.Email = "another", "another@example.com"
			}
		}
		if n := e.number(`SELECT COUNT(*) FROM users`); n != 8 || len(e.mail()) != 0 {
			t.Errorf("%d accounts", n)
		}
	})
	t.Run("it may have neither address nor password", func(t *testing.T) {
		e := newEstate(t, open)
		for _, name := range []string{"one", "two"} {
			r := directory.Registration{Env: env, Username: name, Opening: directory.Usable}
			if got := e.register(r); got.Subject.ID == "" {
				t.Errorf("%+v", got)
			}
		}
		r := enrollee(directory.Deferred)
		r.Email = ""
		if got := e.register(r); got.Fault != "email" {
			t.Errorf("%+v", got)
		}
		r = enrollee(directory.Mailed)
		r.Password = ""
		if got := e.register(r); !slices.Equal(got.Unsatisfied, []string{"length"}) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a profile that is none is a fault, and what it says is no password", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.ExcludesProfileData = true
		r := enrollee(directory.Usable)
		r.Profile = []byte(`[]`)
		if got := e.register(r); got.Fault != "profile" {
			t.Errorf("%+v", got)
		}
		r.Profile, r.Password = []byte(`{"nickname":"The Newcomer"}`), "the newcomer"
		if got := e.register(r); !slices.Equal(got.Unsatisfied, []string{"excludesProfileData"}) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("of many at once one gets the address, and the others are told", func(t *testing.T) {
		e := newEstate(t, open)
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for n := range 12 {
			wg.Go(func() {
				r := enrollee(directory.Usable)
				r.Username += string(rune('a' + n))
				got, err := e.Register(t.Context(), r)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, directory.ErrBusy):
				case err != nil:
					t.Error(err)
				case got.Subject.ID != "":
					made++
				case !slices.Equal(got.Taken, []string{"email"}):
					t.Errorf("%+v", got)
				}
			})
		}
		wg.Wait()
		if made != 1 {
			t.Errorf("%d made", made)
		}
	})
}
