package directory_test

import (
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"doorward/directory"

	"github.com/pressly/goose/v3"
)

// asBefore makes the tables of the second version, with one user as that version
// wrote them.
func asBefore(t *testing.T, path string) {
	t.Helper()
	driver, dialect, folder := "sqlite", goose.DialectSQLite3, "sqlite"
	if directory.OnServer(path) {
		driver, dialect, folder = "pgx", goose.DialectPostgres, "postgres"
	}
	raw, err := sql.Open(driver, path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	p, err := goose.NewProvider(dialect, raw, os.DirFS("migrations/"+folder), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]any{{env, "u1", "Ömer", "ömer", "ÖMER", "Straße"}, {env, "u0", "Ada", "ada", "ADA", "O'Neil~ Lovelace"}} {
		if _, err := raw.ExecContext(t.Context(), byVersion2, row...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.UpTo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if s := sorted(t, raw, `SELECT given_key || '.' || family_key FROM users WHERE given_key IS NOT NULL`); s != "ada.o'neil~ lovelace" {
		t.Errorf("the migration itself knows %s", s)
	}
}

const byVersion2 = `INSERT INTO users (env, id, username, name_key, population, enabled, password, type, email, email_key, email_verified,
		given, family, locale, created_at, updated_at, last_sign_on_at, last_sign_on_ip)
	VALUES ($1, $2, $3, $4, 'p1', TRUE, '', '', '', '', FALSE, $5, $6, '', 1000, 1000, 0, '')`

// TestUsersOfBeforeAreFoundAndChanged holds what the third migration makes of rows
// that were there, and of those that a node of the version before adds after it.
func TestUsersOfBeforeAreFoundAndChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, path string) {
		t.Helper()
		if !directory.OnServer(path) {
			path = t.TempDir() + "/directory.db"
		}
		asBefore(t, path)
		for round, want := range []string{"Ömer", "Ömer beside"} {
			db, err := directory.Open(t.Context(), directory.Options{Path: path, Now: time.Now, Patience: patient})
			if err != nil {
				t.Fatal(err)
			}
			users := directory.NewUsers(db, directory.NewHasher(cheap(), 1, time.Now), time.Now)
			p, err := users.List(t.Context(), env, directory.Query{Where: where(t, `name.given sw "öm" and name.family eq "STRASSE"`)})
			if err != nil || names(p.Users) != want || string(p.Users[round].Profile) != "{}" || p.Users[round].MFAEnabled {
				t.Errorf("%+v %v", p, err)
			}
			if p, err = users.List(t.Context(), env, directory.Query{Where: where(t, `mobilePhone sw "" or externalId eq ""`)}); err != nil || p.Count != 0 {
				t.Errorf("%+v %v", p, err)
			}
			if _, err = users.Update(t.Context(), env, "u1", func(u *directory.User) error { u.Profile = []byte(`{"title":"Dr."}`); return nil }); err != nil {
				t.Error(err)
			}
			if round == 0 {
				err = db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, byVersion2, env, "u2", "beside", "beside", "Öm", "STRASSE")
					return err
				})
			}
			if err != nil {
				t.Error(err)
			}
			if n := rows(t, db, "users WHERE given_key IS NULL"); n != 1-round {
				t.Errorf("%d users without keys", n)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
