package form

import (
	"encoding/json"
	"strconv"
	"strings"
)

// node is one of a Slate tree, an editor's document that lies as JSON in a
// string. Members of it that only say what it looks like are passed over.
// Source: reference/management.md 3.3.
type node struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Key     string `json:"key"`
	Default string `json:"defaultTranslation"`
	URL     string `json:"url"`
	Href    string `json:"href"`
	Bold    bool   `json:"bold"`
	Nodes   []node `json:"children"`
}

// deepest is how many nodes may lie inside each other.
const deepest = 12

// slate reads a string: a Slate tree, or else plain text, a line a paragraph.
// complaint says what is wrong with a tree.
func slate(s string) (blocks []Block, complaint string) {
	var tree []node
	switch t := strings.TrimSpace(s); {
	case s == "":
		return nil, ""
	case !strings.HasPrefix(t, "[") || !json.Valid([]byte(t)):
		for line := range strings.SplitSeq(s, "\n") {
			if strings.TrimSpace(line) != "" {
				blocks = append(blocks, Block{Spans: []Span{{Piece: Piece{Text: line}}}})
			}
		}
		return blocks, ""
	case json.Unmarshal([]byte(t), &tree) != nil:
		return nil, "is neither plain text nor a list of nodes, such as [{\"type\":\"paragraph\",\"children\":[{\"text\":\"…\"}]}]"
	}
	r := &slates{}
	for i := range tree {
		r.block(&tree[i], 1)
	}
	return r.blocks, r.complaint
}

// slates collects the blocks of a tree.
type slates struct {
	blocks    []Block
	complaint string
}

func (r *slates) complain(s string) {
	if r.complaint == "" {
		r.complaint = s
	}
}

func (r *slates) block(n *node, depth int) {
	b := Block{}
	switch level, heading := strings.CutPrefix(n.Type, "heading-"); {
	case depth > deepest:
		r.complain("lies deeper than " + strconv.Itoa(deepest) + " nodes")
		return
	case n.Type == "divider":
		r.blocks = append(r.blocks, Block{Kind: Line})
		return
	case n.Type == "bulleted-list" || n.Type == "ul":
		b.Kind = List
	case n.Type == "numbered-list" || n.Type == "ol":
		b.Kind = Numbers
	case heading:
		b.Kind = Heading
		b.Level, _ = strconv.Atoi(level)
		if b.Level < 1 || b.Level > 6 {
			r.complain("has the node " + strconv.Quote(cut(n.Type)) + "; headings are heading-1 to heading-6")
		}
	case n.Type == "" || n.Type == "paragraph" || n.Type == "i18n" || n.Type == "link" || n.Type == "a":
	default:
		r.complain("has the node " + strconv.Quote(cut(n.Type)) + "; there are paragraph, heading-1 to heading-6, divider, bulleted-list, numbered-list, list-item, link and i18n")
		return
	}
	if b.Kind == List || b.Kind == Numbers {
		for i := range n.Nodes {
			b.Items = append(b.Items, r.spans(nil, &n.Nodes[i], Span{}, depth+1))
		}
	} else {
		b.Spans = r.spans(nil, n, Span{}, depth)
	}
	r.blocks = append(r.blocks, b)
}

// spans are what a node and those inside it say. in holds what they inherit.
func (r *slates) spans(to []Span, n *node, in Span, depth int) []Span {
	if depth > deepest {
		r.complain("lies deeper than " + strconv.Itoa(deepest) + " nodes")
		return to
	}
	in.Strong = in.Strong || n.Bold
	switch n.Type {
	case "i18n":
		if n.Key == "" {
			r.complain("has an i18n node without a key")
		}
		in.Piece = Piece{Text: n.Default, Key: n.Key}
		return append(to, in)
	case "link", "a":
		in.Link = n.URL + n.Href
		if !strings.HasPrefix(in.Link, "https://") && !strings.HasPrefix(in.Link, "http://") {
			r.complain("has a link that leads neither to https:// nor to http://")
		}
	case "", "paragraph", "list-item", "li", "lic", "heading-1", "heading-2", "heading-3", "heading-4", "heading-5", "heading-6":
	default:
		r.complain("has the node " + strconv.Quote(cut(n.Type)) + " inside another one")
	}
	if n.Text != "" {
		in.Piece = Piece{Text: n.Text}
		to = append(to, in)
	}
	for i := range n.Nodes {
		to = r.spans(to, &n.Nodes[i], in, depth+1)
	}
	return to
}

// flat is a content as one text.
func flat(blocks []Block) Text {
	var t Text
	for i := range blocks {
		if len(t) > 0 && len(blocks[i].Spans) > 0 {
			t = append(t, Piece{Text: " "})
		}
		for _, s := range blocks[i].Spans {
			t = append(t, s.Piece)
		}
	}
	return t
}

func cut(s string) string { return s[:min(len(s), 40)] }
