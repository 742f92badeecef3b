package placeholder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"doorward/runtime/flow"
)

var (
	errDocument = errors.New("begins as JSON and is none; put each placeholder inside the quotes of a string: one that is the whole string keeps its type, and no value can leave its place")
	errName     = errors.New("has a placeholder in the name of a member, or a name twice; write each name out, once")
)

// document compiles text that is JSON, or one placeholder and nothing else, which
// is then JSON as well: what it says of structure holds, whatever is put in. It is
// not ok for text of another kind.
func (c *compiler) document(at, s string, parts []part) (n node, ok bool) {
	value, err := decoded(s)
	if len(parts) == 1 {
		value, err = s, nil
	}
	if err != nil {
		if begins := strings.TrimSpace(s); begins != "" && strings.ContainsRune(`{["`, rune(begins[0])) {
			return c.fault(at, errDocument), true
		}
		return node{}, false
	}
	inner := compiler{rename: c.rename, keeps: c.keeps}
	root := inner.node("", value, 1)
	for _, f := range inner.faults {
		c.faults = append(c.faults, Fault{at, f.Message})
	}
	for _, u := range inner.uses {
		c.uses = append(c.uses, flow.Use{At: at, Path: u.Path})
	}
	placeholders := 0
	for _, p := range parts {
		if p.path != nil {
			placeholders++
		}
	}
	if len(inner.faults) == 0 && len(inner.uses) != placeholders {
		return c.fault(at, errName), true
	}
	return node{document: &root}, true
}

// decoded is the one JSON value of a text, its numbers as they are written.
func decoded(s string) (value any, err error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errDocument
	}
	return value, nil
}

// encoded is the value as JSON text.
func (n *node) encoded(find func([]string) any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(n.value(find)) != nil {
		return "null"
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}
