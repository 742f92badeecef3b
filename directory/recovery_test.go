package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/directory"
)

func testRecovery(t *testing.T, open opener) {
	t.Run("mails a code that sets a password once", func(t *testing.T) {
		e := newEstate(t, open)
		m := e.forgot("ada")
		if m.Locales != "de,en" || m.Flow != "f" || m.Params["username"] != "ada" || m.Params["given"] != "Ada" || m.ExpiresAt.Sub(m.CreatedAt) != 5*time.Minute {
			t.Errorf("%+v", m)
		}
		e.now.Move(time.Minute)
		at := e.now.Now().Add(-time.Second)
		r := directory.Recovering{UserID: e.ids["ada"], Username: "ada", Code: m.Params["code"], Password: newPassword, Effect: "e", At: at}
		want := directory.Changed{Result: directory.Done, Subject: e.user("ada").Subject(), Address: "ada@example.com"}
		for range 2 { // the same effect again is told the same
			if got := e.recover(r); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%+v", got)
			}
		}
		if notice := e.one(); notice.Template != "password.changed" || notice.To != "ada@example.com" || notice.Locales != "de" || notice.Params["code"] != "" {
			t.Errorf("%+v", notice)
		}
		if e.signOn("ada", oldPassword).Result != refused || e.signOn("ada", newPassword).Result != accepted {
			t.Error("the password is another")
		}
		if u := e.user("ada"); !u.PasswordChangedAt.Equal(at) || !u.EmailVerified {
			t.Errorf("%+v", u)
		}
		r.Effect = ""
		if got := e.recover(r); got.Result != directory.WrongCode {
			t.Errorf("the code again: %+v", got)
		}
	})
	t.Run("a code may be typed as one likes", func(t *testing.T) {
		for _, spell := range []func(string) string{
			strings.ToLower,
			func(c string) string { return c[:4] + "-" + c[4:] },
			func(c string) string { return " " + c[:2] + "\u00a0" + c[2:5] + "\u2013" + c[5:] + "\t" },
		} {
			e := newEstate(t, open)
			code := spell(e.forgot("ada").Params["code"])
			if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != directory.Done {
				t.Errorf("%q: %+v", code, got)
			}
		}
	})
	t.Run("a code is good for five minutes by our clock", func(t *testing.T) {
		for after, want := range map[time.Duration]directory.ChangeResult{299 * time.Second: directory.Done, 300 * time.Second: directory.WrongCode, 301 * time.Second: directory.WrongCode} {
			e := newEstate(t, open)
			code := e.forgot("ada").Params["code"]
			e.now.Move(after)
			if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}); got.Result != want {
				t.Errorf("after %v: %+v", after, got)
			}
		}
	})
	testRecoveryTries(t, open)
	testRecoveryLimits(t, open)
	testRecoveryOthers(t, open)
}

func testRecoveryTries(t *testing.T, open opener) {
	guess := func(e *estate, code string) directory.ChangeResult {
		e.t.Helper()
		return e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword}).Result
	}
	t.Run("the fifth wrong try voids the code, and a new one starts again", func(t *testing.T) {
		e := newEstate(t, open)
		for _, wrong := range []int{4, 5} {
			code := e.forgot("ada").Params["code"]
			for range wrong {
				if got := guess(e, "WRONGWRO"); got != directory.WrongCode {
					t.Error(got)
				}
			}
			if got := guess(e, code); (got == directory.Done) != (wrong == 4) {
				t.Errorf("after %d: %v", wrong, got)
			}
			e.mail()
		}
		if got := guess(e, e.forgot("ada").Params["code"]); got != directory.Done {
			t.Errorf("the next code: %v", got)
		}
	})
	t.Run("a repeated effect counts once and is told the same", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		for range 10 {
			e.recover(directory.Recovering{Username: "ada", Code: "WRONGWRO", Password: newPassword, Effect: "e"})
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: newPassword, Effect: "e"}); got.Result != directory.WrongCode {
			t.Errorf("the effect of a wrong code is %+v", got)
		}
		if got := guess(e, code); got != directory.Done {
			t.Error(got)
		}
	})
	t.Run("a right code with a bad password stays good and costs no try", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		for range 8 {
			got := e.recover(directory.Recovering{Username: "ada", Code: code, Password: "short"})
			if got.Result != directory.Unsatisfying || !slices.Equal(got.Unsatisfied, []string{"length"}) {
				t.Errorf("%+v", got)
			}
		}
		same := directory.Recovering{Username: "ada", Code: code, Password: "short", Effect: "e"}
		e.recover(same)
		e.policy.MinLength = 1
		if got := e.recover(same); got.Result != directory.Unsatisfying || !slices.Equal(got.Unsatisfied, []string{"length"}) {
			t.Errorf("the same effect again: %+v", got)
		}
		if got := guess(e, code); got != directory.Done {
			t.Error(got)
		}
	})
	t.Run("a wrong code is told before a bad password", func(t *testing.T) {
		e := newEstate(t, open)
		e.policy.ExcludesProfileData = true
		e.forgot("ada")
		if got := e.recover(directory.Recovering{Username: "ada", Code: "WRONGWRO", Password: "ada@example.com"}); got.Result != directory.WrongCode {
			t.Errorf("%+v", got)
		}
	})
}

func testRecoveryLimits(t *testing.T, open opener) {
	t.Run("an account gets five codes, and then none for an hour", func(t *testing.T) {
		e := newEstate(t, open)
		var last string
		for n := range 8 {
			m := e.forgot("ada")
			if (m.To != "") != (n < 5) {
				t.Errorf("code %d went to %q", n+1, m.To)
			}
			if n == 4 {
				last = m.Params["code"]
			}
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: last, Password: newPassword}); got.Result != directory.Done {
			t.Errorf("the last code that was mailed: %+v", got)
		}
		e.mail()
		e.now.Move(59 * time.Minute)
		if m := e.forgot("ada"); m.To != "" {
			t.Error("the hour is not over")
		}
		e.now.Move(time.Minute)
		if m := e.forgot("ada"); m.To == "" {
			t.Error("the hour is over")
		}
	})
	t.Run("no hour has more, however they are spread", func(t *testing.T) {
		e := newEstate(t, open)
		var sent []time.Time
		for range 300 {
			if e.forgot("ada").To != "" {
				sent = append(sent, e.now.Now())
			}
			e.now.Move(7 * time.Minute)
		}
		for i := 5; i < len(sent); i++ {
			if sent[i].Sub(sent[i-5]) < time.Hour {
				t.Fatalf("six codes from %v to %v", sent[i-5], sent[i])
			}
		}
		if len(sent) < 50 {
			t.Errorf("only %d codes in %v", len(sent), 300*7*time.Minute)
		}
	})
	t.Run("both kinds of codes count together", func(t *testing.T) {
		e := newEstate(t, open)
		for range 3 {
			e.forgot("unverified")
		}
		to := 0
		for range 5 {
			if _, err := e.SendVerification(t.Context(), directory.Send{Env: env, UserID: e.ids["unverified"]}); err != nil {
				t.Fatal(err)
			}
			if e.one().To != "" {
				to++
			}
		}
		if to != 2 {
			t.Errorf("%d more codes", to)
		}
	})
	t.Run("a repeated effect sends once", func(t *testing.T) {
		e := newEstate(t, open)
		for _, name := range []string{"ada", "nobody"} {
			for range 3 {
				id, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: name, Effect: "e" + name})
				if err != nil || id != e.ids[name] {
					t.Errorf("%q %v", id, err)
				}
			}
			e.one()
		}
	})
}
