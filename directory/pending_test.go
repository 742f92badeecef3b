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
)

func (e *estate) propose(name string, kind directory.AddressKind, address string) directory.Proposed {
	e.t.Helper()
	got, err := e.Propose(e.t.Context(), directory.Proposal{Env: env, UserID: e.ids[name], Session: "s", Kind: kind, Address: address, Locales: "en", Effect: e.effect()})
	if err != nil {
		e.t.Fatal(err)
	}
	return got
}

func (e *estate) prove(name, session string, kind directory.AddressKind, code string) bool {
	e.t.Helper()
	ok, err := e.Prove(e.t.Context(), directory.AddressProof{Env: env, UserID: e.ids[name], Session: session, Kind: kind, Code: code, Effect: e.effect()})
	if err != nil {
		e.t.Fatal(err)
	}
	return ok
}

const (
	next   = "Ada@New.example"
	mobile = "+49 30 123-456 78"
)

func testAddresses(t *testing.T, open opener) {
	testNewMail(t, open)
	testNewPhone(t, open)
	testProofs(t, open)
	testProposals(t, open)
	testTakenAddresses(t, open)
	t.Run("of people who are gone go along", func(t *testing.T) {
		e := newEstate(t, open)
		e.propose("ada", directory.MailAddress, next)
		if err := e.users.Delete(t.Context(), env, e.ids["ada"]); err != nil || rows(t, e.db, "pending_addresses") != 0 {
			t.Error("left", err)
		}
		if _, err := e.Propose(t.Context(), directory.Proposal{Env: env, UserID: e.ids["ada"], Kind: directory.MailAddress, Address: next}); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
		e.propose("bea", directory.MailAddress, next)
		e.now.Move(31 * time.Minute)
		if _, err := e.db.Sweep(t.Context()); err != nil || rows(t, e.db, "pending_addresses") != 0 {
			t.Error("left", err)
		}
	})
}

func testNewMail(t *testing.T, open opener) {
	t.Run("a new mail address waits, is proven, and takes the place of the old one", func(t *testing.T) {
		e := newEstate(t, open)
		recovery := e.forgot("ada").Params["code"]
		if got := e.propose("ada", directory.MailAddress, " "+next+" "); got != directory.ProposalWaits {
			t.Fatal(got)
		}
		m := e.one()
		if m.Template != "address.verify" || m.To != next || m.Locales != "de,en" || m.ExpiresAt.Sub(m.CreatedAt) != 30*time.Minute || len(m.Params) != 1 {
			t.Errorf("%+v", m)
		}
		if p, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); err != nil || p.Address != next || p.Session != "s" || !p.ExpiresAt.Equal(m.ExpiresAt) {
			t.Errorf("%+v %v", p, err)
		}
		if u := e.user("ada"); u.Email != "ada@example.com" {
			t.Errorf("before it is proven it is %s", u.Email)
		}
		e.now.Move(time.Minute)
		for range 2 { // the same effect again is told the same
			ok, err := e.Prove(t.Context(), directory.AddressProof{Env: env, UserID: e.ids["ada"], Session: "s", Kind: directory.MailAddress, Code: strings.ToLower(m.Params["code"]), Effect: "e"})
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		if u := e.user("ada"); u.Email != next || !u.EmailVerified || u.Unverified || !u.UpdatedAt.Equal(e.now.Now()) {
			t.Errorf("%+v", u)
		}
		if notice := e.one(); notice.Template != "email.changed" || notice.To != "ada@example.com" || notice.Locales != "de" || notice.Params["username"] != "ada" || notice.Params["code"] != "" {
			t.Errorf("%+v", notice)
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: recovery, Password: newPassword}); got.Result != directory.WrongCode {
			t.Errorf("a code for the address before: %+v", got)
		}
		if m := e.forgot("ada"); m.To != next {
			t.Errorf("recovery goes to %s", m.To)
		}
		if e.prove("ada", "s", directory.MailAddress, m.Params["code"]) {
			t.Error("the code again")
		}
		if _, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("one that an administrator gives is told where the one before was verified", func(t *testing.T) {
		e := newEstate(t, open)
		users := e.users.Telling(newRing())
		e.do(`UPDATE users SET email_verified = TRUE WHERE username <> 'unverified'`)
		for i, row := range []struct {
			name, address string
			told          bool
		}{{"ada", "ada@example.com", false}, {"ada", next, true}, {"ada", "", false}, {"unverified", next, false}, {"addressless", "x@new.example", false}} {
			_, err := users.Update(t.Context(), env, e.ids[row.name], func(u *directory.User) error { u.Email, u.Given = row.address, "Ada"; return nil })
			got := e.mail()
			if err != nil || len(got) > 1 || (len(got) == 1) != row.told || row.told && (got[0].Template != "email.changed" || got[0].To != "ada@example.com") {
				t.Errorf("%d: %+v %v", i, got, err)
			}
		}
	})
	t.Run("the address that there is is proven, and nobody told", func(t *testing.T) {
		e := newEstate(t, open)
		for _, want := range []directory.Proposed{directory.ProposalWaits, directory.ProposalKnown} {
			if got := e.propose("unverified", directory.MailAddress, "unverified@example.com"); got != want {
				t.Fatal(got)
			}
			if want == directory.ProposalWaits && !e.prove("unverified", "s", directory.MailAddress, e.one().Params["code"]) {
				t.Error("not proven")
			}
		}
		if u := e.user("unverified"); !u.EmailVerified || u.Unverified || len(e.mail()) != 0 {
			t.Errorf("%+v", u)
		}
	})
	t.Run("somebody without an address gets one, and nobody is told", func(t *testing.T) {
		e := newEstate(t, open)
		e.propose("addressless", directory.MailAddress, next)
		if !e.prove("addressless", "s", directory.MailAddress, e.one().Params["code"]) || e.user("addressless").Email != next || len(e.mail()) != 0 {
			t.Errorf("%+v", e.user("addressless"))
		}
	})
}

func testNewPhone(t *testing.T, open opener) {
	t.Run("a new number is proven by SMS, and removed", func(t *testing.T) {
		e := newEstate(t, open)
		profile := func() string { return string(e.user("ada").Profile) }
		if _, err := e.users.Update(t.Context(), env, e.ids["ada"], func(u *directory.User) error { u.Profile = []byte(`{"title":"Countess"}`); return nil }); err != nil {
			t.Fatal(err)
		}
		recovery := e.forgot("ada").Params["code"]
		e.propose("ada", directory.PhoneNumber, mobile)
		m := e.one()
		if m.Template != "address.verify" || m.Channel != flow.SMS || m.To != "+493012345678" || len(m.Params["code"]) != 8 || strings.Trim(m.Params["code"], "0123456789") != "" {
			t.Errorf("%+v", m)
		}
		if !e.prove("ada", "s", directory.PhoneNumber, m.Params["code"]) || profile() != `{"mobilePhone":"+493012345678","title":"Countess"}` {
			t.Errorf("kept %s", profile())
		}
		if m := e.one(); m.Template != "phone.changed" || m.To != "ada@example.com" || m.Channel != flow.Email {
			t.Errorf("%+v", m)
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: recovery, Password: newPassword}); got.Result != directory.WrongCode {
			t.Errorf("a code of before the change: %+v", got)
		}
		if got := e.propose("ada", directory.PhoneNumber, mobile); got != directory.ProposalKnown {
			t.Error(got)
		}
		e.propose("ada", directory.PhoneNumber, "+15550100")
		e.mail()
		for _, want := range []bool{true, false} {
			if had, err := e.RemovePhone(t.Context(), env, e.ids["ada"]); err != nil || had != want || profile() != `{"title":"Countess"}` {
				t.Errorf("%v %v %s", had, err, profile())
			}
		}
		if m := e.one(); m.Template != "phone.removed" || rows(t, e.db, "pending_addresses") != 0 {
			t.Errorf("%+v", m)
		}
	})
	// A number that is proven or removed voids what was sent before, as an address does.
	for name, change := range map[string]func(e *estate){
		"proven": func(e *estate) {
			e.propose("ada", directory.PhoneNumber, mobile)
			if !e.prove("ada", "s", directory.PhoneNumber, e.mail()[0].Params["code"]) {
				e.t.Error("not proven")
			}
		},
		"removed": func(e *estate) {
			if had, err := e.RemovePhone(e.t.Context(), env, e.ids["ada"]); err != nil || !had {
				e.t.Error(had, err)
			}
		},
	} {
		t.Run("every other code is void once a number is "+name, func(t *testing.T) {
			e := newEstate(t, open)
			if _, err := e.users.Update(t.Context(), env, e.ids["ada"], func(u *directory.User) error { u.Profile = []byte(`{"mobilePhone":"+15550100"}`); return nil }); err != nil {
				t.Fatal(err)
			}
			recovery := e.forgot("ada").Params["code"]
			e.propose("ada", directory.MailAddress, next)
			mail := e.one().Params["code"]
			e.propose("bea", directory.MailAddress, "bea@new.example")
			others := e.one().Params["code"]
			change(e)
			if _, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("a new address waits: %v", err)
			}
			if got := e.recover(directory.Recovering{Username: "ada", Code: recovery, Password: newPassword}); got.Result != directory.WrongCode {
				t.Errorf("a new password is set: %+v", got)
			}
			if e.prove("ada", "s", directory.MailAddress, mail) {
				t.Error("a new address is proven")
			}
			if rows(t, e.db, "pending_addresses") != 1 || !e.prove("bea", "s", directory.MailAddress, others) {
				t.Error("somebody else's code is void")
			}
		})
	}
	t.Run("numbers may be shared", func(t *testing.T) {
		e := newEstate(t, open)
		for _, name := range []string{"ada", "bea"} {
			e.propose(name, directory.PhoneNumber, mobile)
			if !e.prove(name, "s", directory.PhoneNumber, e.mail()[0].Params["code"]) {
				t.Error(name)
			}
			e.mail()
		}
	})
}

func testProofs(t *testing.T, open opener) {
	t.Run("a code is good once, for its owner, in its session, for half an hour, for five tries", func(t *testing.T) {
		for name, tt := range map[string]struct {
			user, session string
			wrong         int
			after         time.Duration
			do            string
			want          bool
		}{
			"in its session":            {"ada", "s", 0, 0, "", true},
			"after four wrong ones":     {"ada", "s", 4, 0, "", true},
			"after five wrong ones":     {"ada", "s", 5, 0, "", false},
			"in the last second":        {"ada", "s", 0, 30*time.Minute - time.Second, "", true},
			"half an hour later":        {"ada", "s", 0, 30 * time.Minute, "", false},
			"in another session":        {"ada", "s2", 0, 0, "", false},
			"by another user":           {"bea", "s", 0, 0, "", false},
			"by nobody":                 {"nobody", "s", 0, 0, "", false},
			"of who was disabled since": {"ada", "s", 0, 0, `UPDATE users SET enabled = FALSE`, false},
			"of who was locked since":   {"ada", "s", 0, 0, `UPDATE users SET locked_at = 1`, false},
		} {
			e := newEstate(t, open)
			e.propose("ada", directory.MailAddress, next)
			code := e.one().Params["code"]
			e.propose("bea", directory.MailAddress, "bea@new.example")
			for range tt.wrong {
				if e.prove("ada", "s", directory.MailAddress, "WRONGWRO") {
					t.Error("a wrong code")
				}
			}
			for range 6 { // costs nothing here
				e.prove("ada", "s3", directory.MailAddress, "WRONGWRO")
			}
			e.now.Move(tt.after)
			if tt.do != "" {
				e.do(tt.do)
			}
			if got := e.prove(tt.user, tt.session, directory.MailAddress, code); got != tt.want || (e.user("ada").Email == next) != tt.want {
				t.Errorf("%s: %v", name, got)
			}
			if _, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); errors.Is(err, flow.ErrUnknown) != (tt.want || tt.after >= 30*time.Minute) {
				t.Errorf("%s: %v waits", name, err)
			}
		}
	})
	t.Run("a code for one thing is none for another", func(t *testing.T) {
		e := newEstate(t, open)
		e.propose("ada", directory.MailAddress, next)
		mail := e.one().Params["code"]
		e.propose("ada", directory.PhoneNumber, mobile)
		phone := e.one().Params["code"]
		if e.prove("ada", "s", directory.MailAddress, phone) || e.prove("ada", "s", directory.PhoneNumber, mail) || e.verify("ada", mail).OK {
			t.Error("taken")
		}
		if got := e.recover(directory.Recovering{Username: "ada", Code: mail, Password: newPassword}); got.Result != directory.WrongCode {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a changed password, another proposal and a withdrawal make a code void", func(t *testing.T) {
		for name, do := range map[string]func(e *estate){
			"password": func(e *estate) {
				if got := e.change(directory.Change{UserID: e.ids["ada"], Current: oldPassword, Password: newPassword}); got.Result != directory.Done {
					t.Errorf("%+v", got)
				}
			},
			"proposal": func(e *estate) { e.propose("ada", directory.MailAddress, "third@new.example") },
			"withdrawal": func(e *estate) {
				for range 2 {
					if err := e.Withdraw(t.Context(), env, e.ids["ada"], directory.MailAddress); err != nil {
						t.Error(err)
					}
				}
			},
		} {
			e := newEstate(t, open)
			e.propose("ada", directory.MailAddress, next)
			code := e.one().Params["code"]
			do(e)
			if e.prove("ada", "s", directory.MailAddress, code) {
				t.Errorf("%s: taken", name)
			}
			if _, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); (err == nil) != (name == "proposal") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func testProposals(t *testing.T, open opener) {
	t.Run("what is no address is refused, and nothing sent", func(t *testing.T) {
		e := newEstate(t, open)
		for _, address := range []string{
			"", "ada", "ada@", "@new.example", "Ada <ada@new.example>", "ada@new.example\r\nBcc: eve@evil.example", "ada@new.example\x00", "a@b, c@d.example",
			"=?utf-8?q?x?=@new.example", "ada@[127.0.0.1]", strings.Repeat("a", 250) + "@new.example",
		} {
			if got := e.propose("ada", directory.MailAddress, address); got != directory.ProposalMalformed {
				t.Errorf("%q: %s", address, got)
			}
		}
		for _, number := range []string{"", "0301234567", "+0301234567", "+49", "+49301234567x1", "+4930123\r\n4567", "911", "+493012345678901234"} {
			if got := e.propose("ada", directory.PhoneNumber, number); got != directory.ProposalMalformed {
				t.Errorf("%q: %s", number, got)
			}
		}
		if n := len(e.mail()) + rows(t, e.db, "pending_addresses"); n != 0 {
			t.Error(n)
		}
	})
	t.Run("the same form sends once", func(t *testing.T) {
		e := newEstate(t, open)
		for range 3 {
			got, err := e.Propose(t.Context(), directory.Proposal{Env: env, UserID: e.ids["ada"], Session: "s", Kind: directory.MailAddress, Address: next, Effect: "e"})
			if err != nil || got != directory.ProposalWaits {
				t.Error(got, err)
			}
		}
		e.one()
	})
	t.Run("a person gets five an hour, and so does a destination", func(t *testing.T) {
		e := newEstate(t, open)
		for n := range 7 {
			want := map[bool]directory.Proposed{true: directory.ProposalWaits, false: directory.TooManyProposals}[n < 5]
			if got := e.propose("ada", directory.MailAddress, fmt.Sprint(n/4, next)); got != want {
				t.Errorf("%d: %s", n, got)
			}
		}
		if p, err := e.PendingAddress(t.Context(), env, e.ids["ada"], directory.MailAddress); err != nil || p.Address != "1"+next {
			t.Errorf("%+v %v", p, err)
		}
		e.mail()
		for name, address := range map[string]string{"bea": "ME@new.example", "unverified": "me@NEW.example"} {
			for range 5 {
				if got := e.propose(name, directory.MailAddress, address); got != directory.ProposalWaits {
					t.Error(got)
				}
			}
		}
		sent := slices.DeleteFunc(e.mail(), func(m flow.Message) bool { return m.To == "" })
		if len(sent) != 5 {
			t.Errorf("one mailbox got %d codes", len(sent))
		}
		e.now.Move(time.Hour)
		if got := e.propose("ada", directory.MailAddress, next); got != directory.ProposalWaits || e.one().To == "" {
			t.Error(got)
		}
	})
}

func testTakenAddresses(t *testing.T, open opener) {
	t.Run("nobody is told that an address is another's but its owner", func(t *testing.T) {
		e := newEstate(t, open)
		asks := []string{"free@new.example", "BEA@example.com", "disabled@example.com", "unverified@EXAMPLE.com"}
		e.sameShape(asks, func(address string) {
			if got := e.propose("ada", directory.MailAddress, address); got != directory.ProposalWaits {
				t.Errorf("%s: %s", address, got)
			}
			e.now.Move(time.Millisecond)
		})
		for i, m := range e.mail() {
			switch {
			case i == 0 && m.Template == "address.verify":
			case m.Template != "address.taken" || !strings.EqualFold(m.To, asks[i]) || m.Params["code"] != "" || m.Params["username"] == "ada" || strings.Contains(m.Locales, "de"):
				t.Errorf("%s: %+v", asks[i], m)
			}
		}
		e.sameShape([]string{"WRONGWRO", "RIGHTRIG"}, func(code string) {
			if e.prove("ada", "s", directory.MailAddress, code) {
				t.Error("taken")
			}
		})
	})
	t.Run("an address that became another's meanwhile is not taken", func(t *testing.T) {
		e := newEstate(t, open)
		e.propose("ada", directory.MailAddress, next)
		code := e.one().Params["code"]
		if _, err := e.users.Update(t.Context(), env, e.ids["bea"], func(u *directory.User) error { u.Email = strings.ToLower(next); return nil }); err != nil {
			t.Fatal(err)
		}
		if e.prove("ada", "s", directory.MailAddress, code) || e.user("ada").Email != "ada@example.com" || len(e.mail()) != 0 {
			t.Error("taken")
		}
	})
	t.Run("of two who prove one address at once one gets it", func(t *testing.T) {
		e := newEstate(t, open)
		codes := map[string]string{}
		for _, name := range []string{"ada", "bea"} {
			e.propose(name, directory.MailAddress, next)
			codes[name] = e.one().Params["code"]
		}
		var wait sync.WaitGroup
		got := make([]bool, 2)
		for i, name := range []string{"ada", "bea"} {
			wait.Go(func() {
				var err error
				if got[i], err = e.Prove(t.Context(), directory.AddressProof{Env: env, UserID: e.ids[name], Session: "s", Kind: directory.MailAddress, Code: codes[name], Effect: name}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if n := e.number(`SELECT COUNT(*) FROM users WHERE email = '` + next + `'`); got[0] == got[1] || n != 1 {
			t.Errorf("%v, %d have it", got, n)
		}
		if n := e.number(`SELECT COUNT(*) FROM users WHERE registered`); n != 1 {
			t.Error("it is not kept from others")
		}
		r := newcomer()
		r.Email = strings.ToUpper(next)
		if made := e.register(r); made.Subject.ID != "" {
			t.Error("somebody registers with it")
		}
	})
}

// FuzzNormalPhone: what is taken for a number can be dialled, and is its own normal form.
func FuzzNormalPhone(f *testing.F) {
	for _, typed := range []string{"", "+", mobile, "+49 (30) 1234567", "+4930123\r\n4567", "٠+٤٩٣٠١٢٣٤٥٦٧", "++4930123456", "+493012345678901234"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		number, err := directory.NormalPhone(typed)
		if err != nil {
			if !errors.Is(err, directory.ErrPhone) || number != "" {
				t.Errorf("%q: %q %v", typed, number, err)
			}
			return
		}
		if again, err := directory.NormalPhone(number); !flow.E164(number) || again != number || err != nil {
			t.Errorf("%q is %q, and that %q %v", typed, number, again, err)
		}
	})
}
