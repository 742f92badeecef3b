package forms

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// deepest is how many elements of a rich text may lie in each other.
const deepest = 16

// rich writes a text with markup that a step has sanitised. It is not believed:
// it is read once more, and what we know is written by ourselves; anything else
// is left out. It reports whether there was anything to read.
func (m *markup) rich(text string) bool {
	around := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(text), around)
	if err != nil || len(nodes) == 0 { // an error: elements that lie too deep in each other
		return false
	}
	r := reader{m, 1}
	m.raw(`<div class="blob">`)
	for _, n := range nodes {
		r.node(n, 0)
	}
	m.raw("</div>\n")
	return true
}

// reader writes what it reads. heading is the level of the last one.
type reader struct {
	*markup
	heading int
}

// enclosed are the elements that only enclose something.
func enclosed() map[atom.Atom]struct{ open, closing constant } {
	return map[atom.Atom]struct{ open, closing constant }{
		atom.P: {"<p>", "</p>\n"}, atom.Ul: {"<ul>", "</ul>\n"}, atom.Ol: {"<ol>", "</ol>\n"}, atom.Li: {"<li>", "</li>"},
		atom.B: {"<b>", "</b>"}, atom.Strong: {"<strong>", "</strong>"}, atom.I: {"<i>", "</i>"}, atom.Em: {"<em>", "</em>"},
	}
}

func (r *reader) node(n *html.Node, depth int) {
	switch {
	case n.Type == html.TextNode:
		r.text(n.Data)
		return
	case n.Type != html.ElementNode || depth == deepest:
		return
	}
	switch n.DataAtom {
	case atom.Br:
		r.raw("<br>")
	case atom.A:
		r.link(n, depth)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		r.heading = min(int(n.Data[1]-'0')+1, r.heading+1, 6)
		tag := headings()[r.heading-2]
		r.raw(tag.open)
		r.inside(n, depth)
		r.raw(tag.closing)
	default:
		tag, known := enclosed()[n.DataAtom]
		if !known || n.DataAtom == atom.Li && !isList(n.Parent) {
			return
		}
		r.raw(tag.open)
		r.inside(n, depth)
		r.raw(tag.closing)
	}
}

// link writes a link to the web. Of any other the text is left.
func (r *reader) link(n *html.Node, depth int) {
	at := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "href" })
	if at < 0 || !strings.HasPrefix(n.Attr[at].Val, "https://") && !strings.HasPrefix(n.Attr[at].Val, "http://") {
		r.inside(n, depth)
		return
	}
	r.raw("<a")
	r.address("href", n.Attr[at].Val)
	r.raw(` rel="nofollow noreferrer">`)
	r.inside(n, depth)
	r.raw("</a>")
}

// inside writes what an element holds. A list holds its items alone.
func (r *reader) inside(n *html.Node, depth int) {
	for c := range n.ChildNodes() {
		if !isList(n) || c.DataAtom == atom.Li {
			r.node(c, depth+1)
		}
	}
}

func isList(n *html.Node) bool {
	return n != nil && (n.DataAtom == atom.Ul || n.DataAtom == atom.Ol)
}
