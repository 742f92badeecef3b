package directory_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"doorward/directory"
	"doorward/runtime/flow"
)

func testFindUsers(t *testing.T, open opener) {
	e := newEstate(t, open)
	for name, change := range map[string]func(u *directory.User) error{
		"ada":      func(u *directory.User) error { u.Profile = []byte(`{"externalId":"x"}`); return nil },
		"bea":      func(u *directory.User) error { u.Email = "Shared@example.com"; return nil },
		"disabled": func(u *directory.User) error { u.Email = "shared@EXAMPLE.com"; return nil },
		"external": func(u *directory.User) error { u.EmailVerified = true; return nil },
		"locked":   func(u *directory.User) error { u.Email = "external@example.com"; return nil },
	} {
		if _, err := e.users.Update(t.Context(), env, e.ids[name], change); err != nil {
			t.Fatal(err)
		}
	}
	type ask struct{ attribute, value string }
	for who, asks := range map[string][]ask{
		"ada":      {{"username", " ADA "}, {"email", "Ada@example.COM"}, {"id", e.ids["ada"]}, {"externalId", "x"}},
		"external": {{"email", "External@example.com"}}, // also beside one who only says so
		"":         {{"username", "nobody"}, {"username", "\u200b"}, {"username", ""}, {"email", ""}, {"email", "shared@example.com"}, {"email", "x\x00\xff"}, {"id", ""}, {"id", "x"}, {"externalId", ""}, {"externalId", "X"}},
	} {
		for _, a := range asks {
			u, err := e.users.Find(t.Context(), env, a.attribute, a.value)
			if u.Username != who || errors.Is(err, flow.ErrUnknown) != (who == "") || err != nil && who != "" {
				t.Errorf("%+v: %q %v", a, u.Username, err)
			}
		}
	}
	for _, attribute := range directory.UniqueAttributes() {
		e.sameShape([]string{"ada", "nobody", "shared@example.com", e.ids["ada"], "x", ""}, func(value string) {
			_, _ = e.users.Find(t.Context(), env, attribute, value)
		})
	}
	if _, err := e.users.Find(t.Context(), env, "name.family", "x"); err == nil || errors.Is(err, flow.ErrUnknown) {
		t.Error(err)
	}
	for _, row := range []struct {
		address, except string
		taken           bool
	}{
		{"Ada@Example.com", "", true},
		{"Ada@Example.com", "ada", false}, // theirs, written in another way
		{"shared@example.com", "bea", true},
		{"shared@example.com", "", true},
		{"nobody@example.com", "", false},
		{"", "", false},
	} {
		if taken, err := e.users.EmailTaken(t.Context(), env, row.address, e.ids[row.except]); err != nil || taken != row.taken {
			t.Errorf("%+v: %v %v", row, taken, err)
		}
	}
	e.unsorted(func() { _, _ = e.users.Find(t.Context(), env, "email", "shared@example.com") })
}

// unsorted holds that the query of a call takes its rows as an index has them: it reads
// no more of them than it returns, however many there are.
func (e *estate) unsorted(call func()) {
	e.t.Helper()
	e.count.statements()
	call()
	asked := e.count.statements()
	if len(asked) != 1 {
		e.t.Fatalf("%d statements", len(asked))
	}
	explain, sorts := "EXPLAIN QUERY PLAN ", "TEMP B-TREE"
	tx, err := e.db.Reader().BeginTx(e.t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(e.t.Context(), `SET LOCAL enable_sort = off`); err == nil { // a few rows would be sorted
		explain, sorts = "EXPLAIN ", "Sort"
	}
	rows, err := tx.QueryContext(e.t.Context(), explain+asked[0], env, "shared@example.com")
	if err != nil {
		e.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		e.t.Fatal(err)
	}
	cells := make([]any, len(columns))
	for i := range cells {
		cells[i] = new(string)
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			e.t.Fatal(err)
		}
		if line := *cells[len(cells)-1].(*string); strings.Contains(line, sorts) {
			e.t.Errorf("%s\n%s", asked[0], line)
		}
	}
	if err := rows.Err(); err != nil {
		e.t.Fatal(err)
	}
}
