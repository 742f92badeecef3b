package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func newcomer() directory.Registration {
	return directory.Registration{
		Env: env, Population: "p1", Username: "Newcomer", Email: " New.Comer@Example.com ", Given: "Nina", Family: "O'Comer",
		Locales: "de-AT,de;q=0.9", Password: newPassword, Flow: "f1",
	}
}

func (e *estate) register(r directory.Registration) directory.Registered {
	e.t.Helper()
	got, err := e.Register(e.t.Context(), r)
	if err != nil {
		e.t.Fatal(err)
	}
	return got
}

func testRegistration(t *testing.T, open opener) {
	t.Run("makes an account and mails its code", func(t *testing.T) {
		e := newEstate(t, open)
		r := newcomer()
		r.Effect = "e"
		got := e.register(r)
		want := directory.User{
			Env: env, ID: got.Subject.ID, Username: "Newcomer", Population: "p1", Enabled: true, Email: "New.Comer@Example.com",
			Given: "Nina", Family: "O'Comer", PreferredLanguage: "de-AT,de;q=0.9", Unverified: true, Profile: []byte("{}"),
			PasswordChangedAt: e.now.Now(), CreatedAt: e.now.Now(), UpdatedAt: e.now.Now(),
		}
		if u, err := e.users.Get(t.Context(), env, got.Subject.ID); err != nil || got.Subject != u.Subject() || !cmp.Equal(u, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, u))
		}
		m := e.one()
		if m.Template != "verification" || m.To != "New.Comer@Example.com" || m.Flow != "f1" || m.Locales != "de-AT,de;q=0.9" ||
			m.Params["username"] != "Newcomer" || m.Params["given"] != "Nina" || m.ExpiresAt.Sub(m.CreatedAt) != 24*time.Hour {
			t.Errorf("%+v", m)
		}
		if again := e.register(r); again.Subject != got.Subject || len(e.mail()) != 0 {
			t.Errorf("the same effect again: %+v", again)
		}
		if v := e.signOn("newcomer", newPassword); v.Result != directory.Refused {
			t.Errorf("before the address is verified: %+v", v)
		}
		v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: got.Subject.ID, Code: m.Params["code"], Effect: "v"})
		if err != nil || !v.OK {
			t.Errorf("%+v %v", v, err)
		}
		if v := e.signOn("newcomer", newPassword); v.Result != accepted || v.Unverified {
			t.Errorf("once it is: %+v", v)
		}
	})
	t.Run("a recovery opens an account that was never verified", func(t *testing.T) {
		e := newEstate(t, open)
		e.ids["newcomer"] = e.register(newcomer()).Subject.ID
		e.mail()
		code := e.forgot("newcomer").Params["code"]
		const next = "Third-Right-Horse-3"
		if got := e.recover(directory.Recovering{Username: "newcomer", Code: code, Password: next}); got.Result != directory.Done {
			t.Fatalf("%+v", got)
		}
		if v := e.signOn("newcomer", next); v.Result != accepted || v.Unverified {
			t.Errorf("%+v", v)
		}
	})
	t.Run("changes no password before it is verified, also by the right one", func(t *testing.T) {
		e := newEstate(t, open)
		id := e.register(newcomer()).Subject.ID
		for _, next := range []string{"short", "Third-Right-Horse-3"} {
			if got := e.change(directory.Change{UserID: id, Current: newPassword, Password: next}); got.Result != directory.WrongPassword {
				t.Errorf("to %q: %+v", next, got)
			}
		}
	})
	t.Run("tells nobody what is taken", func(t *testing.T) {
		e := newEstate(t, open)
		asks := []struct {
			label, name, email string
			template, to       string
			mails              string // username that the mail names
		}{
			{"free", "free", "free@example.com", "verification", "free@example.com", "free"},
			{"name", "ADA", "other@example.com", "registration.nameTaken", "other@example.com", "ADA"},
			{"address", "free2", "ADA@example.com", "registration.exists", "ada@example.com", "ada"},
			{"both", "bea", "ada@example.com", "registration.exists", "ada@example.com", "ada"},
			{"unverified address", "free3", "unverified@EXAMPLE.com", "registration.exists", "unverified@example.com", "unverified"},
			{"disabled address", "free4", "disabled@example.com", "registration.exists", "disabled@example.com", "disabled"},
		}
		var labels []string
		got := map[string]directory.Registered{}
		for _, row := range asks {
			labels = append(labels, row.label)
		}
		before := rows(t, e.db, "users")
		e.sameShape(labels, func(label string) {
			row := asks[slices.Index(labels, label)]
			r := newcomer()
			r.Username, r.Email, r.Effect = row.name, row.email, e.effect()
			got[label] = e.register(r)
			e.now.Move(time.Millisecond)
		})
		if n := rows(t, e.db, "users") - before; n != 1 {
			t.Errorf("%d accounts were made", n)
		}
		for i, m := range e.mail() {
			row := asks[i]
			if m.Template != row.template || m.To != row.to || m.Params["username"] != row.mails {
				t.Errorf("%s: %s to %s, of %s", row.label, m.Template, m.To, m.Params["username"])
			}
			if (got[row.label].Subject.ID != "") != (row.label == "free") || got[row.label].Fault != "" || got[row.label].Unsatisfied != nil {
				t.Errorf("%s: %+v", row.label, got[row.label])
			}
		}
	})
	t.Run("a refused effect is refused again", func(t *testing.T) {
		e := newEstate(t, open)
		r := newcomer()
		r.Username, r.Effect = "ada", "e"
		for range 2 {
			if got := e.register(r); got.Subject != (flow.Subject{}) {
				t.Errorf("%+v", got)
			}
		}
		if n := len(e.mail()); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
	t.Run("languages that are no list of languages are not kept", func(t *testing.T) {
		e := newEstate(t, open)
		for n, locales := range []string{"de\r\nBcc: x", "de\x00", strings.Repeat("de,", 100)} {
			r := newcomer()
			r.Username, r.Email, r.Locales = fmt.Sprint("user", n), fmt.Sprint(n, "@example.com"), locales
			u, err := e.users.Get(t.Context(), env, e.register(r).Subject.ID)
			if m := e.one(); err != nil || m.Locales != "" || u.PreferredLanguage != "" {
				t.Errorf("%q: %q, %q, %v", locales, m.Locales, u.PreferredLanguage, err)
			}
		}
	})
	testRegistrationLimits(t, open)
	t.Run("of several users of an address, whose it is verified is told", func(t *testing.T) {
		e := newEstate(t, open)
		e.now.Move(time.Minute)
		if _, err := e.users.Create(t.Context(), directory.User{Env: env, Username: "late", Population: "p1", Email: "late@example.com", EmailVerified: true}, oldPassword, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := e.users.Update(t.Context(), env, e.ids["bea"], func(u *directory.User) error { u.Email = "Late@example.com"; return nil }); err != nil {
			t.Fatal(err)
		}
		r := newcomer()
		r.Email = "late@example.com"
		for template, ask := range map[string]func(){
			"registration.exists": func() { e.register(r) },
			"address.taken":       func() { e.propose("ada", directory.MailAddress, r.Email) },
		} {
			ask()
			if m := e.one(); m.Template != template || m.To != "late@example.com" || m.Params["username"] != "late" {
				t.Errorf("%s to %s, of %s", m.Template, m.To, m.Params["username"])
			}
		}
	})
}

func testRegistrationLimits(t *testing.T, open opener) {
	t.Run("an address gets few notices an hour", func(t *testing.T) {
		e := newEstate(t, open)
		told := func() (n int) {
			for _, name := range []string{"ada", "free"} { // once as a taken name, once as a taken address
				for range 4 {
					r := newcomer()
					r.Username, r.Email = name, "Bea@example.com"
					e.register(r)
				}
			}
			for _, m := range e.mail() {
				if m.To != "" {
					n++
				}
			}
			return n
		}
		if n := told(); n != 3 {
			t.Errorf("%d notices", n)
		}
		e.now.Move(time.Hour)
		if n := told(); n != 3 {
			t.Errorf("%d notices in the next hour", n)
		}
	})
	t.Run("what cannot be a value is named, and nothing is written", func(t *testing.T) {
		e := newEstate(t, open)
		for want, spoil := range map[string]func(*directory.Registration){
			"username":    func(r *directory.Registration) { r.Username = " ada" },
			"email":       func(r *directory.Registration) { r.Email = "Ada <ada@example.com>" },
			"name.given":  func(r *directory.Registration) { r.Given = "a\u202eb" },
			"name.family": func(r *directory.Registration) { r.Family = "<b>" },
		} {
			r := newcomer()
			spoil(&r)
			got := e.shape(func() {
				if got := e.register(r); got.Fault != want {
					t.Errorf("%s: %+v", want, got)
				}
			})
			if len(got) != 3 {
				t.Errorf("%s: %q", want, got)
			}
		}
		r := newcomer()
		r.Given = strings.Repeat("x", 257)
		if got := e.register(r); got.Fault != "name.given" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a password that breaks rules writes nothing, whoever has the name", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.ExcludesProfileData = true
		for _, name := range []string{"ada", "longernewcomer"} {
			for password, want := range map[string]string{
				"short": "length", "NEW.COMER": "excludesProfileData", "new.comer@example.com": "excludesProfileData",
				"Longername": "excludesProfileData", "O'Longername": "excludesProfileData",
			} {
				r := newcomer()
				r.Username, r.Password, r.Given, r.Family = name, password, "Longername", "O'Longername"
				got := e.shape(func() {
					if got := e.register(r); strings.Join(got.Unsatisfied, " ") != want || got.Subject.ID != "" {
						t.Errorf("%s, %s: %+v", name, password, got)
					}
				})
				if len(got) != 3 {
					t.Errorf("%s, %s: %q", name, password, got)
				}
			}
		}
	})
	t.Run("what looks like a hash is a password", func(t *testing.T) {
		e := newEstate(t, open)
		r := newcomer()
		r.Password = "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
		got := e.register(r)
		v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: got.Subject.ID, Code: e.one().Params["code"]})
		if err != nil || !v.OK {
			t.Fatal(v, err)
		}
		if v := e.signOn("newcomer", r.Password); v.Result != accepted {
			t.Errorf("%+v", v)
		}
	})
	t.Run("of many at once one gets the address", func(t *testing.T) {
		e := newEstate(t, open)
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for n := range 12 {
			wg.Go(func() {
				r := newcomer()
				r.Username += string(rune('a' + n))
				got, err := e.Register(t.Context(), r)
				if err != nil && !errors.Is(err, directory.ErrBusy) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got.Subject.ID != "" {
					made++
				}
			})
		}
		wg.Wait()
		if made != 1 || e.number(`SELECT COUNT(*) FROM users WHERE email_key = 'new.comer@example.com'`) != 1 {
			t.Errorf("%d made", made)
		}
	})
}
