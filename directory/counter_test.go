package directory_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
)

var errDisk = errors.New("disk is gone")

// counter counts and notes what reaches the driver, and fails statements that
// begin with a word.
type counter struct {
	reads, commits atomic.Int64 // reads: queries outside a transaction
	fail           atomic.Pointer[string]

	mu    sync.Mutex
	texts []string // of every statement, in their order
}

// statements returns what reached the driver since the last call.
func (c *counter) statements() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.texts
	c.texts = nil
	return out
}

func (c *counter) wrap(inner driver.Connector) driver.Connector { return connector{inner, c} }

func (c *counter) check(statement string) error {
	c.mu.Lock()
	c.texts = append(c.texts, statement)
	c.mu.Unlock()
	if w := c.fail.Load(); w != nil && strings.HasPrefix(statement, *w) {
		return errDisk
	}
	return nil
}

type connector struct {
	driver.Connector
	*counter
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, counter: c.counter}, nil
}

type conn struct {
	driver.Conn
	*counter
	busy bool
}

func (c *conn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.check(q); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *conn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.check(q); err != nil {
		return nil, err
	}
	if !c.busy {
		c.reads.Add(1)
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.check("BEGIN"); err != nil {
		return nil, err
	}
	inner, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	c.busy = true
	return tx{inner, c}, nil
}

type tx struct {
	driver.Tx
	*conn
}

func (t tx) Commit() error {
	if err := t.check("COMMIT"); err != nil {
		return errors.Join(err, t.Rollback())
	}
	t.busy = false
	t.commits.Add(1)
	return t.Tx.Commit()
}

func (t tx) Rollback() error {
	t.busy = false
	return t.Tx.Rollback()
}
