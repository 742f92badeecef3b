package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/internal/pgtest"
)

// run runs statements beside the directory.
func run(t *testing.T, path string, statements ...string) {
	t.Helper()
	raw, err := sql.Open("pgx", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, s := range statements {
		if _, err := raw.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// with changes a URL.
func with(t *testing.T, path string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func TestPostgresConnectionsAreDurableAndBounded(t *testing.T) {
	path := with(t, pgtest.Database(t), func(u *url.URL) { u.RawQuery += "&synchronous_commit=off&statement_timeout=0&lock_timeout=0" })
	db := openAt(t, path, directory.Options{Patience: hasty})
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for setting, want := range map[string]string{
			"synchronous_commit": "on", "transaction_isolation": "read committed", "statement_timeout": "400ms",
			"lock_timeout": "250ms", "idle_in_transaction_session_timeout": "2s", "application_name": "doorward",
		} {
			var got string
			if err := tx.QueryRowContext(ctx, `SHOW `+setting).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s", setting, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Reader().Exec(`DELETE FROM users`); err == nil {
		t.Error("the reader changed something")
	}
}

func TestPostgresTakesASchemaFromTheURL(t *testing.T) {
	path := pgtest.Database(t)
	run(t, path, `CREATE SCHEMA one`, `CREATE SCHEMA two`)
	for _, schema := range []string{"one", "two"} {
		db := openAt(t, with(t, path, func(u *url.URL) { u.RawQuery += "&search_path=" + schema }), directory.Options{})
		if err := putRow(db, "the same row in each", time.Now(), 1); err != nil {
			t.Error(err)
		}
	}
}

func TestPostgresRefusesADatabaseOfAnotherEncoding(t *testing.T) {
	path := pgtest.Database(t)
	run(t, path, `CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	defer run(t, path, `DROP DATABASE latin WITH (FORCE)`)
	db, err := directory.Open(t.Context(), directory.Options{Path: with(t, path, func(u *url.URL) { u.Path = "/latin" }), Now: time.Now})
	if err == nil {
		_ = db.Close()
		t.Fatal("opened")
	}
	if !strings.Contains(err.Error(), "LATIN1") {
		t.Error(err)
	}
}

// A node needs to own the tables only when it is the first of its version.
func TestPostgresServesARoleThatMayOnlyUseTheTables(t *testing.T) {
	path := pgtest.Database(t)
	run(t, path, `CREATE ROLE clerk LOGIN`)
	defer run(t, path, `DROP OWNED BY clerk`, `DROP ROLE clerk`)
	clerk := with(t, path, func(u *url.URL) { u.User = url.User("clerk") })
	if db, err := directory.Open(t.Context(), directory.Options{Path: clerk, Now: time.Now}); err == nil {
		_ = db.Close()
		t.Error("made tables without the right to")
	}
	openAt(t, path, directory.Options{})
	run(t, path, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk`)
	db, err := directory.Open(t.Context(), directory.Options{Path: clerk, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPostgresErrorsKeepThePassword(t *testing.T) {
	const secret = "canary"
	server := pgtest.Start(t)
	good := server.URL()
	wrong := with(t, good, func(u *url.URL) { u.User = url.UserPassword("doorward", secret) })
	for name, path := range map[string]string{
		"nobody listens":        "postgres://doorward:" + secret + "@127.0.0.1:1/directory",
		"wrong password":        wrong,
		"in a parameter":        "postgres://" + server.Addr + "/postgres?sslmode=disable&user=doorward&password=" + secret,
		"no such database":      with(t, good, func(u *url.URL) { u.Path = "/missing" }),
		"no TLS there":          with(t, good, func(u *url.URL) { u.RawQuery = "sslmode=require" }),
		"no such mode":          with(t, wrong, func(u *url.URL) { u.RawQuery = "sslmode=perhaps" }),
		"no such file":          with(t, wrong, func(u *url.URL) { u.RawQuery = "sslmode=verify-full&sslrootcert=/nowhere" }),
		"bad port":              "postgres://doorward:" + secret + "@127.0.0.1:port/directory",
		"port too large":        "postgres://doorward:" + secret + "@127.0.0.1:99999/directory",
		"bad escape":            "postgres://doorward:" + secret + "%zz@127.0.0.1/directory",
		"a slash in it":         "postgres://doorward:12/" + secret + "@127.0.0.1/directory",
		"a question mark in it": "postgres://doorward:12?" + secret + "@127.0.0.1/directory",
		"a number sign in it":   "postgres://doorward:12#" + secret + "@127.0.0.1/directory",
		"a colon in it":         "postgresql://doorward:12:" + secret + "@127.0.0.1:1/directory",
	} {
		t.Run(name, func(t *testing.T) {
			db, err := directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			t.Log(err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err)} {
				if strings.Contains(text, secret) || strings.Contains(text, pgtest.Password) {
					t.Errorf("the password is in %q", text)
				}
			}
		})
	}
}
