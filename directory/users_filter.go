package directory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/filter"
)

// UserAttributes are what users can be filtered by, and how.
//
// Names of users and mail addresses are compared by their normal forms (NormalName,
// NormalEmail), names of people without case, phone numbers without spaces,
// hyphens, dots, slashes and parentheses, all others as they are. Who has no such
// attribute fulfils no comparison with it.
// Source: reference/management.md 5.3; eq on id, enabled and externalId is ours.
func UserAttributes() map[string][]filter.Op {
	both, one := []filter.Op{filter.Equal, filter.StartsWith}, []filter.Op{filter.Equal}
	return map[string][]filter.Op{
		"username": both, "name.family": both, "name.given": both, "email": both, "mobilePhone": both,
		"population.id": one, "id": one, "enabled": one, "externalId": one,
	}
}

// condition is a filter as SQL: a text of constants, and what it asks for as
// arguments.
type condition struct {
	text string
	args []any
}

// the conditions that hold always and never.
const (
	always = `1 = 1`
	never  = `1 = 0`
)

// add sets the text to that of e and appends its arguments.
func (c *condition) add(e filter.Expr) (err error) {
	if e == nil {
		c.text = always
		return nil
	}
	if err := filter.Check(e, UserAttributes()); err != nil {
		return err
	}
	c.text, err = c.of(e)
	return err
}

func (c *condition) of(e filter.Expr) (string, error) {
	switch e := e.(type) {
	case filter.And:
		return c.join(e, ` AND `)
	case filter.Or:
		return c.join(e, ` OR `)
	case filter.Not:
		text, err := c.of(e.Expr)
		return `NOT ` + text, err
	case filter.Compare:
		text, err := c.compare(e)
		return `(` + text + `)`, err
	}
	return "", fmt.Errorf("filter of type %T", e)
}

func (c *condition) join(list []filter.Expr, with string) (string, error) {
	parts := make([]string, len(list))
	for i, one := range list {
		var err error
		if parts[i], err = c.of(one); err != nil {
			return "", err
		}
	}
	return `(` + strings.Join(parts, with) + `)`, nil
}

// arg adds an argument and returns how the text names it.
func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

func (c *condition) compare(e filter.Compare) (string, error) {
	if e.Attribute == "enabled" {
		yes, ok := e.Value.(bool)
		switch {
		case !ok:
			return "", filter.NewUnsupported(e, "true or false", UserAttributes())
		case yes:
			return `enabled`, nil
		}
		return `NOT enabled`, nil
	}
	value, ok := e.Value.(string)
	if !ok {
		return "", filter.NewUnsupported(e, "a string", UserAttributes())
	}
	column, key := soughtIn(e.Attribute, value, e.Op == filter.StartsWith)
	switch {
	case !storable(value):
		return never, nil
	case e.Op == filter.StartsWith && value == "":
		return column + ` <> ''`, nil
	case key == "":
		return never, nil
	case e.Op == filter.StartsWith:
		return c.prefix(column, key), nil
	}
	return column + ` = ` + c.arg(key), nil
}

// prefix is a range of the column's order, byte by byte, so that an index helps
// and no character is special, as it would be to LIKE.
func (c *condition) prefix(column, prefix string) string {
	text := column + ` >= ` + c.arg(prefix)
	if end := after(prefix); end != "" {
		text += ` AND ` + column + ` < ` + c.arg(end)
	}
	return text
}

// after is the least text that comes after every one with the prefix; empty when
// there is none.
func after(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune: // the next text differs before it
		case 0xd7ff:
			return prefix + "\ue000" // past the surrogates, which no text has
		default:
			return prefix + string(last+1)
		}
	}
	return ""
}

// soughtIn is the column of an attribute and the normal form of what is looked for
// in it, or of its beginning; empty when nobody has that.
func soughtIn(attribute, value string, beginning bool) (column, key string) {
	switch attribute {
	case "username":
		key, _ = NormalName(value) // empty for what is no name
		if last, _ := utf8.DecodeLastRuneInString(value); beginning && key != "" && unicode.IsSpace(last) {
			key += " " // which NormalName takes off a whole name
		}
		return "name_key", key
	case "email":
		if beginning && !strings.Contains(value, "@") {
			return "email_key", fold(strings.TrimSpace(value))
		}
		return "email_key", emailKey(value)
	case "name.given":
		return "given_key", foldKey(value)
	case "name.family":
		return "family_key", foldKey(value)
	case "mobilePhone":
		return "mobile_key", phoneKey(value)
	case "population.id":
		return "population", value
	case "id":
		return "id", value
	case "externalId":
		return "external_key", externalKey(value)
	}
	return "", ""
}
