package expression_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"doorward/runtime/expression"
)

// FuzzEval holds what must be true of any text: it is refused with a place inside
// of it, or it compiles to a program that comes to JSON of a bounded size, or to an
// error with a place inside of it, twice the same.
func FuzzEval(f *testing.F) {
	for _, rows := range [][][2]string{values(), failures(), refused()} {
		for _, row := range rows {
			f.Add(row[0])
		}
	}
	for _, source := range bombs() {
		if !strings.Contains(source, "back and forth") {
			f.Add(source)
		}
	}
	for _, source := range []string{"((((((((((", "{{{{{{", "a.?[b.![c.^[d.$[e", "#regex.matches('a', '(?<a>(?=[^\\x{41}-\\uffff&]{2,3}?+)')", "#datetime.format('2021-01-01Z', '[[[yyyy]]')", "#string.format('%1$-5.3s%<08.2f')"} {
		f.Add(source)
	}
	root := decoded(f, root)
	f.Fuzz(func(t *testing.T, source string) {
		if tmpl, err := expression.CompileTemplate(source, "inputs", "user"); err == nil {
			settled(t, source, func() (any, error) { return tmpl.Eval(expression.Context{Root: root, Now: clock}) })
		}
		p, err := expression.Compile(source)
		if err != nil {
			placed(t, source, err)
			return
		}
		first := settled(t, source, func() (any, error) { return p.Eval(expression.Context{Root: root, Now: clock}) })
		again, _ := p.Eval(expression.Context{Root: root, Now: clock})
		if b, err := json.Marshal(again); err != nil || first != nil && string(b) != string(first) {
			t.Errorf("%s, then %s", first, b)
		}
	})
}

// settled evaluates, and is the JSON that comes of it.
func settled(t *testing.T, source string, eval func() (any, error)) []byte {
	t.Helper()
	v, err := eval()
	if err != nil {
		placed(t, source, err)
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 6*(2<<20) { // a character may be written as six
		t.Fatalf("%d bytes", len(b))
	}
	return b
}

func placed(t *testing.T, source string, err error) {
	t.Helper()
	var e *expression.Error
	if !errors.As(err, &e) || e.Position < 1 || e.Position > len([]rune(source))+1 || e.Message == "" {
		t.Fatalf("%#v", err)
	}
}
