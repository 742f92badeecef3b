package expression

import (
	"fmt"
	"math"
	"slices"
)

// function is one of a library.
type function struct {
	least, most int // arguments
	run         func(*call) any
	patterns    bool // its second, fourth, … argument is a regular expression
	whole       bool // it is of the whole text
}

func (f function) arity() string {
	if f.least < f.most {
		return fmt.Sprintf("%d to %d arguments", f.least, f.most)
	}
	if f.least == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", f.least)
}

func libraries() []string {
	return []string{"#string", "#datetime", "#data", "#regex", "#crypto", "#core"}
}

func isLibrary(named string) bool { return slices.Contains(libraries(), "#"+named) }

// lookup finds a function. It is asked when an expression is compiled, so that no
// table has to be made when the program starts.
func lookup(library, named string) (f function, ok bool) {
	switch library {
	case "string":
		if f, ok = stringFunction(named); !ok {
			f, ok = conversion(named)
		}
	case "datetime":
		if f, ok = dateFunction(named); !ok {
			f, ok = periodFunction(named)
		}
	case "data":
		f, ok = dataFunction(named)
	case "regex":
		f, ok = regexFunction(named)
	case "crypto":
		f, ok = cryptoFunction(named)
	case "core":
		f, ok = coreFunction(named)
	}
	return f, ok
}

// call is one call of a function. Its arguments are as norm leaves them. A function
// reads them by the methods below; after the first error what it comes to is not
// looked at.
type call struct {
	e    *evaluation
	at   int
	name string
	args []any
	err  error
}

func (c *call) fail(format string, args ...any) {
	if c.err == nil {
		c.err = failed(c.at, c.name+" expected "+format, args...)
	}
}

// is notes an error, and reports whether there is none.
func (c *call) is(err error) bool {
	if c.err == nil {
		c.err = err
	}
	return c.err == nil
}

// null reports whether an argument is nothing, or is not there.
func (c *call) null(i int) bool { return i >= len(c.args) || c.args[i] == nil }

// text is an argument as text; of nothing it is empty.
func (c *call) text(i int) string {
	if c.null(i) {
		return ""
	}
	if s, ok := c.args[i].(string); ok {
		c.is(c.e.work(c.at, len(s)))
		return s
	}
	s, err := c.e.text(c.at, c.args[i])
	c.is(err)
	return s
}

// int is an argument of type int. Text that is one counts.
func (c *call) int(i int) int {
	v := c.args[i]
	if s, ok := v.(string); ok && len(s) < 12 {
		v = fromText(s)
	}
	n, ok := whole(v)
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		c.fail("a whole number of 32 bits as argument %d", i+1)
		return 0
	}
	return int(n)
}

// list are the elements of an argument. One that is nothing has none; one that is
// no list is an error.
func (c *call) list(i int) []any {
	if c.null(i) {
		return nil
	}
	items, ok := elements(c.args[i])
	if !ok {
		c.fail("a list as argument %d, not %s", i+1, describe(c.args[i]))
	}
	return items
}

// made hands out new text.
func (c *call) made(s string) any {
	if !c.is(c.e.make(c.at, len(s))) {
		return nil
	}
	return s
}

// room reports whether n bytes of text may still be made. Whoever makes more than
// it was given asks before.
func (c *call) room(n int) bool {
	if n < 0 || n > c.e.bytes {
		c.is(limited(c.at, "makes more than %d bytes of text", maxBytes))
		return false
	}
	return true
}
