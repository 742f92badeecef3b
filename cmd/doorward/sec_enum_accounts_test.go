package main_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// seen is what a stranger sees of an answer, less the name that they typed.
func seen(a *visit.Answer, name string) string {
	return strings.ReplaceAll(a.Shape(), name, "(name)")
}

// Recovery is the same for everybody, from the first page to the last code.
// authentik CVE-2023-39522.
func TestSec_ENUM_FORGOT(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	series := map[string][]string{}
	kinds := map[string]string{"known": "mia", "unknown": "nobody-of-that-name", "disabled": "rex", "without password": "nora", "unverified": "vera"}
	for kind, name := range kinds {
		f := x.browser().Start(club.Ask())
		say := func(a *visit.Answer) {
			series[kind] = append(series[kind], seen(a, name))
		}
		say(forgot(f, name).Is(200))
		say(f.Get())
		say(f.Act("password.sendRecoveryCode", nil).Is(200))
		for range 6 {
			say(f.Act("password.recover", map[string]string{"recoveryCode": "ABCD2345", "newPassword": "Guessed-Horse-11"}).Is(400))
		}
		say(f.Act("password.recover", map[string]string{"recoveryCode": "ABCD2345", "newPassword": "short"}).Is(400))
	}
	want := series["unknown"]
	for kind, got := range series {
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("answer %d for %s:\n%s\nfor an unknown name:\n%s", i+1, kind, got[i], want[i])
			}
		}
	}
	x.mailed("mia@club.example")
	for _, m := range x.mail.All() {
		for _, name := range []string{"rex", "nora"} {
			if m.To == name+"@club.example" {
				t.Errorf("mail to %s: %s", m.To, m.Subject)
			}
		}
	}
}

// Registering what is somebody's already is answered like what is free; the owner
// is told by mail and there is no second account.
func TestSec_ENUM_REGISTER(t *testing.T) {
	x := newTrial(t)
	x.emptyPostbox()
	register := func(name, email string) string {
		f := x.browser().Start(club.Ask())
		a := f.Act("user.register", map[string]string{"username": name, "email": email, "password": "Again-Right-Horse-1"}).Is(200)
		out := strings.ReplaceAll(seen(a, name), email, "(email)")
		out += strings.ReplaceAll(seen(f.Get(), name), email, "(email)")
		out += seen(f.Act("user.verify", map[string]string{"verificationCode": "ABCD2345"}).Is(400), name)
		out += seen(f.Act("user.sendVerificationCode", nil).Is(200), name)
		g := x.browser().Start(club.Ask())
		out += seen(g.Password(name+"-too", "Again-Right-Horse-1").Is(400), name+"-too")
		out += seen(g.Password(name, "Again-Right-Horse-1").Is(400), name) // also for whose name it was
		return out
	}
	free := register("enum-a", "enum-a@club.example")
	x.mailed("enum-a@club.example")
	users := x.column(`SELECT count(*) FROM users`)
	for what, got := range map[string]string{
		"a taken address":                  register("enum-b", "mia@club.example"),
		"a taken address in capitals":      register("enum-c", "MIA@CLUB.EXAMPLE"),
		"an unverified address":            register("enum-d", "vera@club.example"),
		"a taken name":                     register("mia", "enum-e@club.example"),
		"a taken name in another spelling": register("ＭＩＡ", "enum-f@club.example"),
	} {
		if mask(got) != mask(free) {
			t.Errorf("%s is told\n%s\nand a free one\n%s", what, mask(got), mask(free))
		}
	}
	if got := x.column(`SELECT count(*) FROM users`); got != users {
		t.Errorf("%s users, before %s", got, users)
	}
	if m := x.mailed("mia@club.example"); m.Code() != "" {
		t.Errorf("the owner is sent a code: %s", m.Subject)
	}
	if m := x.mailed("enum-e@club.example"); m.Code() != "" {
		t.Errorf("whoever wanted a taken name is sent a code: %s", m.Subject)
	}
}

// mask takes out the address that a page shows of what was typed.
func mask(s string) string {
	return regexp.MustCompile(`\S•••@[a-z.A-Z]+`).ReplaceAllString(s, "(masked)")
}

// Identifier first asks everybody for a password, and shows of nobody more than
// what was typed. ZITADEL CVE-2026-23511.
func TestSec_ENUM_LOOKUP(t *testing.T) {
	x := newTrial(t)
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	var want []string
	for _, name := range []string{"nobody-of-that-name", "mia", "rex", "nora", "vera", "mia@club.example"} {
		f := x.browser().Start(hall.Ask())
		if r := f.Get().Flow(); r.Status != unnamed {
			t.Fatalf("the flow begins in %s", r.Status)
		}
		a := f.Act("user.lookup", map[string]string{"username": name}).Is(200)
		if r := a.Flow(); r.Status != bound || r.Embedded.User.ID != "" || r.Embedded.User.Username != name || r.Embedded.User.Name.Given != "" {
			t.Errorf("%s: the flow is %+v", name, r)
		}
		f.Act("usernamePassword.check", map[string]string{"username": "ada", "password": passwords["ada"]}).Refused(400, "INVALID_DATA", "INVALID_VALUE@username")
		got := []string{seen(a, name), seen(f.Act("usernamePassword.check", map[string]string{"password": "Guessed-Horse-11"}).Is(400), name)}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is told\n%s\nand an unknown name\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	x.exec(`DELETE FROM failures WHERE env = $1`, firstEnv)
	f := x.browser().Start(hall.Ask())
	f.Act("user.lookup", map[string]string{"username": "lea"}).Is(200)
	f.Act("session.reset", nil).Is(200)
	if r := f.Get().Flow(); r.Status != unnamed || r.Embedded.User.Username != "" {
		t.Errorf("after “not you” the flow is %+v", r)
	}
}
