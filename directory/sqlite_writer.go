package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// groupMax is how many writes share one commit at most.
const groupMax = 128

// lookAgain is how often begin looks whether another process has left the file.
// SQLite's own busy handler waits ever longer between looks, up to 100 ms, and
// so does not get in beside a process that writes all the time.
const lookAgain = 500 * time.Microsecond

// politeFor is how many groups a writer that has met another process leaves the
// file alone for a moment before it begins, so that the other's look finds it.
const politeFor = 1000

// fileWriter is the one goroutine that changes the file. While it waits for the
// disk other writes gather, and the next commit takes them together.
type fileWriter struct {
	db      *sql.DB
	queue   chan *job // unbuffered: what is not taken was never started
	closing chan struct{}
	once    sync.Once
	done    sync.WaitGroup
	polite  int // groups still to be polite for
}

type job struct {
	fn       func(*sql.Tx) error
	one      bool // statement
	err      error
	panicked any
	done     chan struct{}
}

func newFileWriter(db *sql.DB) *fileWriter {
	return &fileWriter{db: db, queue: make(chan *job), closing: make(chan struct{})}
}

func (w *fileWriter) start() {
	w.done.Go(func() {
		for {
			select {
			case <-w.closing:
				return
			case j := <-w.queue:
				w.run([]*job{j})
			}
		}
	})
}

func (w *fileWriter) close() error {
	w.once.Do(func() { close(w.closing) })
	w.done.Wait()
	return w.db.Close()
}

// do implements writer. The statements run under a context that does not end,
// since interrupting one would take down the whole transaction; a file answers
// within busyTimeout or not at all, so that patience has nothing to add.
func (w *fileWriter) do(ctx context.Context, _ time.Duration, fn func(context.Context, *sql.Tx) error) error {
	inner := context.WithoutCancel(ctx)
	return w.take(ctx, &job{fn: func(tx *sql.Tx) error { return fn(inner, tx) }, done: make(chan struct{})})
}

// one implements writer.
func (w *fileWriter) one(ctx context.Context, _ time.Duration, fn func(context.Context, querier) error) error {
	inner := context.WithoutCancel(ctx)
	return w.take(ctx, &job{fn: func(tx *sql.Tx) error { return fn(inner, tx) }, one: true, done: make(chan struct{})})
}

// take has a job done, unless ctx ends before it is begun.
func (w *fileWriter) take(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return ErrClosed
	}
	<-j.done
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

// run brings a group to its end. A job whose failure took the transaction down
// with it (an interrupt, a full disk) leaves, and the others are run again.
func (w *fileWriter) run(group []*job) {
	for len(group) > 0 {
		tx, err := w.begin()
		runtime.Gosched() // whoever is about to write gets there: a commit costs more than a write
		group = w.gather(group)
		if err != nil {
			finish(group, fmt.Errorf("begin: %w", err))
			return
		}
		spoiler := w.attempt(tx, group)
		if spoiler == nil {
			return
		}
		rest := group[:0:0]
		for _, j := range group {
			if j != spoiler {
				rest = append(rest, j)
			}
		}
		group = rest
		finish([]*job{spoiler}, nil)
	}
}

// begin takes the file for writing, waiting for other processes up to
// busyTimeout.
func (w *fileWriter) begin() (*sql.Tx, error) {
	patience, cancel := context.WithTimeout(context.Background(), busyTimeout)
	defer cancel()
	if w.polite > 0 {
		w.polite--
		time.Sleep(2 * lookAgain)
	}
	for {
		tx, err := w.db.BeginTx(context.Background(), nil)
		if code(err) != sqlite3.SQLITE_BUSY || patience.Err() != nil {
			return tx, err
		}
		w.polite = politeFor
		time.Sleep(lookAgain)
	}
}

// gather adds the writes that wait now.
func (w *fileWriter) gather(group []*job) []*job {
	for len(group) < groupMax {
		select {
		case j := <-w.queue:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// attempt runs and commits a group. It returns the job that spoiled the
// transaction, if one did; then nothing was committed.
func (w *fileWriter) attempt(tx *sql.Tx, group []*job) *job {
	for _, j := range group {
		if !j.run(tx, len(group) == 1) {
			_ = tx.Rollback()
			return j
		}
	}
	err := tx.Commit()
	if err != nil {
		_ = tx.Rollback()
		err = fmt.Errorf("commit: %w", err)
	}
	finish(group, err)
	return nil
}

// run runs one job and reports whether the transaction can go on. In a group it
// runs between savepoints, so that its failure undoes its own changes only; a
// statement that finds no row has made none.
func (j *job) run(tx *sql.Tx, alone bool) bool {
	j.err, j.panicked = nil, nil
	if alone || j.one {
		j.call(tx)
		return j.err == nil || !alone && errors.Is(j.err, sql.ErrNoRows)
	}
	if _, err := tx.ExecContext(context.Background(), `SAVEPOINT job`); err != nil {
		j.err = err
		return false
	}
	j.call(tx)
	if j.err != nil {
		if _, err := tx.ExecContext(context.Background(), `ROLLBACK TO SAVEPOINT job`); err != nil {
			return false
		}
	}
	if _, err := tx.ExecContext(context.Background(), `RELEASE SAVEPOINT job`); err != nil {
		if j.err == nil {
			j.err = err
		}
		return false
	}
	return true
}

// call keeps a panic for the caller's goroutine: it is the caller's failure, not
// the writer's.
func (j *job) call(tx *sql.Tx) {
	defer func() {
		if j.panicked = recover(); j.panicked != nil {
			j.err = fmt.Errorf("panic: %v", j.panicked)
		}
	}()
	j.err = j.fn(tx)
}

// finish answers the jobs; err, when set, is everybody's.
func finish(group []*job, err error) {
	for _, j := range group {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}
