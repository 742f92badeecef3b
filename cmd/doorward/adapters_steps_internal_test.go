package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/steps/agreement"
	"doorward/steps/passwordcheck"
	"doorward/steps/passwordrecover"
	"doorward/steps/passwordreset"
	"doorward/steps/recoverysend"
	"doorward/steps/usercreate"
	"doorward/steps/userlookup"
	"doorward/steps/userpatch"
)

const (
	demoAda        = "d0000000-0000-4000-8000-0000000000f1"
	demoPopulation = "d0000000-0000-4000-8000-0000000000b1"
)

// newCatalogue is the adapters over the demo and a real directory. member is
// added to the environment.
func newCatalogue(t *testing.T, member string) catalogue {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo); err != nil {
		t.Fatal(err)
	}
	if member != "" {
		file := filepath.Join(dir, "demo", "environment.json")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.Replace(b, []byte("{"), []byte("{"+member+","), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := build(t.Context(), options{
		Listen: "localhost:8080", BaseURL: "http://localhost:8080", Config: dir, Data: t.TempDir(), LogFormat: "text",
		Database: filepath.Join(t.TempDir(), "doorward.db"), Keys: filepath.Join(t.TempDir(), "keys.json"),
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close(context.Background()) })
	policies := passwordPolicies(h.registry)
	return catalogue{
		users: h.users, passwords: directory.NewPasswords(h.db, h.hasher, h.ring, policies, h.now),
		accounts: directory.NewAccounts(h.db, h.hasher, h.ring, policies, h.now), consents: directory.NewConsents(h.db, h.now),
		ring: h.ring, registry: func() *configs.Registry { return h.registry }, wake: func() {}, now: h.now,
	}
}

const telling = `"compatibility":{"disclosure":"vendor"}`

func TestALookupTellsNothing(t *testing.T) {
	t.Parallel()
	c := userLookups{newCatalogue(t, "")}
	find := func(identifier string, attributes ...string) userlookup.Found {
		t.Helper()
		f, err := c.Find(t.Context(), userlookup.Query{Env: demoEnvironment, Identifier: identifier, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for identifier, attributes := range map[string][]string{"ADA\u0020": {"username"}, "ada@EXAMPLE.com": {"username", "email"}, demoAda: {"id"}} {
		if f := find(identifier, attributes...); f.UserID != demoAda || f.Told || f.External {
			t.Errorf("%s: %v", identifier, f)
		}
	}
	nobody, again, other := find("nobody", "username", "email"), find("NoBody ", "username"), find("somebody", "username")
	if nobody.UserID != "" || nobody.Decoy != again.Decoy || nobody.Decoy == other.Decoy || find("ada", "email").UserID != "" {
		t.Errorf("%v, %v, %v", nobody, again, other)
	}
	if form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !form.MatchString(nobody.Decoy) {
		t.Errorf("%s is not of the form that ids have", nobody.Decoy)
	}
}

// TestWhoeverHasVerifiedAnAddressIsFoundByIt, whatever others call themselves or say of
// theirs, and in whichever order the attributes are asked for.
func TestWhoeverHasVerifiedAnAddressIsFoundByIt(t *testing.T) {
	t.Parallel()
	c := userLookups{newCatalogue(t, "")}
	add := func(u directory.User) string {
		t.Helper()
		u.Env, u.Enabled = demoEnvironment, true
		made, err := c.users.Create(t.Context(), u, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	owner := add(directory.User{Username: "kim", Email: "kim@example.com", EmailVerified: true})
	federated := add(directory.User{Username: "lou", Email: "lou@example.com", EmailVerified: true, Authority: "idp"})
	claimed := add(directory.User{Username: "pat", Email: "pat@example.com"})
	registered, err := userCreations(c).Create(t.Context(), jane(true, "f1/created/1", flow.Attributes{"username": "Kim@Example.com"}))
	if err != nil || registered.Subject.ID == "" {
		t.Fatal(registered, err)
	}
	add(directory.User{Username: "lou@example.com"})
	said := flow.Attributes{"email": "kim@example.com", "externalId": "kim@example.com"} // of themselves, and not verified
	if p, err := userPatches(c).Patch(t.Context(), userpatch.Patch{Env: demoEnvironment, UserID: registered.Subject.ID, Attributes: said}); err != nil || p.User == nil {
		t.Fatal(p, err)
	}
	for name, tt := range map[string]struct {
		identifier string
		ours       bool
		want       string
	}{
		"that is somebody's name":                     {"kim@example.com", false, owner},
		"of which the password is elsewhere":          {"lou@example.com", false, federated},
		"of which the password is elsewhere, of ours": {"lou@example.com", true, ""},
		"nobody has verified":                         {"pat@example.com", false, claimed},
		"nobody has":                                  {"quinn@example.com", false, ""},
	} {
		for _, attributes := range [][]string{{"username", "email"}, {"email", "username"}, {"externalId", "username", "email"}} {
			f, err := c.Find(t.Context(), userlookup.Query{Env: demoEnvironment, Identifier: tt.identifier, Attributes: attributes, Ours: tt.ours})
			if err != nil || f.UserID != tt.want {
				t.Errorf("an address %s, by %v: %+v, %v", name, attributes, f, err)
			}
		}
	}
}

func TestALookupTellsWhereItMay(t *testing.T) {
	t.Parallel()
	c := userLookups{newCatalogue(t, telling)}
	f, err := c.Find(t.Context(), userlookup.Query{Env: demoEnvironment, Identifier: "nobody", Attributes: []string{"username"}})
	if err != nil || !f.Told || f.UserID != "" {
		t.Error(f, err)
	}
}

// TestAUserOfAnIdentityProviderIsTold only where it may be told who has an account.
func TestAUserOfAnIdentityProviderIsTold(t *testing.T) {
	t.Parallel()
	for member, external := range map[string]bool{"": false, telling: true} {
		c := userLookups{newCatalogue(t, member)}
		if _, err := c.users.Update(t.Context(), demoEnvironment, demoAda, func(u *directory.User) error { u.Authority = "idp"; return nil }); err != nil {
			t.Fatal(err)
		}
		q := userlookup.Query{Env: demoEnvironment, Identifier: "ada", Attributes: []string{"username"}}
		if f, err := c.Find(t.Context(), q); err != nil || f.UserID != demoAda || f.External != external {
			t.Errorf("%q: %v, %v", member, f, err)
		}
		q.Ours = true
		if f, err := c.Find(t.Context(), q); err != nil || f.UserID != "" {
			t.Errorf("%q: %v, %v", member, f, err)
		}
	}
}

func jane(usable bool, effect string, more flow.Attributes) usercreate.Account {
	a := flow.Attributes{"username": "jane", "email": "jane@example.com", "name.given": "Jane", "nickname": "J", "address.region": "Kent"}
	for name, value := range more {
		a[name] = value
	}
	return usercreate.Account{Env: demoEnvironment, Population: demoPopulation, Attributes: a, Password: "Plain-Otter-77", Usable: usable, Flow: "f1", Effect: effect}
}

func TestAnAccountIsMadeOfAttributes(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t, "")
	made, err := userCreations{c}.Create(t.Context(), jane(false, "e1", nil))
	if err != nil || made.Subject.ID == "" {
		t.Fatal(made, err)
	}
	user, err := userReadings{c}.Read(t.Context(), demoEnvironment, made.Subject.ID)
	if err != nil {
		t.Fatal(err)
	}
	delete(user, "createdAt")
	delete(user, "updatedAt")
	want := map[string]any{
		"id": made.Subject.ID, "username": "jane", "email": "jane@example.com", "name": map[string]any{"given": "Jane"}, "nickname": "J",
		"address": map[string]any{"region": "Kent"}, "population": map[string]any{"id": demoPopulation}, "lifecycle": map[string]any{"status": "VERIFICATION_REQUIRED"},
		"emailVerified": false, "enabled": true, "mfaEnabled": false,
	}
	if diff := cmp.Diff(want, user); diff != "" {
		t.Error(diff)
	}
	// Once more, of a name that is taken now: nobody learns it, and the id is new.
	second, err := userCreations{c}.Create(t.Context(), jane(false, "e2", nil))
	if err != nil || second.Subject.ID != "" || len(second.Taken) != 0 || second.Decoy == "" || second.Decoy == made.Decoy {
		t.Error(second, err)
	}
	repeated, err := userCreations{c}.Create(t.Context(), jane(false, "e2", nil))
	if diff := cmp.Diff(second, repeated); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestWhatIsTakenIsToldWhereItCannotBeHidden(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		member string
		usable bool
		more   flow.Attributes
		want   []string
	}{
		"usable, the name":                {"", true, flow.Attributes{"username": "ada"}, []string{"username"}},
		"usable, both":                    {"", true, flow.Attributes{"username": "ada", "email": "grace@example.com"}, []string{"username", "email"}},
		"to be verified, where told":      {telling, false, flow.Attributes{"email": "ada@example.com"}, []string{"email"}},
		"to be verified, where it is not": {"", false, flow.Attributes{"email": "ada@example.com"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := userCreations{newCatalogue(t, tt.member)}
			got, err := c.Create(t.Context(), jane(tt.usable, "e1", tt.more))
			if diff := cmp.Diff(tt.want, got.Taken); err != nil || diff != "" || got.Subject.ID != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestAUserIsPatched(t *testing.T) {
	t.Parallel()
	c := userPatches{newCatalogue(t, "")}
	patch := func(a flow.Attributes) userpatch.Patched {
		t.Helper()
		p, err := c.Patch(t.Context(), userpatch.Patch{Env: demoEnvironment, UserID: demoAda, Attributes: a})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := patch(flow.Attributes{"nickname": "Countess", "email": "countess@example.com", "name.family": ""})
	if p.User["nickname"] != "Countess" || p.User["emailVerified"] != false || cmp.Diff(map[string]any{"given": "Ada"}, p.User["name"]) != "" {
		t.Error(p.User)
	}
	if p = patch(flow.Attributes{"nickname": ""}); p.User["nickname"] != nil || p.User["email"] != "countess@example.com" {
		t.Error(p.User)
	}
	for want, a := range map[string]flow.Attributes{
		"taken username": {"username": "grace"}, "invalid username": {"username": " ada"}, "invalid email": {"email": "ada at home"},
	} {
		p := patch(a)
		got := "taken " + p.Taken
		if p.Invalid != "" {
			got = "invalid " + p.Invalid
		}
		if p.User != nil || got != want {
			t.Errorf("%v: %v, want %s", a, p, want)
		}
	}
	if p, err := c.Patch(t.Context(), userpatch.Patch{Env: demoEnvironment, UserID: "d0000000-0000-4000-8000-00000000dead"}); err != nil || p.User != nil {
		t.Error(p, err)
	}
}

// TestNobodysAccountIsAsAnybodys takes wrong passwords and codes for somebody and
// for nobody, until both are locked.
func TestNobodysAccountIsAsAnybodys(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t, "")
	some, none := flow.Account{UserID: demoAda}, flow.Account{Username: "nobody"}
	var seen [2][]passwordcheck.Result
	for i, a := range []flow.Account{some, none} {
		for range 7 {
			v, err := passwordChecks{c}.Check(t.Context(), passwordcheck.Attempt{Env: demoEnvironment, Account: a, Password: "wrong"})
			if err != nil || v.Subject.ID != "" {
				t.Fatal(v, err)
			}
			seen[i] = append(seen[i], v.Result)
		}
		r, err := passwordResets{c}.Reset(t.Context(), passwordreset.Attempt{Env: demoEnvironment, Account: a, Current: "wrong", Password: "n"})
		if err != nil || r.Result != passwordreset.LockedOut {
			t.Error(r, err)
		}
		if err := (recoveryMails{c}).Send(t.Context(), recoverysend.Request{Env: demoEnvironment, Account: a}); err != nil {
			t.Error(err)
		}
		w, err := passwordRecoveries{c}.Recover(t.Context(), passwordrecover.Attempt{Env: demoEnvironment, Account: a, Code: "ABCD2345", Password: "n"})
		if err != nil || w.Result != passwordrecover.WrongCode {
			t.Error(w, err)
		}
	}
	if diff := cmp.Diff(seen[0], seen[1]); diff != "" || seen[0][6] != passwordcheck.LockedOut {
		t.Error(seen, diff)
	}
}

// TestANameThatIsNobodysIsNeverSomebodys: what was typed as an address may be the
// username of another.
func TestANameThatIsNobodysIsNeverSomebodys(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t, "")
	v, err := passwordChecks{c}.Check(t.Context(), passwordcheck.Attempt{Env: demoEnvironment, Account: flow.Account{Username: "ada"}, Password: "Correct-Horse-9"})
	if err != nil || v.Result != passwordcheck.Refused {
		t.Error(v, err)
	}
}

func TestAPasswordIsRightAndChanged(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t, "")
	ada := flow.Account{UserID: demoAda}
	v, err := passwordChecks{c}.Check(t.Context(), passwordcheck.Attempt{Env: demoEnvironment, Account: ada, Password: "Correct-Horse-9"})
	if err != nil || v.Result != passwordcheck.Accepted || v.State.Status != "OK" || v.State.User != demoAda || v.State.Policy == "" || v.State.ChangedAt.IsZero() {
		t.Error(v, err)
	}
	for id, want := range map[string]string{"f2": "MUST_CHANGE_PASSWORD", "f3": "PASSWORD_EXPIRED"} {
		words := map[string]string{"f2": "Temporary-Horse-9", "f3": "Expired-Horse-9"}
		a := flow.Account{UserID: demoAda[:34] + id}
		v, err := passwordChecks{c}.Check(t.Context(), passwordcheck.Attempt{Env: demoEnvironment, Account: a, Password: words[id]})
		if err != nil || v.Result != passwordcheck.Accepted || v.State.Status != want {
			t.Error(id, v, err)
		}
		r, err := passwordResets{c}.Reset(t.Context(), passwordreset.Attempt{Env: demoEnvironment, Account: a, Current: words[id], Password: "Plain-Otter-77"})
		if err != nil || r.Result != passwordreset.Changed || r.State.Status != "OK" || r.Subject.ID != a.UserID {
			t.Error(id, r, err)
		}
	}
	s, err := recoveryMails{c}.State(t.Context(), demoEnvironment, demoAda)
	if diff := cmp.Diff(v.State, s); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestAConsentIsKept(t *testing.T) {
	t.Parallel()
	c := agreementConsents{newCatalogue(t, "")}
	if got, err := c.Read(t.Context(), demoEnvironment, demoAda, "a1"); err != nil || got != (agreement.Consent{}) {
		t.Error(got, err)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	for expires, want := range map[time.Duration]agreement.Consent{time.Hour: {Language: "l1", Revision: "r1", At: at}, -time.Hour: {}} {
		err := c.Accept(t.Context(), agreement.Acceptance{Env: demoEnvironment, UserID: demoAda, Agreement: "a1", Language: "l1", Revision: "r1", At: at, ExpiresAt: at.Add(expires)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Read(t.Context(), demoEnvironment, demoAda, "a1")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(expires, err, diff)
		}
	}
	if _, ok := agreementTexts(c).Agreement(demoEnvironment, "a1"); ok {
		t.Error("an agreement that there is not is found")
	}
}

func TestProfilesAreReadAsTheyAreKept(t *testing.T) {
	t.Parallel()
	var u directory.User
	if err := u.Set(flow.Attributes{"username": "ada", "name.given": "Ada", "name.middle": "A.", "photo.href": "https://x/1"}); err != nil {
		t.Fatal(err)
	}
	var profile map[string]any
	if err := json.Unmarshal(u.Profile, &profile); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"name": map[string]any{"middle": "A."}, "photo": map[string]any{"href": "https://x/1"}}
	if diff := cmp.Diff(want, profile); diff != "" || u.Given != "Ada" {
		t.Error(diff)
	}
}
