package external

import (
	"strings"
	"unicode"

	"doorward/runtime/document"
)

// prose is a text of what a name may have in it. Source: reference/management.md
// 1.2, ^[\p{L}\p{M}\p{N}\p{Zs}\p{P}]+$.
func prose(o *document.Object, name string, most int) string {
	s := o.Text(name, most)
	strange := func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Zs, unicode.P) }
	if strings.ContainsFunc(s, strange) {
		o.Wrong(name, "takes letters, marks, digits, spaces and punctuation; symbols such as + and < are none")
		return ""
	}
	return s
}

// said reports whether a member is there, right or wrong.
func said(o *document.Object, name string) bool {
	raw, ok := o.Take(name)
	return ok && string(raw) != `""`
}
