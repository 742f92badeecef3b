package terminate

import (
	"strings"

	"golang.org/x/net/html"
)

// plain is sanitised HTML as text on one line. Blocks and line breaks become
// spaces.
func plain(markup string) string {
	var text strings.Builder
	for z := html.NewTokenizer(strings.NewReader(markup)); ; {
		switch z.Next() {
		case html.ErrorToken: // the end
			return strings.Join(strings.Fields(text.String()), " ")
		case html.TextToken:
			text.Write(z.Text())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			if name, _ := z.TagName(); !inline(string(name)) {
				text.WriteByte(' ')
			}
		default: // comments, which are not text
		}
	}
}

func inline(element string) bool {
	switch element {
	case "a", "b", "strong", "i", "em":
		return true
	}
	return false
}
