package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/filter"
)

// pageMax is how many users one page holds at most.
// Source: reference/management.md 7.3.
const pageMax = 200

// Query asks for users.
type Query struct {
	Where filter.Expr // nil: all of them
	After string      // Next of the page before; empty: from the first
	Limit int         // of the page; 0, and what is over 200, is 200
}

// Page is some users, those who were made first at the beginning.
type Page struct {
	Users []User
	Next  string // After of the next page, which can stand in a URL; empty: this is the last
	Count int    // of users on all pages
}

// List returns one page. Pages are of an order that never changes: whoever is
// there all the while stands on one of them, once. Whoever comes meanwhile stands
// on a later one, or on none when they came in the millisecond in which the last
// page ends, or by the clock of another node before it. It fails with ErrCursor,
// or with a *filter.Unsupported as UserAttributes says.
func (s *Users) List(ctx context.Context, env string, q Query) (Page, error) {
	c := condition{args: []any{env}}
	if err := c.add(q.Where); err != nil {
		return Page{}, err
	}
	var p Page
	err := s.db.lists.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE env = $1 AND `+c.text, c.args...).Scan(&p.Count)
	if err != nil {
		return Page{}, fmt.Errorf("count users: %w", err)
	}
	last := mark{at: -1}
	if q.After != "" {
		if last, err = readCursor("users/"+env, q.After); err != nil {
			return Page{}, err
		}
	}
	if q.Limit <= 0 || q.Limit > pageMax {
		q.Limit = pageMax
	}
	args := append(slices.Clip(c.args), last.at, last.id, q.Limit+1)
	n := len(args)
	rows, err := s.db.lists.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM users WHERE env = $1 AND %s AND (created_at, id) > ($%d, $%d)
		ORDER BY created_at, id LIMIT $%d`, userColumns, c.text, n-2, n-1, n), args...)
	if err != nil {
		return Page{}, fmt.Errorf("list users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return Page{}, fmt.Errorf("list users: %w", err)
		}
		if len(p.Users) == q.Limit { // there is more
			end := p.Users[q.Limit-1]
			p.Next = mark{millis(end.CreatedAt), end.ID}.cursor("users/" + env)
			break
		}
		p.Users = append(p.Users, u)
	}
	return p, rows.Err()
}

// Count is how many users there are. It fails as List does.
func (s *Users) Count(ctx context.Context, env string, where filter.Expr) (int, error) {
	c := condition{args: []any{env}}
	if err := c.add(where); err != nil {
		return 0, err
	}
	var n int
	err := s.db.lists.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE env = $1 AND `+c.text, c.args...).Scan(&n)
	return n, err
}

// Members is how many users each of the populations has; one that has none is not
// among them.
func (s *Users) Members(ctx context.Context, env string, populations []string) (map[string]int, error) {
	out := map[string]int{}
	if len(populations) == 0 {
		return out, nil
	}
	in, args := among([]any{env}, populations)
	rows, err := s.db.lists.QueryContext(ctx, `SELECT population, COUNT(*) FROM users WHERE env = $1 AND population IN (`+in+`) GROUP BY population`, args...)
	if err != nil {
		return nil, fmt.Errorf("count users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fmt.Errorf("count users: %w", err)
		}
		out[id] = n
	}
	return out, rows.Err()
}

// among is a list of parameters for values that are appended to args.
func among(args []any, values []string) (string, []any) {
	var in []string
	for _, v := range values {
		args = append(args, v)
		in = append(in, fmt.Sprintf("$%d", len(args)))
	}
	return strings.Join(in, ", "), args
}
