package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testRecoveryOthers(t *testing.T, open opener) {
	t.Run("a code is of one account, address, purpose and environment", func(t *testing.T) {
		e := newEstate(t, open)
		ada, bea := e.forgot("ada").Params["code"], e.forgot("bea").Params["code"]
		for name, code := range map[string]string{"ada": bea, "bea": ada, "nobody": ada} {
			if got := e.recover(directory.Recovering{Username: name, Code: code, Password: newPassword}); got.Result != directory.WrongCode {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got, err := e.Recover(t.Context(), directory.Recovering{Env: "other", Username: "ada", Code: ada, Password: newPassword}); err != nil || got.Result != directory.WrongCode {
			t.Errorf("elsewhere: %+v %v", got, err)
		}
		if v, err := e.Verify(t.Context(), directory.Verification{Env: env, UserID: e.ids["ada"], Code: ada}); err != nil || v.OK {
			t.Errorf("as a verification: %+v %v", v, err)
		}
		e.do(`UPDATE users SET email = 'mallory@example.com' WHERE username = 'ada'`)
		if got := e.recover(directory.Recovering{Username: "ada", Code: ada, Password: newPassword}); got.Result != directory.WrongCode {
			t.Errorf("after the address became another: %+v", got)
		}
		e.do(`UPDATE users SET email = 'ada@example.com' WHERE username = 'ada'`)
		other := e.forgot("unverified").Params["code"]
		e.do(`UPDATE secret_codes SET purpose = 'verification' WHERE account = '` + e.ids["unverified"] + `'`)
		if v := e.verify("unverified", other); v.OK {
			t.Error("as another purpose's")
		}
		if got := e.recover(directory.Recovering{UserID: e.ids["ada"], Code: ada, Password: newPassword}); got.Result != directory.Done {
			t.Errorf("its own: %+v", got)
		}
	})
	t.Run("lifts a lock by wrong passwords", func(t *testing.T) {
		e := newEstate(t, open)
		for range 5 {
			e.signOn("ada", "wrong")
		}
		e.recover(directory.Recovering{Username: "ada", Code: e.forgot("ada").Params["code"], Password: newPassword})
		if v := e.signOn("ada", newPassword); v.Result != accepted {
			t.Errorf("%+v", v)
		}
	})
	t.Run("does not help who was locked or disabled since", func(t *testing.T) {
		for name, stop := range map[string]func(e *estate) error{
			"locked":   func(e *estate) error { return e.users.Lock(t.Context(), env, e.ids["ada"], time.Time{}) },
			"disabled": func(e *estate) error { return e.users.SetEnabled(t.Context(), env, e.ids["ada"], false) },
		} {
			e := newEstate(t, open)
			code := e.forgot("ada").Params["code"]
			if err := stop(e); err != nil {
				t.Fatal(err)
			}
			if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != directory.NotAllowed || got.Subject != (flow.Subject{}) {
				t.Errorf("%s: %+v", name, got)
			}
			if e.number(`SELECT COUNT(*) FROM users WHERE credentials_since > 0`) != 0 {
				t.Errorf("%s: the password was set", name)
			}
		}
	})
	t.Run("verifies the address that the code went to", func(t *testing.T) {
		e := newEstate(t, open)
		got := e.recover(directory.Recovering{Username: "unverified", Code: e.forgot("unverified").Params["code"], Password: newPassword})
		if u := e.user("unverified"); got.Result != directory.Done || got.Unverified || u.Unverified || !u.EmailVerified {
			t.Errorf("%+v %+v", got, u)
		}
	})
	testRecoveryMeanwhile(t, open)
	t.Run("a store that fails changes nothing", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		r := directory.Recovering{Env: env, Username: "ada", Code: code, Password: newPassword}
		for _, word := range []string{"SELECT", "BEGIN", "INSERT INTO secret_codes", "UPDATE secret_codes", "UPDATE users", "INSERT INTO outbox", "COMMIT"} {
			e.count.fail.Store(&word)
			_, err := e.Recover(t.Context(), r)
			_, errStart := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "ada"})
			e.count.fail.Store(nil)
			if !errors.Is(err, errDisk) || !errors.Is(errStart, errDisk) && !strings.HasPrefix(word, "UPDATE") {
				t.Errorf("failing %s: %v, %v", word, err, errStart)
			}
			if errStart == nil {
				r.Code = e.one().Params["code"]
			}
		}
		if got := e.recover(r); got.Result != directory.Done {
			t.Errorf("%+v", got)
		}
	})
}

func testRecoveryMeanwhile(t *testing.T, open opener) {
	// tried recovers while something happens, as from another process, between the
	// judgement of the code and its use.
	tried := func(e *estate, code string, meanwhile func()) (directory.Changed, error) {
		e.t.Helper()
		slow := directory.NewHasher(cheap(), 1, func() time.Time { meanwhile(); return e.now.Now() })
		a := directory.NewAccounts(e.db, slow, newRing(), lock5, e.now.Now)
		return a.Recover(e.t.Context(), directory.Recovering{Env: env, Username: "ada", Code: code, Password: newPassword})
	}
	t.Run("a code that is voided or used meanwhile is wrong", func(t *testing.T) {
		for name, meanwhile := range map[string]func(e *estate, code string){
			"voided": func(e *estate, _ string) { e.forgot("ada") },
			"used": func(e *estate, code string) {
				e.recover(directory.Recovering{Username: "ada", Code: code, Password: "Another-Password-3"})
			},
		} {
			e := newEstate(t, open)
			code := e.forgot("ada").Params["code"]
			if got, err := tried(e, code, func() { meanwhile(e, code) }); err != nil || got.Result != directory.WrongCode {
				t.Errorf("%s: %+v %v", name, got, err)
			}
			if v := e.signOn("ada", newPassword); v.Result != refused {
				t.Errorf("%s: the password was set", name)
			}
		}
	})
	t.Run("an address that becomes another meanwhile is not verified", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		got, err := tried(e, code, func() { e.do(`UPDATE users SET email = 'mallory@example.com' WHERE username = 'ada'`) })
		if err == nil || got.Result != "" || e.user("ada").EmailVerified || e.signOn("ada", newPassword).Result != refused {
			t.Errorf("%+v %v", got, err)
		}
	})
}
