package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestLinksInSQLiteFile(t *testing.T)   { linksContract(t, onFile) }
func TestLinksInSQLiteMemory(t *testing.T) { linksContract(t, inMemory) }
func TestLinksInPostgres(t *testing.T)     { linksContract(t, onServer) }

// linksContract is what linked accounts do, whatever the directory lies on.
func linksContract(t *testing.T, open opener) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, opener){
		"links": testLinks, "linked users": testLinkedUsers, "standing": testExternalStanding,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

const (
	partner = "d0000000-0000-4000-8000-000000000f01" // identity providers
	rival   = "d0000000-0000-4000-8000-000000000f02"
)

// linker is an estate whose people may have accounts elsewhere.
type linker struct {
	*estate
	links *directory.Links
}

func newLinker(t *testing.T, open opener) *linker {
	t.Helper()
	e := newEstate(t, open)
	return &linker{e, directory.NewLinks(e.db, newRing(), e.now.Now)}
}

func (l *linker) add(user, provider, external string) directory.LinkedAccount {
	l.t.Helper()
	a, err := l.links.Add(l.t.Context(), directory.NewLink{Env: env, UserID: l.ids[user], Provider: provider, ExternalID: external})
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

// owner is the name of whose account it is; empty: nobody's.
func (l *linker) owner(external string) string {
	l.t.Helper()
	id, err := l.links.Find(l.t.Context(), env, partner, external)
	if errors.Is(err, flow.ErrUnknown) {
		return ""
	}
	if err != nil {
		l.t.Fatal(err)
	}
	for name, one := range l.ids {
		if one == id {
			return name
		}
	}
	return id
}

func (l *linker) of(user string) []directory.LinkedAccount {
	l.t.Helper()
	all, err := l.links.Of(l.t.Context(), env, l.ids[user])
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

func testLinks(t *testing.T, open opener) {
	t.Run("are found, listed and read", func(t *testing.T) {
		l := newLinker(t, open)
		first := l.add("ada", partner, "sub-1")
		l.now.Move(time.Second)
		second := l.add("ada", rival, "sub-1")
		other := l.add("bea", partner, "SUB-1") // ids are compared as they are
		if diff := cmp.Diff([]directory.LinkedAccount{first, second}, l.of("ada")); diff != "" {
			t.Error(diff)
		}
		want := directory.LinkedAccount{ID: first.ID, Provider: partner, ExternalID: "sub-1", UserID: l.ids["ada"], CreatedAt: l.now.Now().Add(-time.Second)}
		if diff := cmp.Diff(want, first); diff != "" || uuid.Validate(first.ID) != nil {
			t.Error(diff)
		}
		if got, err := l.links.Read(t.Context(), env, l.ids["ada"], first.ID); err != nil || got != first {
			t.Errorf("%+v %v", got, err)
		}
		for external, name := range map[string]string{"sub-1": "ada", "SUB-1": "bea", "sub-2": "", "": "", "a\x00": "", "\xff": ""} {
			if got := l.owner(external); got != name {
				t.Errorf("%q is %q's, want %q's", external, got, name)
			}
		}
		if _, err := l.links.Find(t.Context(), uuid.NewString(), partner, "sub-1"); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("in another environment: %v", err)
		}
		if _, err := l.links.Read(t.Context(), env, l.ids["ada"], other.ID); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("of somebody else: %v", err)
		}
		if all := l.of("disabled"); len(all) != 0 {
			t.Error(all)
		}
	})
	t.Run("are one person's", func(t *testing.T) {
		l := newLinker(t, open)
		l.add("ada", partner, "sub")
		for _, name := range []string{"ada", "bea"} {
			_, err := l.links.Add(t.Context(), directory.NewLink{Env: env, UserID: l.ids[name], Provider: partner, ExternalID: "sub"})
			fails(t, err, directory.ErrLinked)
		}
		_, err := l.links.Add(t.Context(), directory.NewLink{Env: env, UserID: uuid.NewString(), Provider: partner, ExternalID: "free"})
		fails(t, err, flow.ErrUnknown)
		if l.owner("sub") != "ada" || len(l.of("ada")) != 1 || rows(t, l.db, "linked_accounts") != 1 {
			t.Error("what was refused changed something")
		}
	})
	t.Run("are told of by mail, once", func(t *testing.T) {
		l := newLinker(t, open)
		link := func(name, as string) error {
			_, err := l.links.Add(t.Context(), directory.NewLink{Env: env, UserID: l.ids[name], Provider: partner, ProviderName: as, ExternalID: name})
			return err
		}
		for name, as := range map[string]string{"ada": "Partner", "bea": ""} {
			called := as
			if called == "" {
				called = partner
			}
			if err := link(name, as); err != nil {
				t.Fatal(err)
			}
			m := l.one()
			if m.Template != "account.linked" || m.To != name+"@example.com" || m.Params["username"] != name || m.Params["provider"] != called || m.Params["code"] != "" {
				t.Errorf("%+v", m)
			}
			fails(t, link(name, as), directory.ErrLinked)
		}
		if err := link("addressless", "Partner"); err != nil {
			t.Fatal(err)
		}
		if m := l.mail(); len(m) != 0 {
			t.Errorf("%+v", m)
		}
	})
	t.Run("have an id that can be one", func(t *testing.T) {
		l := newLinker(t, open)
		for _, external := range []string{"", strings.Repeat("ä", 256), "a\x00b", "a\nb", "\xff", "\u0085"} {
			_, err := l.links.Add(t.Context(), directory.NewLink{Env: env, UserID: l.ids["ada"], Provider: partner, ExternalID: external})
			fails(t, err, directory.ErrExternalID)
			_, _, err = l.links.Create(t.Context(), directory.NewLinked{Env: env, Provider: partner, ExternalID: external, Attributes: flow.Attributes{"username": "new"}})
			fails(t, err, directory.ErrExternalID)
		}
		l.add("ada", partner, strings.Repeat("ä", 255))
		if n := rows(t, l.db, "linked_accounts"); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
	t.Run("are removed, and go with the user", func(t *testing.T) {
		l := newLinker(t, open)
		a, b := l.add("ada", partner, "a"), l.add("bea", partner, "b")
		fails(t, l.links.Remove(t.Context(), env, l.ids["ada"], b.ID), flow.ErrUnknown)
		if err := l.links.Remove(t.Context(), env, l.ids["ada"], a.ID); err != nil {
			t.Fatal(err)
		}
		fails(t, l.links.Remove(t.Context(), env, l.ids["ada"], a.ID), flow.ErrUnknown)
		if l.owner("a") != "" || l.owner("b") != "bea" {
			t.Error("another one was removed")
		}
		l.add("ada", partner, "a")
		if err := l.users.Delete(t.Context(), env, l.ids["ada"]); err != nil {
			t.Fatal(err)
		}
		if l.owner("a") != "" || l.owner("b") != "bea" || rows(t, l.db, "linked_accounts") != 1 {
			t.Error("the links of a user who is gone")
		}
	})
}

func testExternalStanding(t *testing.T, open opener) {
	l := newLinker(t, open)
	standing := func(name string) directory.ExternalStanding {
		t.Helper()
		s, err := l.links.SignOn(t.Context(), env, l.ids[name])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := l.users.Lock(t.Context(), env, l.ids["addressless"], l.now.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bea", "locked", "addressless"} {
		for range 5 {
			l.signOn(name, "wrong")
		}
	}
	const wrong = 15 * time.Minute
	for name, want := range map[string]directory.ExternalStanding{
		"ada":          {Enabled: true, HasPassword: true},
		"bea":          {Enabled: true, HasPassword: true, Locked: true, PasswordOnly: true, UnlockIn: wrong},
		"locked":       {Enabled: true, HasPassword: true, Locked: true},
		"addressless":  {Enabled: true, HasPassword: true, Locked: true, UnlockIn: wrong},
		"disabled":     {HasPassword: true},
		"external":     {Enabled: true},
		"passwordless": {Enabled: true},
		"unverified":   {Enabled: true, HasPassword: true, Unverified: true},
	} {
		u := l.user(name)
		want.Subject = u.Subject()
		if diff := cmp.Diff(want, standing(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	l.now.Move(wrong)
	for _, name := range []string{"bea", "addressless"} {
		if s := standing(name); s.Locked || s.PasswordOnly || s.UnlockIn != 0 {
			t.Errorf("%s after the locks: %+v", name, s)
		}
	}
	_, err := l.links.SignOn(t.Context(), env, uuid.NewString())
	fails(t, err, flow.ErrUnknown)
}
