package main_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	visit "doorward/internal/journey"
)

// suffix makes names of one test apart from those of another run of it.
func suffix() string { return strings.ToLower(rand.Text()[:6]) }

var pageToken = regexp.MustCompile(`name="_token" value="[^"]+"`)

// people are accounts of every sort, by their sort, and a name that is nobody's.
func (r *room) people(prefix string) map[string]string {
	r.x.Helper()
	out := map[string]string{"unknown": prefix + "-nobody"}
	for _, sort := range []string{"known", "disabled", "without password", "unverified"} {
		name := prefix + "-" + strings.Fields(sort)[0]
		out[sort] = name
		switch sort {
		case "without password":
			r.create("/users", map[string]any{"username": name, "email": name + "@fourth.example", "population": map[string]any{"id": populationOf(r.shop)}})
			continue
		case "unverified":
			r.act(http.MethodPost, "/users", "user.import", map[string]any{
				"username": name, "email": name + "@fourth.example", "population": map[string]any{"id": populationOf(r.shop)},
				"password": map[string]any{"value": "Enum-Right-Horse-1"}, "lifecycle": map[string]any{"status": "VERIFICATION_REQUIRED", "suppressVerificationCode": true},
			}).Is(201)
			continue
		}
		id := r.user(name, "Enum-Right-Horse-1")
		if sort == "disabled" {
			r.put("/users/"+id+"/enabled", map[string]any{"enabled": false})
		}
	}
	return out
}

// toldAlike holds that what everybody was told is what a name that is nobody's was.
func (x *trial) toldAlike(series map[string][]string) {
	x.Helper()
	want := series["unknown"]
	for sort, got := range series {
		if len(got) != len(want) {
			x.Errorf("%s: %d answers, want %d", sort, len(got), len(want))
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				x.Errorf("answer %d for %s:\n%s\nfor an unknown name:\n%s", i+1, sort, got[i], want[i])
				break
			}
		}
	}
}

// A definition that looks people up and checks their passwords tells strangers
// nothing, try by try, down to the lock. ZITADEL CVE-2026-23511.
func TestSec_ENUM_LOGIN_definition(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.fitted("rec-flow-sign-on-experience"))
	app := r.behind(runs(r.definition(r.fitted("rec-flow-sign-on-sign-on-policy"))))
	for _, begin := range []func() *visit.Flow{
		func() *visit.Flow { return x.browser().Begin(shop4, id, nil) },
		func() *visit.Flow { return x.browser().Start(app.Ask()) },
	} {
		x.exec(`DELETE FROM failures WHERE env = $1`, fourthEnv)
		series := map[string][]string{}
		for sort, name := range r.people("enum-" + suffix()) {
			f := begin()
			say := func(a *visit.Answer) {
				series[sort] = append(series[sort], pageToken.ReplaceAllString(seen(a, name), ""))
			}
			for i := range 6 {
				say(f.Act("form.submit", map[string]any{"user": map[string]string{"username": name, "password": fmt.Sprintf("Guessed-Horse-%d", i)}}))
			}
			say(f.Get())
			if got := f.Get().Flow(); got.Status != "FORM_REQUIRED" || got.Embedded.User.ID != "" || got.Error.Code != "PASSWORD_LOCKED_OUT" {
				t.Errorf("%s: the execution is in %s, %+v", sort, got.Status, got.Error)
			} else if seconds, is := got.Error.Details[0].InnerError["secondsUntilUnlock"].(float64); !is || seconds < 800 {
				t.Errorf("%s: asked again, the lock lasts %v", sort, got.Error.Details[0].InnerError)
			}
			say(f.Send(http.MethodGet, f.Page(), nil, nil).Is(200))
		}
		x.toldAlike(series)
	}
}

// One that recovers passwords does not either. authentik CVE-2023-39522.
func TestSec_ENUM_FORGOT_definition(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.fitted("rec-flow-password-recovery-experience"))
	series := map[string][]string{}
	people := r.people("forgot-" + suffix())
	for sort, name := range people {
		f := x.browser().Begin(shop4, id, nil)
		say := func(a *visit.Answer) { series[sort] = append(series[sort], seen(a, name)) }
		say(f.Act("form.submit", map[string]any{"user": map[string]string{"username": name}}))
		say(f.Get())
		say(f.Act("form.action", map[string]string{"key": "resendCode"}))
		for i := range 6 {
			say(f.Act("form.submit", map[string]any{"recoveryCode": fmt.Sprintf("ABCD234%d", 2+i), "user": map[string]string{"newPassword": "Guessed-Horse-11", "newPasswordVerify": "Guessed-Horse-11"}}))
		}
		say(f.Act("form.submit", map[string]any{"recoveryCode": "ABCD2345", "user": map[string]string{"newPassword": "short", "newPasswordVerify": "short"}}))
		if got := f.Get().Flow(); got.Status != "FORM_REQUIRED" || got.Embedded.User.ID != "" {
			t.Errorf("%s: the execution is %+v", sort, got)
		}
	}
	x.toldAlike(series)
	x.mailed(people["known"] + "@fourth.example")
	for _, m := range x.mail.All() {
		if m.To == people["disabled"]+"@fourth.example" || m.To == people["without password"]+"@fourth.example" {
			t.Errorf("mail to %s: %s", m.To, m.Subject)
		}
	}
}

// Nor does one that makes accounts, as long as they are verified by mail: whoever
// has the address is told there, and nobody else.
func TestSec_ENUM_REGISTER_definition(t *testing.T) {
	x := newTrial(t)
	r := x.room(admin, shop4)
	defer r.clear()
	id := r.definition(r.fitted("mixed-flow-registration-experience"))
	enter := r.definition(r.fitted("rec-flow-sign-on-experience"))
	reset := r.definition(unchecked(r.fitted("rec-flow-sign-on-experience")))
	own := suffix()
	owner := "owner-" + own
	r.user(owner, "Enum-Right-Horse-1")
	register := func(name, email string) []string {
		const password = "Again-Right-Horse-1"
		f := x.browser().Begin(shop4, id, nil)
		var out []string
		say := func(a *visit.Answer) {
			out = append(out, mask(strings.ReplaceAll(strings.ReplaceAll(a.Shape(), email, "(email)"), name, "(name)")))
		}
		say(f.Act("form.submit", map[string]any{"user": map[string]string{"username": name, "email": email, "password": password, "passwordVerify": password}}).Is(200))
		say(f.Get())
		say(f.Act("user.verify", map[string]string{"verificationCode": "ABCD2345"}).Is(400))
		say(f.Act("user.sendVerificationCode", nil).Is(200))
		for _, typed := range []string{name, name + "-too"} { // also for whose name it was
			say(x.browser().Begin(shop4, enter, nil).Act("form.submit", map[string]any{"user": map[string]string{"username": typed, "password": password}}))
			say(x.browser().Start(shop4.Ask()).Password(typed, password))
			g := x.browser().Begin(shop4, reset, nil)
			say(g.Act("form.submit", map[string]any{"user": map[string]string{"username": typed, "password": password}}).Is(200))
			say(g.Act("form.submit", map[string]any{"user": map[string]string{"currentPassword": password, "newPassword": "short", "newPasswordVerify": "short"}}))
		}
		return out
	}
	series := map[string][]string{"unknown": register("free-"+own, "free-"+own+"@fourth.example")}
	users := x.column(`SELECT count(*) FROM users`)
	series["a taken address"] = register("taken-a-"+own, owner+"@fourth.example")
	series["a taken address in capitals"] = register("taken-b-"+own, strings.ToUpper(owner+"@fourth.example"))
	series["a taken name"] = register(owner, "taken-c-"+own+"@fourth.example")
	x.toldAlike(series)
	if got := x.column(`SELECT count(*) FROM users`); got != users {
		t.Errorf("%s users, before %s", got, users)
	}
	if m := x.mailed("free-" + own + "@fourth.example"); m.Code() == "" {
		t.Errorf("the new account is sent no code: %s", m.Subject)
	}
	if m := x.mailed(owner + "@fourth.example"); m.Code() != "" {
		t.Errorf("the owner is sent a code: %s", m.Subject)
	}
}

// unchecked is a definition that looks people up, and has them set a new password by
// the one in use without a step that checks it before.
func unchecked(body map[string]any) map[string]any {
	all, _ := body["stepDefinitions"].(map[string]any)
	delete(all, "passwordCheck")
	look, _ := all["userLookup"].(map[string]any)
	look["outlets"] = map[string]any{"PING_ONE_USER_MATCHED": map[string]string{"next": "resetForm"}, "ERROR": map[string]string{"next": "signOnForm"}}
	return body
}

// An environment that says so tells what the documents tell: that nobody is found,
// and that a name is taken.
func TestDefinitionsTellWhereTheyMay(t *testing.T) {
	x := newTrial(t)
	r := x.room(vendorAdmin, vendorShop)
	defer r.clear()
	submit := func(id string, values map[string]string) visit.Resource {
		return x.browser().Begin(vendorShop, id, nil).Act("form.submit", map[string]any{"user": values}).Flow()
	}
	told := func(what string, got visit.Resource, status, code string, details ...string) {
		var found []string
		for _, d := range got.Error.Details {
			found = append(found, d.Code+"@"+d.Target)
		}
		if got.Status != status || got.Error.Code != code || !slices.Equal(found, details) {
			t.Errorf("%s: %s, %+v", what, got.Status, got.Error)
		}
	}
	name := "told-" + suffix()
	r.user(name, "Told-Right-Horse-1")
	signOn := r.definition(r.fitted("rec-flow-sign-on-experience"))
	told("nobody", submit(signOn, map[string]string{"username": name + "-nobody", "password": "Guessed-Horse-11"}), "FORM_REQUIRED", "USER_NOT_FOUND", "INVALID_VALUE@user.username")
	told("somebody", submit(signOn, map[string]string{"username": name, "password": "Guessed-Horse-11"}), "FORM_REQUIRED", "INVALID_CREDENTIALS", "INVALID_CREDENTIALS@user.password")
	recovery := r.definition(r.fitted("rec-flow-password-recovery-experience"))
	told("nobody recovers", submit(recovery, map[string]string{"username": name + "-nobody"}), "FORM_REQUIRED", "USER_NOT_FOUND", "INVALID_VALUE@user.username")
	registration := r.definition(r.fitted("mixed-flow-registration-experience"))
	told("a taken name", submit(registration, map[string]string{
		"username": name, "email": name + "-too@fourth.example", "password": "Again-Right-Horse-1", "passwordVerify": "Again-Right-Horse-1",
	}), failed, "UNIQUENESS_VIOLATION", "UNIQUENESS_VIOLATION@user.username")
	told("a taken address", submit(registration, map[string]string{
		"username": name + "-too", "email": name + "@fourth.example", "password": "Again-Right-Horse-1", "passwordVerify": "Again-Right-Horse-1",
	}), failed, "UNIQUENESS_VIOLATION", "UNIQUENESS_VIOLATION@user.email")
}
