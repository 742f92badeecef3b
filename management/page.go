package management

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/filter"
	"doorward/runtime/flow"
)

// pageMax is how many members of a collection one page holds at most.
// Source: reference/management.md 7.3.
const pageMax = 200

// listParams are the query parameters of a collection.
func listParams() []string { return []string{"limit", "cursor", "filter", "order"} }

// row is a member of a collection that is small enough to be ordered here: its
// place in the order and how it is shown.
type row struct {
	key, id string
	show    func() any
}

// cursor is the edge of a page: the row that it follows, or comes before. A row
// that is made or removed meanwhile moves no other one over it.
type cursor struct {
	Back  bool   `json:"b,omitempty"`
	Order string `json:"o,omitempty"`
	Key   string `json:"k"`
	ID    string `json:"i"`
}

func (c cursor) String() string { return base64.RawURLEncoding.EncodeToString(encode(c)) }

func readCursor(text, order string) (cursor, error) {
	var c cursor
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil || c.Order != order {
		return cursor{}, badCursor()
	}
	return c, nil
}

// after is the parameter cursor of a collection that its store divides into
// pages; empty without one.
func (c *call) after() (string, error) {
	text, sent := c.param("cursor")
	if sent && text == "" {
		return "", badCursor()
	}
	return text, nil
}

func badCursor() error {
	return parameter("cursor", "The cursor is none of this collection in this order. Follow the links next and prev as they are, or begin without a cursor.")
}

// compare orders rows by key, and by id when they have the same.
func compare(a, b row) int {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	return strings.Compare(a.id, b.id)
}

// cutting is the part of some rows that a request asks for.
type cutting struct {
	rows       []row
	next, prev string // cursors; empty: there is no such page
	count      int    // of rows on all pages
}

func (p cutting) ids() []string {
	var out []string
	for _, r := range p.rows {
		out = append(out, r.id)
	}
	return out
}

// page is the part of the rows that the request asks for, as a collection.
func (c *call) page(name string, rows []row, order string) (object, error) {
	p, err := c.cut(rows, order)
	if err != nil {
		return nil, err
	}
	return c.bound(name, p), nil
}

// bound is a part of some rows as a collection.
func (c *call) bound(name string, p cutting) object {
	var members []any
	for _, r := range p.rows {
		members = append(members, r.show())
	}
	return c.collection(name, members, p.next, p.prev, p.count)
}

// cut orders the rows and takes those of the page.
func (c *call) cut(rows []row, order string) (cutting, error) {
	limit, err := c.pageSize()
	if err != nil {
		return cutting{}, err
	}
	down := strings.HasPrefix(order, "-")
	by := func(a, b row) int {
		if down {
			return compare(b, a)
		}
		return compare(a, b)
	}
	slices.SortFunc(rows, by)
	from, to := 0, min(limit, len(rows))
	if text, sent := c.param("cursor"); sent {
		at, err := readCursor(text, order)
		if err != nil {
			return cutting{}, err
		}
		edge, found := slices.BinarySearchFunc(rows, row{key: at.Key, id: at.ID}, by)
		switch {
		case at.Back:
			from, to = max(0, edge-limit), edge
		case found:
			edge++
			fallthrough
		default:
			from, to = edge, min(edge+limit, len(rows))
		}
	}
	out := cutting{rows: rows[from:to], count: len(rows)}
	if to < len(rows) && to > from {
		out.next = cursor{Order: order, Key: rows[to-1].key, ID: rows[to-1].id}.String()
	}
	if from > 0 && from < len(rows) {
		out.prev = cursor{Back: true, Order: order, Key: rows[from].key, ID: rows[from].id}.String()
	}
	return out, nil
}

// collection is one page. Source: reference/management.md 7.2.
func (c *call) collection(name string, members []any, next, prev string, count int) object {
	if members == nil {
		members = []any{}
	}
	l := links("self", c.withQuery(c.params["cursor"]))
	if c.PathValue("env") != "" {
		l = l.link("environment", c.base())
	}
	if next != "" {
		l = l.link("next", c.withQuery(next))
	}
	if prev != "" {
		l = l.link("prev", c.withQuery(prev))
	}
	return object{{"_links", l}, {"_embedded", object{{name, members}}}, {"count", count}, {"size", len(members)}}
}

// withQuery is the address of the page at a cursor, with the other parameters of
// this one.
func (c *call) withQuery(cursor string) string {
	q := url.Values{}
	for name, v := range c.params {
		q.Set(name, v)
	}
	q.Del("cursor")
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	if len(q) == 0 {
		return c.self()
	}
	return c.self() + "?" + q.Encode()
}

// condition is the parameter filter; nil without one.
func (c *call) condition(allowed map[string][]filter.Op) (filter.Expr, error) {
	text, sent := c.param("filter")
	if !sent {
		return nil, nil
	}
	e, err := filter.Parse(text)
	if err == nil {
		err = filter.Check(e, allowed)
	}
	if err != nil {
		return nil, badFilter(err)
	}
	return e, nil
}

// badFilter is the fault of a filter that is none, or asks for what the
// collection does not know. Source: reference/management.md 7.3.
func badFilter(err error) error {
	d := flow.Detail{Code: flow.InvalidFilter, Target: "filter"}
	var syntax *filter.SyntaxError
	var unsupported *filter.Unsupported
	switch {
	case errors.As(err, &syntax):
		d.Message = "The filter is not well-formed: " + syntax.Error() + "."
	case errors.As(err, &unsupported):
		d.Message = "The filter is not taken: " + unsupported.Error() + "."
		var ops []string
		for _, op := range unsupported.Operators {
			ops = append(ops, string(op))
		}
		d.Inner = map[string]any{"supportedAttributes": unsupported.Attributes, "supportedOperators": ops}
	default:
		return err
	}
	return invalidRequest(d)
}

// orderBy is the parameter order, one of the names with or without a hyphen for
// the other direction; standard without one.
func (c *call) orderBy(standard string, names ...string) (string, error) {
	text, sent := c.param("order")
	if !sent {
		return standard, nil
	}
	if !slices.Contains(names, strings.TrimPrefix(text, "-")) {
		return "", parameter("order", "order takes "+strings.Join(names, ", ")+", with a hyphen before it for the last first.")
	}
	return text, nil
}

// pointerPath is a JSON Pointer as a dotted path: /a/0/b is a[0].b.
// Source: RFC 6901; reference/management.md 7.4 (target).
func pointerPath(pointer string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if _, err := strconv.ParseUint(part, 10, 31); err == nil && b.Len() > 0 {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}
