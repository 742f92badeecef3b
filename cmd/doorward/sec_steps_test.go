package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	visit "doorward/internal/journey"
)

// The statuses that the step kinds of this release reach.
const (
	anybody   = "USERNAME_PASSWORD_REQUIRED"
	bound     = "PASSWORD_REQUIRED"
	completed = "COMPLETED"
	failed    = "FAILED"
)

// check is the one action with a body.
const check = "usernamePassword.check"

// in brings a new flow of a new browser to a status.
func (x *trial) in(status string) *visit.Flow {
	x.Helper()
	var f *visit.Flow
	switch status {
	case anybody:
		f = x.browser().Start(shop.Ask())
	case bound: // known from the session, asked again
		c, _ := x.signedOn("ada")
		f = c.Start(shop.Ask("prompt", "login"))
	case completed:
		_, f = x.signedOn("ada")
	case failed:
		f = x.browser().Start(shop.Ask())
		f.Password("dora", passwords["dora"]).Is(200)
	}
	if got := f.Get().Flow().Status; got != status {
		x.Fatalf("the flow is in %s, want %s", got, status)
	}
	return f
}

// signedOn is a new browser in which somebody has just signed on, and the flow of
// it, which has not been resumed.
func (x *trial) signedOn(user string) (*visit.Client, *visit.Flow) {
	x.Helper()
	c := x.browser()
	f := c.Start(shop.Ask())
	if r := f.Password(user, passwords[user]).Flow(); r.Status != completed {
		x.Fatalf("%s is in %s after the password", user, r.Status)
	}
	return c, f
}

// tokens resumes a completed flow and redeems its code.
func (x *trial) tokens(f *visit.Flow) visit.Tokens {
	x.Helper()
	code := f.Resume().Is(302).Code()
	if code == "" {
		x.Fatal("a completed flow gave no code")
	}
	return f.Redeem(f.Ask, code).Tokens()
}

// claims are those of the ID token that a completed flow leads to.
func (x *trial) claims(f *visit.Flow) map[string]any {
	x.Helper()
	return x.tokens(f).Claims(x.T)
}

// unchanged does something that must be refused and holds that nothing moved: not
// the flow, not its links, not the browser's session, nothing that lasts.
func (x *trial) unchanged(f *visit.Flow, do func()) {
	x.Helper()
	said, flow, rows, keys := len(x.logs()), f.Standing(), x.rows(), x.redisKeys()
	do()
	if now := f.Standing(); fmt.Sprint(now) != fmt.Sprint(flow) {
		x.Errorf("the flow moved from %v to %v", flow, now)
	}
	if now := x.rows(); now != rows {
		x.Errorf("the database changed from\n%s\nto\n%s", rows, now)
	}
	for _, k := range x.redisKeys() {
		if !slices.Contains(keys, k) {
			x.Errorf("Redis has a new key %s; the log says\n%s", k, x.logs()[said:])
		}
	}
}

// rows is everything that a refusal must not change: users, failures, grants,
// devices.
func (x *trial) rows() string {
	x.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT env || id || username || enabled || password || email || population FROM users ORDER BY 1`,
		`SELECT env || key || count || locked_until FROM failures ORDER BY 1`,
		`SELECT env || id || redemptions || revoked_at FROM grants ORDER BY 1`,
		`SELECT env || id || user_id || type || status || step || sign_count || credential || blocked_at FROM devices ORDER BY 1`,
	} {
		out.WriteString(x.column(query))
	}
	return out.String()
}

func (x *trial) column(query string) string {
	x.Helper()
	rows, err := x.db.QueryContext(context.Background(), query) // at the end of the test, too
	if err != nil {
		x.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			x.Fatal(err)
		}
		out.WriteString(s + "\n")
	}
	if err := rows.Err(); err != nil {
		x.Fatal(err)
	}
	return out.String()
}

// failures is how many wrong passwords are counted for a user of the first
// environment.
func (x *trial) failures(user string) (n int) {
	x.Helper()
	err := x.db.QueryRowContext(x.Context(), `SELECT COALESCE(SUM(f.count), 0) FROM users u JOIN failures f ON f.env = u.env AND f.key = u.id
		WHERE u.env = $1 AND u.username = $2`, firstEnv, user).Scan(&n)
	if err != nil {
		x.Fatal(err)
	}
	return n
}

// exec changes the database behind the deployment's back, to let time pass there.
func (x *trial) exec(statement string, args ...any) {
	x.Helper()
	if _, err := x.db.ExecContext(x.Context(), statement, args...); err != nil {
		x.Fatal(err)
	}
}

// part names what failed in a test of several parts that share a deployment.
func (x *trial) part(name string, do func()) {
	x.Helper()
	well := false
	defer func() {
		if !well || x.Failed() {
			x.Logf("in: %s", name)
		}
	}()
	do()
	well = true
}

// mustJSON reads any JSON object.
func (x *trial) mustJSON(b []byte) (m map[string]any) {
	x.Helper()
	if err := json.Unmarshal(b, &m); err != nil {
		x.Fatalf("%v: %s", err, b)
	}
	return m
}
