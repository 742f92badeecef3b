package directory_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"doorward/directory"
	"doorward/runtime/filter"

	"pgregory.net/rapid"
)

// testFiltersAsDocuments holds that a filter finds in the tables whom it finds
// among the same users as documents, whatever it says.
func testFiltersAsDocuments(t *testing.T, open opener) {
	values := []string{"a", "ab", "abc", "b%", "b_", "_", "%", "a%c", "Ab", "a'b", `a\b`, "p1", "+4"}
	var people []directory.User
	docs := map[string]map[string]any{}
	for i, name := range values[:11] {
		u := directory.User{
			Username: name + "#", Given: values[(i*3)%11], Family: values[(i*5)%11], Population: values[11-i%2], Enabled: i%3 == 0,
			Email: name + "@x.example", Profile: []byte(`{"externalId":"` + string(rune('a'+i)) + `"}`), ID: "id" + string(rune('a'+i)),
		}
		people = append(people, u)
		docs[u.Username] = map[string]any{
			"username": u.Username, "name": map[string]any{"given": u.Given, "family": u.Family}, "population": map[string]any{"id": u.Population},
			"enabled": u.Enabled, "email": u.Email, "externalId": string(rune('a' + i)), "id": u.ID,
		}
	}
	people = slices.DeleteFunc(people, func(u directory.User) bool { return u.Username == "Ab#" }) // is ab#
	delete(docs, "Ab#")
	users, _ := populace(t, open, people...)
	allowed := directory.UserAttributes()
	var draw func(r *rapid.T, depth int) filter.Expr
	draw = func(r *rapid.T, depth int) filter.Expr {
		kind := rapid.IntRange(0, 3).Draw(r, "kind")
		if depth == 0 {
			kind = 0
		}
		switch kind {
		case 1:
			return filter.And{draw(r, depth-1), draw(r, depth-1)}
		case 2:
			return filter.Or{draw(r, depth-1), draw(r, depth-1), draw(r, depth-1)}
		case 3:
			return filter.Not{Expr: draw(r, depth-1)}
		}
		c := filter.Compare{Attribute: rapid.SampledFrom(slices.Sorted(maps.Keys(allowed))).Draw(r, "attribute")}
		c.Op = rapid.SampledFrom(allowed[c.Attribute]).Draw(r, "operator")
		switch value := rapid.SampledFrom(values).Draw(r, "value"); c.Attribute {
		case "enabled":
			c.Value = len(value)%2 == 0
		case "username":
			c.Value = value + map[bool]string{true: "#"}[c.Op == filter.Equal]
		case "email":
			c.Value = value + map[bool]string{true: "@x.example"}[c.Op == filter.Equal]
		case "id":
			c.Value = "id" + strings.ToLower(value[:1]) // ids have a case
		default:
			c.Value = value
		}
		return c
	}
	rapid.Check(t, func(r *rapid.T) {
		e := draw(r, 3)
		var want, got []string
		for name, doc := range docs {
			if filter.Match(e, doc) {
				want = append(want, name)
			}
		}
		p, err := users.List(t.Context(), env, directory.Query{Where: e})
		for _, u := range p.Users {
			got = append(got, u.Username)
		}
		slices.Sort(want)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) || p.Count != len(want) {
			r.Fatalf("%+v finds %q, %d, and not %q, %v", e, got, p.Count, want, err)
		}
	})
}
