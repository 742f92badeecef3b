package directory_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/filter"
)

// populace is users who were made a second apart, each from a username and what else
// is said of it.
func populace(t *testing.T, open opener, people ...directory.User) (*directory.Users, *clock) {
	t.Helper()
	now := newClock()
	db := open(t, directory.Options{Now: now.Now})
	users := directory.NewUsers(db, directory.NewHasher(cheap(), 2, now.Now), now.Now)
	for _, u := range people {
		u.Env = env
		if _, err := users.Create(t.Context(), u, "", ""); err != nil {
			t.Fatal(u.Username, err)
		}
		now.Move(time.Second)
	}
	return users, now
}

func where(t *testing.T, text string) filter.Expr {
	t.Helper()
	if text == "" {
		return nil
	}
	e, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func names(users []directory.User) string {
	var out []string
	for _, u := range users {
		out = append(out, u.Username)
	}
	return strings.Join(out, " ")
}

func testUserFilters(t *testing.T, open opener) {
	const id = "11111111-1111-4111-8111-111111111111"
	users, _ := populace(t, open,
		directory.User{
			Username: "Ada", Given: "Ada", Family: "Lovelace", Email: "Ada@Example.com", Population: "p1", Enabled: true, ID: id,
			Profile: []byte(`{"mobilePhone":"+43 (1) 234-5","externalId":"E-1"}`),
		},
		directory.User{Username: "straße", Given: "Ömer", Family: "O'Neil", Email: "o@bücher.example", Population: "p2", Profile: []byte(`{"externalId":"` + strings.Repeat("e", 1024) + `"}`)},
		directory.User{Username: "a%b_c", Given: "100%", Family: "_x\\y", Population: "p1"},
		directory.User{Username: "last \U00020000", Given: "'; DROP TABLE users; --", Family: "Z\U0010FFFFz"},
	)
	for text, want := range map[string]string{
		``:                  "Ada straße a%b_c last \U00020000",
		`username eq "ADA"`: "Ada", `username eq "strasse"`: "straße", `username sw "STRA"`: "straße", `username sw "A"`: "Ada a%b_c",
		`username sw "%"`: "", `username sw "_"`: "", `username eq "a%b_c"`: "a%b_c", `username sw "a%"`: "a%b_c", `username sw "a_"`: "",
		`username sw "last "`: "last \U00020000", `username sw "ada "`: "", `username eq "\u200b"`: "", `username eq ""`: "",
		`username sw ""`: "Ada straße a%b_c last \U00020000", `username sw "last \ud840\udc00"`: "last \U00020000",
		`name.family eq "LOVELACE"`: "Ada", `name.family sw "o'"`: "straße", `name.given sw "ö"`: "straße", `name.given eq "100%"`: "a%b_c",
		`name.family sw "_X\\"`: "a%b_c", `name.family sw "z\udbff\udfff"`: "last \U00020000", `name.given eq "'; drop table users; --"`: "last \U00020000",
		`name.family eq ""`: "", `name.family sw ""`: "Ada straße a%b_c last \U00020000",
		`email eq "ADA@example.COM"`: "Ada", `email eq "O@BÜCHER.example"`: "straße", `email eq "o@xn--bcher-kva.example"`: "straße",
		`email sw "AD"`: "Ada", `email sw "ada@EX"`: "Ada", `email eq ""`: "", `email sw ""`: "Ada straße", `email eq "nobody@example.com"`: "",
		`mobilePhone eq "+431 2345"`: "Ada", `mobilePhone sw "+43"`: "Ada", `mobilePhone eq ""`: "", `mobilePhone sw "2345"`: "",
		`population.id eq "p1"`: "Ada a%b_c", `population.id eq "P1"`: "", `id eq "` + id + `"`: "Ada",
		`enabled eq true`: "Ada", `enabled eq false`: "straße a%b_c last \U00020000", `not (enabled eq true)`: "straße a%b_c last \U00020000",
		`externalId eq "E-1"`: "Ada", `externalId eq "e-1"`: "", `externalId eq "` + strings.Repeat("e", 1024) + `"`: "straße", `externalId eq ""`: "",
		`username eq "ada" or username sw "str"`: "Ada straße", `username sw "a" and population.id eq "p1" and not (username eq "ada")`: "a%b_c",
		`(username eq "ada" or username eq "strasse") and enabled eq false`: "straße", `username eq "ada" or username eq "strasse" and enabled eq true`: "Ada",
		`not (username eq "ada" or enabled eq true) and email sw ""`: "straße",
	} {
		p, err := users.List(t.Context(), env, directory.Query{Where: where(t, text)})
		if err != nil || names(p.Users) != want || p.Count != len(p.Users) || p.Next != "" {
			t.Errorf("%s: %q %d %v", text, names(p.Users), p.Count, err)
		}
		if n, err := users.Count(t.Context(), env, where(t, text)); err != nil || n != p.Count {
			t.Errorf("%s: %d %v", text, n, err)
		}
	}
	if p, err := users.List(t.Context(), "other", directory.Query{}); err != nil || len(p.Users) != 0 || p.Count != 0 {
		t.Errorf("elsewhere: %+v %v", p, err)
	}
	for _, text := range []string{`nickname eq "x"`, `username ew "x"`, `id sw "x"`, `enabled eq "true"`, `username eq true`, `username eq 1`, `username eq "a" and (email co "x")`} {
		var wrong *filter.Unsupported
		if _, err := users.List(t.Context(), env, directory.Query{Where: where(t, text)}); !errors.As(err, &wrong) || len(wrong.Attributes) != 9 {
			t.Errorf("%s: %v", text, err)
		}
	}
	odd := filter.Compare{Attribute: "name.given", Op: filter.Equal, Value: "a\x00\xff"}
	if p, err := users.List(t.Context(), env, directory.Query{Where: odd}); err != nil || len(p.Users) != 0 {
		t.Errorf("what no store can hold: %+v %v", p, err)
	}
}

func testUserPages(t *testing.T, open opener) {
	var people []directory.User
	for n := range 7 {
		people = append(people, directory.User{Username: fmt.Sprint("user", n), Enabled: n%2 == 0})
	}
	users, now := populace(t, open, people...)
	t.Run("of two show everybody once, also who comes meanwhile", func(t *testing.T) {
		var got []string
		q := directory.Query{Limit: 2}
		for page := range 6 {
			p, err := users.List(t.Context(), env, q)
			if err != nil || len(p.Users) > 2 || p.Count != 7+page && p.Count != 7+4 {
				t.Fatalf("%+v %v", p, err)
			}
			for _, u := range p.Users {
				got = append(got, u.Username)
			}
			if strings.ContainsAny(p.Next, "+/=?&") {
				t.Errorf("%q is not for a URL", p.Next)
			}
			if q.After = p.Next; q.After == "" {
				break
			}
			if page < 4 {
				if _, err := users.Create(t.Context(), directory.User{Env: env, Username: fmt.Sprint("anew", page)}, "", ""); err != nil {
					t.Fatal(err)
				}
				now.Move(time.Millisecond)
			}
		}
		if s := strings.Join(got, " "); s != "user0 user1 user2 user3 user4 user5 user6 anew0 anew1 anew2 anew3" {
			t.Error(s)
		}
	})
	t.Run("follow a filter, and go on where the last user was taken away", func(t *testing.T) {
		q := directory.Query{Where: where(t, `enabled eq true`), Limit: 2}
		p, err := users.List(t.Context(), env, q)
		if err != nil || names(p.Users) != "user0 user2" || p.Count != 4 {
			t.Fatalf("%+v %v", p, err)
		}
		now.Move(time.Second)
		if err := errors.Join(users.Delete(t.Context(), env, p.Users[1].ID), users.SetEnabled(t.Context(), env, p.Users[0].ID, true)); err != nil {
			t.Fatal(err)
		}
		q.After = p.Next
		if p, err = users.List(t.Context(), env, q); err != nil || names(p.Users) != "user4 user6" || p.Next != "" || p.Count != 3 {
			t.Errorf("%+v %v", p, err)
		}
	})
	t.Run("refuse cursors that were not made here", func(t *testing.T) {
		p, err := users.List(t.Context(), env, directory.Query{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		flipped := []byte(p.Next)
		flipped[15] ^= 1
		for where, after := range map[string]string{"short": "AAAA", "text": "not a cursor", "flipped": string(flipped), "longer": p.Next + "AAAA", "padded": p.Next + "="} {
			if _, err := users.List(t.Context(), env, directory.Query{After: after}); !errors.Is(err, directory.ErrCursor) {
				t.Errorf("%s: %v", where, err)
			}
		}
		if _, err := users.List(t.Context(), "other", directory.Query{After: p.Next}); !errors.Is(err, directory.ErrCursor) {
			t.Errorf("in another environment: %v", err)
		}
	})
}

func testMembers(t *testing.T, open opener) {
	users, _ := populace(t, open,
		directory.User{Username: "a", Population: "p1"}, directory.User{Username: "b", Population: "p2"}, directory.User{Username: "c", Population: "p1"})
	for name, row := range map[string]struct {
		env  string
		of   []string
		want map[string]int
	}{
		"some":      {env, []string{"p1", "p2", "none"}, map[string]int{"p1": 2, "p2": 1}},
		"one":       {env, []string{"p2"}, map[string]int{"p2": 1}},
		"no":        {env, nil, map[string]int{}},
		"elsewhere": {"other", []string{"p1"}, map[string]int{}},
	} {
		if got, err := users.Members(t.Context(), row.env, row.of); err != nil || !maps.Equal(got, row.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
