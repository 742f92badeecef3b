package document

import (
	"strconv"
	"strings"
)

// Path is where in a JSON document something stands, as a JSONPath: "$" is the
// whole, "$.or[1].equals" a part. Source: RFC 9535.
type Path string

// Root is the whole document.
const Root Path = "$"

// Member is the named member of the object at p. Names other than letters,
// digits and underscores are written in brackets, quoted.
func (p Path) Member(name string) Path {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if plain {
		return p + "." + Path(name)
	}
	return p + Path("["+strconv.QuoteToASCII(name)+"]")
}

// Index is the element of the array at p, counted from 0.
func (p Path) Index(i int) Path { return p + Path("["+strconv.Itoa(i)+"]") }

// Under is p as seen from a document that holds this one at parent.
func (p Path) Under(parent Path) Path { return parent + Path(strings.TrimPrefix(string(p), "$")) }

// Pointer is p as a JSON pointer; the whole document is "". Source: RFC 6901.
func (p Path) Pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for rest := strings.TrimPrefix(string(p), "$"); rest != ""; {
		var part string
		if quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(rest, "[")); rest[0] == '[' && err == nil {
			part, _ = strconv.Unquote(quoted) // cannot fail: it was quoted
			rest = strings.TrimPrefix(rest[1+len(quoted):], "]")
		} else {
			rest = strings.TrimLeft(rest, ".[")
			end := strings.IndexAny(rest, ".[]")
			if end < 0 {
				end = len(rest)
			}
			part, rest = rest[:end], strings.TrimPrefix(rest[end:], "]")
		}
		b.WriteString("/" + escape.Replace(part))
	}
	return b.String()
}

// Fault is one thing that is wrong in a document.
type Fault struct {
	Path    Path
	Message string
	Code    string // as reference/management.md 7.4 names it; empty: INVALID_VALUE
}

func (f Fault) Error() string { return string(f.Path) + ": " + f.Message }

// Faults is everything that is wrong in a document, in the order it was found.
type Faults []Fault

// Add appends a fault.
func (f *Faults) Add(p Path, message string) { *f = append(*f, Fault{Path: p, Message: message}) }

// AddCode appends a fault of a code of its own.
func (f *Faults) AddCode(p Path, code, message string) { *f = append(*f, Fault{p, message, code}) }

// Merge appends the faults of a document that stands at parent in this one.
func (f *Faults) Merge(parent Path, of Faults) {
	for _, x := range of {
		f.AddCode(x.Path.Under(parent), x.Code, x.Message)
	}
}

// Err is nil when there is no fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}
