package expression

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Template is text that is an expression, holds some between ${ and }, or is
// literal. It is immutable, and safe for concurrent use.
type Template struct {
	parts []piece
	paths [][]string
	doubt *Error
}

// piece is an expression, or text.
type piece struct {
	text    string
	program *Program // nil: text
	at      int      // where the program begins, in characters from 0
}

// CompileTemplate reads a text.
//
//  1. What is an expression whose paths begin with roots is evaluated: 'a' is a.
//  2. In what holds ${…}, each is put in: text as it is, numbers as the language
//     prints them, lists and objects as JSON, nothing as nothing. One that is the
//     whole text keeps its type.
//  3. Everything else stands for itself.
//
// Whoever gives no roots gets an expression out of every word. The error is an
// *Error: a ${ without }, or what is between them is no expression; text alone is
// never wrong, but see Doubt. Source: reference/management.md 1.7.
func CompileTemplate(text string, roots ...string) (*Template, error) {
	if strings.TrimSpace(text) == "" {
		return &Template{parts: []piece{{text: text}}}, nil
	}
	program, err := Compile(text, roots...)
	if err == nil {
		return &Template{parts: []piece{{program: program}}, paths: program.Paths()}, nil
	}
	if !strings.Contains(text, "${") {
		t := &Template{parts: []piece{{text: text}}}
		if seems(text, roots) {
			t.doubt = err.(*Error) //nolint:errorlint // Compile has no other
		}
		return t, nil
	}
	return interpolated(text, roots)
}

// seems reports whether text that is no expression looks as if it should be one.
func seems(text string, roots []string) bool {
	for _, library := range libraries() {
		if strings.Contains(text, library+".") {
			return true
		}
	}
	return slices.ContainsFunc(roots, func(root string) bool {
		return strings.Contains(text, root+".") || strings.Contains(text, root+"[")
	})
}

func interpolated(text string, roots []string) (*Template, error) {
	if len(text) > maxText {
		return nil, failed(1, "expected a text of at most %d bytes around ${ }", maxText)
	}
	t := &Template{}
	for at := 0; at < len(text); {
		plain, behind, found := strings.Cut(text[at:], "${")
		if plain != "" {
			t.parts = append(t.parts, piece{text: plain})
		}
		if !found {
			break
		}
		from := len(text) - len(behind)
		position := utf8.RuneCountInString(text[:from])
		n := closing(behind)
		if n < 0 {
			return nil, failed(position-1, "expected a } behind ${")
		}
		program, err := Compile(behind[:n], roots...)
		if err != nil {
			return nil, moved(err, position)
		}
		t.parts = append(t.parts, piece{program: program, at: position})
		t.paths = append(t.paths, program.Paths()...)
		at = from + n + 1
	}
	t.paths = sorted(t.paths)
	return t, nil
}

// closing is where the brace is that closes an expression, or -1.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// moved is the error of an expression that begins inside a text.
func moved(err error, by int) error {
	e := *err.(*Error) //nolint:errorlint // Compile and Eval have no other
	e.Position += by
	return &e
}

// Eval computes the value. The error is an *Error. All expressions of a text
// together have the limits of one.
func (t *Template) Eval(ctx Context) (any, error) {
	if t.Literal() {
		return t.parts[0].text, nil
	}
	e := newEvaluation(ctx)
	if len(t.parts) == 1 {
		p := t.parts[0]
		v, err := p.program.run(e)
		if err != nil {
			return nil, moved(err, p.at)
		}
		return v, nil
	}
	var b []byte
	for _, p := range t.parts {
		if p.program == nil {
			b = append(b, p.text...)
			continue
		}
		v, err := p.program.run(e)
		if err == nil {
			b, err = e.interpolate(b, v)
		}
		if err != nil {
			return nil, moved(err, p.at)
		}
	}
	return string(b), nil
}

// interpolate puts a result into text.
func (e *evaluation) interpolate(b []byte, v any) ([]byte, error) {
	switch v.(type) {
	case nil:
		return b, nil
	case []any, map[string]any:
		encoded, err := json.Marshal(v)
		if err != nil {
			return b, failed(1, "expected a JSON value")
		}
		return append(b, encoded...), e.make(1, len(encoded))
	}
	return e.append(b, 1, v, 0)
}

// Paths is every path from the root that is read, as Program.Paths tells them.
func (t *Template) Paths() [][]string { return t.paths }

// Literal reports whether the text stands for itself.
func (t *Template) Literal() bool { return len(t.parts) == 1 && t.parts[0].program == nil }

// Doubt is why a literal text that names a root or a function is no expression, or
// nil. It is for whoever shows an operator what was understood.
func (t *Template) Doubt() *Error { return t.doubt }
