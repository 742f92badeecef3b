package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	// serverPool is how many connections read, and as many others write. Two nodes
	// take 40 of the 100 that a server grants by default.
	serverPool = 10
	// connectTimeout is how long the server may take to let us in; where the URL
	// names several hosts each has its share, so that one that is silent leaves
	// time for the next.
	connectTimeout = 300 * time.Millisecond
	// lockTimeout is how long a statement waits for another transaction. The
	// server looks for deadlocks after 1 s only, so this ends them too.
	lockTimeout = 250 * time.Millisecond
	// abandoned is when the server ends the transaction of a node that stands still.
	abandoned = 2 * time.Second
	// serverIdle and serverLife are how long connections are kept, so that nodes
	// find back to a server that was replaced.
	serverIdle, serverLife = 5 * time.Minute, 30 * time.Minute
	// migrateWait is how long a node waits, in seconds, while another one migrates.
	migrateWait = 60
)

// OnServer reports whether a Path is the URL of a PostgreSQL database.
func OnServer(path string) bool {
	return strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://")
}

// place names a Path in errors: of a URL only what is no secret.
func place(path string) string {
	if !OnServer(path) {
		return path
	}
	u, err := parse(path)
	if err != nil {
		return "postgres://"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// parse reads a URL, and refuses one in which a password that was not
// percent-encoded has become part of something else.
func parse(path string) (*url.URL, error) {
	u, err := url.Parse(path)
	if err != nil || u.User == nil && strings.Contains(path, "@") {
		return nil, errors.New("give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the password percent-encoded")
	}
	return u, nil
}

// openServer opens a directory that lies in a PostgreSQL database.
func (d *DB) openServer(ctx context.Context) error {
	c, err := serverConfig(d.options.Path)
	if err != nil {
		return err
	}
	maker := d.serverPool(c, 2, openTimeout, map[string]string{"lock_timeout": ms(openTimeout)})
	defer maker.Close()
	if err := prepareServer(ctx, maker); err != nil {
		return err
	}
	// What the role or the database says about synchronous_commit does not count:
	// an acknowledged write lasts.
	w := d.serverPool(c, serverPool, connectTimeout, map[string]string{
		"statement_timeout": ms(d.brief()), "lock_timeout": ms(lockTimeout),
		"idle_in_transaction_session_timeout": ms(abandoned), "synchronous_commit": "on",
	})
	d.writer = &serverWriter{db: w}
	r := d.serverPool(c, serverPool, connectTimeout, map[string]string{
		"statement_timeout": ms(long), "default_transaction_read_only": "on",
	})
	d.reader, d.lists = pool{DB: r, patience: d.brief()}, pool{DB: r, patience: max(long, d.brief())}
	for range openAttempts { // the first connection may be slow on a machine that starts many things
		if err = errors.Join(w.PingContext(ctx), r.PingContext(ctx)); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// serverConfig reads the URL. What the driver says of one that it cannot read
// quotes it; the cause behind that does not.
func serverConfig(path string) (*pgx.ConnConfig, error) {
	if _, err := parse(path); err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(path)
	var bad *pgconn.ParseConfigError
	switch {
	case errors.As(err, &bad) && errors.Unwrap(bad) != nil:
		return nil, errors.Unwrap(bad)
	case errors.As(err, &bad):
		return nil, errors.New("the URL cannot be read: look at its port and parameters")
	case err != nil:
		return nil, err
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "doorward"
	}
	return c, nil
}

// serverPool makes a pool of connections with settings of their own, which win
// over those of the URL. They are sent when a connection is made, so that none
// is without them.
func (d *DB) serverPool(c *pgx.ConnConfig, size int, timeout time.Duration, settings map[string]string) *sql.DB {
	own := c.Copy()
	hosts := map[string]bool{net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))): true}
	for _, next := range c.Fallbacks { // a host is there twice when TLS is optional
		hosts[net.JoinHostPort(next.Host, strconv.Itoa(int(next.Port)))] = true
	}
	own.ConnectTimeout = timeout / time.Duration(len(hosts))
	for name, value := range settings {
		own.RuntimeParams[name] = value
	}
	connector := stdlib.GetConnector(*own)
	if d.options.Wrap != nil {
		connector = d.options.Wrap(connector)
	}
	p := sql.OpenDB(connector)
	p.SetMaxOpenConns(size)
	p.SetMaxIdleConns(size)
	p.SetConnMaxIdleTime(serverIdle)
	p.SetConnMaxLifetime(serverLife)
	return p
}

// prepareServer makes or updates the tables, one node after the other.
func prepareServer(ctx context.Context, maker *sql.DB) error {
	var encoding string
	if err := maker.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database is encoded in %s: make one with ENCODING 'UTF8'", encoding)
	}
	turn, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, migrateWait))
	if err != nil {
		return err
	}
	return migrate(ctx, maker, goose.DialectPostgres, goose.WithSessionLocker(turn))
}

// ms is d as PostgreSQL takes it.
func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
