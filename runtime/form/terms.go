package form

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Terms are an agreement as a person reads it before they agree.
type Terms struct {
	Title      string   `json:"title,omitempty"`
	Paragraphs []string `json:"paragraphs"`
	// The words of the buttons; empty: those of the page.
	Agree   string `json:"agree,omitempty"`
	Decline string `json:"decline,omitempty"`
}

// Paragraphs are a text as people read it: of text/html what it says, without a
// trace of how it is marked up; of anything else what stands between empty lines.
func Paragraphs(contentType, text string) []string {
	if contentType != "text/html" {
		return spoken(strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n"))
	}
	var out []string
	var now strings.Builder
	end := func() {
		out = append(out, now.String())
		now.Reset()
	}
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken: // the end
			end()
			return spoken(out)
		case html.TextToken:
			now.Write(z.Text())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			switch name, _ := z.TagName(); atom.Lookup(name) {
			case atom.A, atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.S, atom.Small, atom.Span, atom.Sub, atom.Sup, atom.Code, atom.Abbr:
			case atom.Script, atom.Style, atom.Title:
				skip(z)
				end()
			default:
				end()
			}
		default: // comments and doctypes, which nobody reads
		}
	}
}

// skip passes over what an element holds that is not for people.
func skip(z *html.Tokenizer) {
	if z.Token().Type != html.StartTagToken {
		return
	}
	for kind := z.Next(); kind != html.EndTagToken && kind != html.ErrorToken; kind = z.Next() {
	}
}

// spoken are the paragraphs that say something, on one line each.
func spoken(list []string) []string {
	out := make([]string, 0, len(list))
	for _, p := range list {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return out
}
