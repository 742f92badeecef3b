package directory

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// keptStatements is how many compiled statements one connection keeps at most:
// more than there are texts of ours that do not depend on what is asked.
const keptStatements = 256

// keeping makes connections that keep the statements they have compiled, since
// SQLite takes longer to compile most of ours than to run them. It goes between
// database/sql and the driver, so that no query has to know.
type keeping struct{ driver.Connector }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connection of type %T", c), c.Close())
	}
	return &keeper{sqliteConn: inner, idle: map[string]statement{}}, nil
}

// sqliteConn is what a connection of the driver can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// statement is what a compiled statement of the driver can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keeper is one connection. database/sql lets one goroutine at a time use it and
// the rows read over it.
type keeper struct {
	sqliteConn
	idle map[string]statement // by text; one in use is not in here
}

func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(ctx, args)
	k.give(query, s, err)
	return r, err
}

func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		k.give(query, s, err)
		return nil, err
	}
	return &keptRows{Rows: r, k: k, query: query, s: s}, nil
}

// keptRows gives the statement back once they are closed.
type keptRows struct {
	driver.Rows
	k     *keeper
	query string
	s     statement
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.k.give(r.query, r.s, err)
	return err
}

// take returns a statement that nobody else uses until it is given back.
func (k *keeper) take(ctx context.Context, query string) (statement, error) {
	if s, ok := k.idle[query]; ok {
		delete(k.idle, query)
		return s, nil
	}
	s, err := k.PrepareContext(ctx, unnamed(query))
	if err != nil {
		return nil, err
	}
	return s.(statement), nil
}

// unnamed writes $1, $2 and so on as ?, which means the same where each comes once
// and in order; elsewhere it leaves the text alone. To SQLite $1 is a name, looked
// for in a list of them each time that it is given a value.
func unnamed(query string) string {
	parts := strings.Split(query, "$")
	for i, part := range parts[1:] {
		number := strconv.Itoa(i + 1)
		rest, found := strings.CutPrefix(part, number)
		if !found || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return query
		}
		parts[i+1] = rest
	}
	return strings.Join(parts, "?")
}

// give keeps a statement that did not fail. When there are too many any one of
// them makes room.
func (k *keeper) give(query string, s statement, failed error) {
	if _, other := k.idle[query]; other || failed != nil {
		_ = s.Close() // repeats failed
		return
	}
	if len(k.idle) >= keptStatements {
		for some, s := range k.idle {
			_ = s.Close()
			delete(k.idle, some)
			break
		}
	}
	k.idle[query] = s
}

// Close closes the statements too: SQLite leaves a connection open that has some.
func (k *keeper) Close() error {
	for _, s := range k.idle {
		_ = s.Close()
	}
	clear(k.idle)
	return k.sqliteConn.Close()
}
