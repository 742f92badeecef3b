package directory_test

import (
	"errors"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// sendTo asks for a verification code and returns it, and where it went.
func (e *estate) sendTo(name string) (code, to string) {
	e.t.Helper()
	address, err := e.SendVerification(e.t.Context(), directory.Send{Env: env, UserID: e.ids[name], Locales: "en", Flow: "f", Effect: e.effect()})
	if err != nil {
		e.t.Fatal(err)
	}
	m := e.one()
	if m.To != "" && m.To != address || m.Template != "verification" || m.Flow != "f" {
		e.t.Errorf("address %q: %+v", address, m)
	}
	return m.Params["code"], m.To
}

func (e *estate) verify(name, code string) directory.Verified {
	e.t.Helper()
	v, err := e.Verify(e.t.Context(), directory.Verification{Env: env, UserID: e.ids[name], Code: code, Effect: e.effect()})
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

var errNoSeal = errors.New("nothing is sealed")

// noSeal is a ring that fails a message.
type noSeal struct{ directory.Ring }

func (noSeal) Seal([]byte, string, string) ([]byte, error) { return nil, errNoSeal }

func testVerification(t *testing.T, open opener) {
	t.Run("comes with the account, or neither does", func(t *testing.T) {
		e := newEstate(t, open)
		of := func(name string) directory.User {
			return directory.User{Env: env, Username: name, Email: name + "@example.com", PreferredLanguage: "de", Enabled: true, Unverified: true}
		}
		made, err := e.Create(t.Context(), of("new"), oldPassword)
		m := e.one()
		if err != nil || m.Template != "verification" || m.To != "new@example.com" || m.Locales != "de" || m.Params["username"] != "new" {
			t.Fatalf("%+v %v", m, err)
		}
		e.ids["new"] = made.ID
		if !e.verify("new", m.Params["code"]).OK || e.signOn("new", oldPassword).Result != accepted {
			t.Error("the code or the password is not taken")
		}
		sealless := directory.NewAccounts(e.db, directory.NewHasher(cheap(), 1, e.now.Now), noSeal{newRing()}, lock5, e.now.Now)
		if _, err := sealless.Create(t.Context(), of("half"), oldPassword); !errors.Is(err, errNoSeal) {
			t.Errorf("without a mail: %v", err)
		}
		if _, err := e.users.Find(t.Context(), env, "username", "half"); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("half an account: %v", err)
		}
		off := of("off")
		off.Enabled = false
		if _, err := e.Create(t.Context(), off, oldPassword); err != nil || len(e.mail()) != 0 {
			t.Errorf("somebody who is disabled: %v, and a mail", err)
		}
	})
	t.Run("takes the code once", func(t *testing.T) {
		e := newEstate(t, open)
		code, to := e.sendTo("unverified")
		if to != "unverified@example.com" {
			t.Errorf("sent to %q", to)
		}
		for range 2 {
			v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: e.ids["unverified"], Code: code, Effect: "e"})
			if err != nil || !v.OK || v.Subject != e.user("unverified").Subject() {
				t.Errorf("%+v %v", v, err)
			}
		}
		if u := e.user("unverified"); u.Unverified || !u.EmailVerified {
			t.Errorf("%+v", u)
		}
		e.do(`UPDATE users SET unverified = TRUE`)
		if v := e.verify("unverified", code); v.OK {
			t.Error("the code again")
		}
		e.do(`UPDATE users SET unverified = FALSE`)
		if _, to := e.sendTo("unverified"); to != "" {
			t.Error("a code for what is verified")
		}
	})
	t.Run("mail goes to who has something to verify", func(t *testing.T) {
		e := newEstate(t, open)
		for _, name := range everybody() {
			if _, to := e.sendTo(name); (to != "") != (name == "unverified") {
				t.Errorf("%s: sent to %q", name, to)
			}
		}
	})
	t.Run("the fifth wrong try voids the code, and a new one voids the old", func(t *testing.T) {
		for wrong, want := range map[int]bool{4: true, 5: false} {
			e := newEstate(t, open)
			old, _ := e.sendTo("unverified")
			code, _ := e.sendTo("unverified")
			for n := range wrong {
				if v := e.verify("unverified", map[bool]string{true: old, false: "WRONGWRO"}[n == 0]); v.OK {
					t.Error("a wrong code")
				}
			}
			if v := e.verify("unverified", code); v.OK != want {
				t.Errorf("after %d: %+v", wrong, v)
			}
		}
	})
	t.Run("a code is good for a day", func(t *testing.T) {
		for after, want := range map[time.Duration]bool{24*time.Hour - time.Second: true, 24 * time.Hour: false} {
			e := newEstate(t, open)
			code, _ := e.sendTo("unverified")
			e.now.Move(after)
			if v := e.verify("unverified", code); v.OK != want {
				t.Errorf("after %v: %+v", after, v)
			}
		}
	})
	t.Run("nobody's code is never right", func(t *testing.T) {
		e := newEstate(t, open)
		code, to := e.sendTo("nobody")
		if v := e.verify("nobody", code); v.OK || to != "" {
			t.Errorf("%+v, sent to %q", v, to)
		}
		r := newcomer()
		r.Username = "ada"
		e.register(r)
		if v := e.verify("nobody", e.one().Params["code"]); v.OK {
			t.Errorf("%+v", v)
		}
	})
	t.Run("does not help who was locked or disabled since, nor another address", func(t *testing.T) {
		for name, stop := range map[string]string{
			"locked": `UPDATE users SET locked_at = 1`, "disabled": `UPDATE users SET enabled = FALSE`, "moved": `UPDATE users SET email = 'm@example.com'`,
		} {
			e := newEstate(t, open)
			code, _ := e.sendTo("unverified")
			e.do(stop)
			if v := e.verify("unverified", code); v.OK || !e.user("unverified").Unverified {
				t.Errorf("%s: %+v", name, v)
			}
		}
	})
}
