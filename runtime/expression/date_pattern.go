package expression

import (
	"strings"
	"time"
)

// maxDatePattern is how many letters a pattern for dates may have.
const maxDatePattern = 200

// dateField is a part of a pattern: a letter that is repeated, text, or something
// that may be left out.
type dateField struct {
	letter   byte // 0: text or optional
	count    int
	text     string
	optional []dateField
}

// readDatePattern reads a pattern of java.time.format.DateTimeFormatter. Source:
// its documentation; reference/management.md 6.3.
func readDatePattern(pattern string) ([]dateField, bool) {
	if len(pattern) > maxDatePattern {
		return nil, false
	}
	fields, rest, ok := readDateFields(pattern, 0)
	return fields, ok && rest == ""
}

// readDateFields reads up to the end, or inside brackets to the closing one.
func readDateFields(s string, depth int) (fields []dateField, rest string, ok bool) {
	for s != "" {
		switch c := s[0]; {
		case c == ']' && depth > 0:
			return fields, s[1:], true
		case c == '[' && depth < 8:
			inner, behind, ok := readDateFields(s[1:], depth+1)
			if !ok {
				return nil, "", false
			}
			fields, s = append(fields, dateField{optional: inner}), behind
			if fields[len(fields)-1].optional == nil {
				fields[len(fields)-1].optional = []dateField{}
			}
		case c == '\'':
			n, text, ok := quotedInDate(s)
			if !ok {
				return nil, "", false
			}
			fields, s = append(fields, dateField{text: text}), s[n:]
		case strings.IndexByte("[]{}#", c) >= 0:
			return nil, "", false
		case letter(c) && c != '_':
			n := len(s) - len(strings.TrimLeft(s, s[:1]))
			if n > longestDateField(c) {
				return nil, "", false
			}
			fields, s = append(fields, dateField{letter: c, count: n}), s[n:]
		default:
			n := 1
			for n < len(s) && s[n] >= 0x80 {
				n++
			}
			fields, s = append(fields, dateField{text: s[:n]}), s[n:]
		}
	}
	return fields, "", depth == 0 || s == "" && depth > 0 // an open bracket is closed by the end
}

// quotedInDate reads text in quotes; two of them are one that stands for itself.
func quotedInDate(s string) (n int, text string, ok bool) {
	if strings.HasPrefix(s, "''") {
		return 2, "'", true
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i++
			continue
		}
		return i + 1, strings.ReplaceAll(s[1:i], "''", "'"), true
	}
	return 0, "", false
}

// longestDateField is how often a letter may be repeated; 0: it is none.
func longestDateField(c byte) int {
	switch c {
	case 'u', 'y', 'Y':
		return 15
	case 'A', 'n', 'N':
		return 19
	case 'S':
		return 9
	case 'G', 'M', 'L', 'E', 'e', 'c', 'Q', 'q', 'X', 'x', 'Z':
		return 5
	case 'z', 'O':
		return 4
	case 'D':
		return 3
	case 'd', 'h', 'H', 'k', 'K', 'm', 's', 'w', 'V':
		return 2
	case 'a', 'W', 'F':
		return 1
	}
	return 0
}

// weekOfYear is the week and its year where weeks begin on Sunday, and the first is
// that of January 1st, as in the United States.
func weekOfYear(t time.Time) (year, week int) {
	saturday := t.AddDate(0, 0, 6-int(t.Weekday()))
	return saturday.Year(), (saturday.YearDay() + 6) / 7
}

// weekOfMonth is counted from that of the first of the month.
func weekOfMonth(t time.Time) int {
	first := t.AddDate(0, 0, 1-t.Day())
	return (t.Day()+int(first.Weekday())-1)/7 + 1
}
