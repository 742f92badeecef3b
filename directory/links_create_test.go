package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorward/directory"
	"doorward/runtime/flow"
)

// newLinked is somebody whom a provider names.
func newLinked(effect string) directory.NewLinked {
	return directory.NewLinked{
		Env: env, Population: "p1", Provider: partner, ExternalID: "sub", EmailVerified: true, Locales: "de-CH, de;q=0.9", MFAEnabled: true, Effect: effect,
		Attributes: flow.Attributes{"username": "newcomer", "email": "new@partner.example", "name.given": "Nela", "name.middle": "M.", "mobilePhone": "+491701234567", "externalId": "7", "type": "guest", "locale": "de"},
	}
}

// create makes a linked user, and says how that went.
func (l *linker) create(n directory.NewLinked) (flow.Subject, string) {
	l.t.Helper()
	who, made, err := l.links.Create(l.t.Context(), n)
	switch {
	case errors.Is(err, directory.ErrLinked):
		return who, "linked"
	case err != nil:
		l.t.Fatal(err)
	case !made:
		return who, "refused"
	}
	return who, "made"
}

func testLinkedUsers(t *testing.T, open opener) {
	t.Run("have what the provider tells, and no password", func(t *testing.T) {
		l := newLinker(t, open)
		who, how := l.create(newLinked("e"))
		u, err := l.users.Get(t.Context(), env, who.ID)
		if how != "made" || err != nil || who != u.Subject() {
			t.Fatalf("%s %+v %v", how, who, err)
		}
		if u.Username != "newcomer" || u.Email != "new@partner.example" || !u.EmailVerified || u.Unverified || u.Given != "Nela" || u.Type != "guest" || u.Locale != "de" ||
			u.PreferredLanguage != "de-CH, de;q=0.9" || u.Population != "p1" || !u.Enabled || !u.MFAEnabled || u.Authority != "" || !u.PasswordChangedAt.IsZero() {
			t.Errorf("%+v", u)
		}
		if string(u.Profile) != `{"externalId":"7","mobilePhone":"+491701234567","name":{"middle":"M."}}` {
			t.Errorf("%s", u.Profile)
		}
		if l.owner("sub") != who.ID {
			t.Error("nobody is linked")
		}
		if s, err := l.links.SignOn(t.Context(), env, who.ID); err != nil || s.HasPassword || !s.Enabled || s.Unverified {
			t.Errorf("%+v %v", s, err)
		}
		if v := l.signOn("newcomer", ""); v.Result != refused {
			t.Errorf("%+v", v)
		}
	})
	t.Run("of an address that is not proven are yet to prove it", func(t *testing.T) {
		l := newLinker(t, open)
		n := newLinked("")
		n.EmailVerified = false
		n.Attributes["preferredLanguage"] = "fr"
		who, _ := l.create(n)
		if u, err := l.users.Get(t.Context(), env, who.ID); err != nil || u.EmailVerified || !u.Unverified || u.PreferredLanguage != "fr" {
			t.Errorf("%+v %v", u, err)
		}
		n = newLinked("")
		n.ExternalID, n.Attributes = "other", flow.Attributes{"username": "without"}
		who, _ = l.create(n)
		if u, err := l.users.Get(t.Context(), env, who.ID); err != nil || u.EmailVerified || u.Unverified || u.Email != "" {
			t.Errorf("without an address: %+v %v", u, err)
		}
	})
	t.Run("are not made of what is somebody's, or cannot be", func(t *testing.T) {
		l := newLinker(t, open)
		users := rows(t, l.db, "users")
		for name, change := range map[string]func(a flow.Attributes){
			"the name":              func(a flow.Attributes) { a["username"] = "ADA" },
			"the address":           func(a flow.Attributes) { a["email"] = "Ada@EXAMPLE.com" },
			"no name":               func(a flow.Attributes) { delete(a, "username") },
			"a name with spaces":    func(a flow.Attributes) { a["username"] = " newcomer" },
			"no address":            func(a flow.Attributes) { a["email"] = "nobody" },
			"a name of two lines":   func(a flow.Attributes) { a["name.given"] = "a\nb" },
			"a profile that is one": func(a flow.Attributes) { a["nickname"] = strings.Repeat("x", 70_000) },
		} {
			n := newLinked(l.effect())
			change(n.Attributes)
			for range 2 {
				if who, how := l.create(n); how != "refused" || who != (flow.Subject{}) {
					t.Errorf("%s: %s %+v", name, how, who)
				}
			}
		}
		if rows(t, l.db, "users") != users || rows(t, l.db, "linked_accounts") != 0 || len(l.mail()) != 0 {
			t.Error("what was refused left something")
		}
	})
	t.Run("keep their address from others", func(t *testing.T) {
		l := newLinker(t, open)
		l.create(newLinked(""))
		r := newcomer()
		r.Username, r.Email, r.Effect = "another", "NEW@partner.example", l.effect()
		if got := l.register(r); got.Subject.ID != "" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("are made once per effect", func(t *testing.T) {
		l := newLinker(t, open)
		n := newLinked("e")
		first, _ := l.create(n)
		n.Attributes["username"] = "other"
		if again, how := l.create(n); how != "made" || again != first {
			t.Errorf("%s %+v", how, again)
		}
		if err := l.users.Delete(t.Context(), env, first.ID); err != nil {
			t.Fatal(err)
		}
		_, made, err := l.links.Create(t.Context(), n)
		if made {
			t.Error("made of somebody who is gone")
		}
		fails(t, err, flow.ErrUnknown)
	})
	t.Run("are not made for an account that is somebody's", func(t *testing.T) {
		l := newLinker(t, open)
		l.add("bea", partner, "sub")
		users := rows(t, l.db, "users")
		n := newLinked("e")
		if _, how := l.create(n); how != "linked" {
			t.Error(how)
		}
		n.Attributes["username"] = "ada" // taken as well
		if _, how := l.create(n); how != "linked" {
			t.Error(how)
		}
		if rows(t, l.db, "users") != users || l.owner("sub") != "bea" {
			t.Error("what was refused left something")
		}
		if err := l.links.Remove(t.Context(), env, l.ids["bea"], l.of("bea")[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, how := l.create(newLinked("e")); how != "made" { // an effect that failed was none
			t.Error(how)
		}
	})
}

// TestLinksOfTwoNodes has two nodes, each with a directory of its own over the same file
// or server, want the same account at once.
func TestLinksOfTwoNodes(t *testing.T) {
	t.Parallel()
	onMade(t, func(t *testing.T, path string) {
		t.Helper()
		n := open2(t, path)
		nodes := map[*directory.Devices]*directory.Links{
			n.nodes[0]: directory.NewLinks(n.db, newRing(), n.now.Now), n.nodes[1]: directory.NewLinks(n.other, newRing(), n.now.Now),
		}
		var people []string
		for range 8 {
			people = append(people, n.user())
		}
		said := n.all(16, func(i int, s *directory.Devices) (string, error) {
			_, err := nodes[s].Add(t.Context(), directory.NewLink{Env: env, UserID: people[i/2], Provider: partner, ExternalID: "added"})
			return expected(err, directory.ErrLinked)
		})
		if said["done"] != 1 || rows(t, n.db, "linked_accounts") != 1 {
			t.Error(said)
		}
		said = n.all(16, func(i int, s *directory.Devices) (string, error) {
			ask := newLinked(fmt.Sprint("effect", i/2))
			if i%4 < 2 { // another name, and the same account
				ask.Attributes = flow.Attributes{"username": fmt.Sprint("name", i)}
			}
			_, made, err := nodes[s].Create(t.Context(), ask)
			if err == nil && !made {
				return "refused", nil
			}
			return expected(err, directory.ErrLinked)
		})
		if said["done"] < 1 || said["done"] > 2 || said["refused"] != 0 || rows(t, n.db, "linked_accounts") != 2 || rows(t, n.db, "users") != 9 {
			t.Error(said)
		}
	})
}
