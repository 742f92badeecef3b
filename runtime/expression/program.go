package expression

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Program is a compiled expression. It is immutable, and safe for concurrent use.
type Program struct {
	root  node
	paths [][]string
}

// Context is what an expression is evaluated against.
type Context struct {
	Root any              // a decoded JSON value; it is not changed
	Now  func() time.Time // the clock of #datetime.now(), which fails without

	shared *evaluation // nil: each has its own
}

// Together is a context whose evaluations have the limits of one, all of them
// together. They follow each other: it is not safe for concurrent use.
func (c Context) Together() Context {
	c.shared = newEvaluation(c)
	return c
}

// Error says what is wrong with an expression, or why it has no value. It holds
// nothing of the values.
type Error struct {
	Position int    // in characters, from 1
	Message  string // says what was expected
	Limit    bool   // a limit stopped it
}

func (e *Error) Error() string {
	return fmt.Sprintf("at character %d: %s", e.Position, e.Message)
}

// failed is an error of what stands at a character.
func failed(at int, format string, args ...any) error {
	return &Error{Position: at, Message: fmt.Sprintf(format, args...)}
}

// limited is the error of a limit that what stands at a character has passed.
func limited(at int, format string, args ...any) error {
	return &Error{Position: at, Message: fmt.Sprintf(format, args...), Limit: true}
}

// Compile reads an expression. roots are the names that may begin a path; none: any.
// With roots the whole of #root cannot be read, nor a member of it whose name is
// computed, so that Paths tells everything. The error is an *Error. It takes time
// in proportion to the length of source.
func Compile(source string, roots ...string) (*Program, error) {
	p := &parser{roots: roots}
	if err := p.lex(source); err != nil {
		return nil, err
	}
	root := p.expression()
	if t := p.peek(); p.err == nil && t.kind != end {
		p.unexpected(t, "an operator or the end")
	}
	p.judge()
	if p.err != nil {
		return nil, p.err
	}
	return &Program{root: root, paths: p.collect()}, nil
}

// Eval computes the value. The error is an *Error.
func (p *Program) Eval(ctx Context) (any, error) {
	return p.run(newEvaluation(ctx))
}

func (p *Program) run(e *evaluation) (any, error) {
	v, err := e.eval(p.root, e.root)
	if err != nil {
		return nil, err
	}
	return e.result(v)
}

// Paths is every path from the root that is read, as far as it is written out:
// {"inputs", "user", "name"} for inputs.user['name'], {"inputs", "list"} for
// inputs.list[0].id. Sorted, each once. An empty path is the whole root.
func (p *Program) Paths() [][]string { return p.paths }

// sorted is paths in order, each once.
func sorted(paths [][]string) [][]string {
	slices.SortFunc(paths, slices.Compare)
	return slices.CompactFunc(paths, slices.Equal)
}

// listed is names as a sentence has them: "a, b and c".
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
