package verifier

import (
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// Drawing is a plan as a picture: a box for each step, shaded where it waits for
// a person and rounded where it ends the plan, and an arrow for each way on.
// Steps with an error are red, those with a warning amber.
type Drawing struct {
	name  string
	boxes []box
	lines []line
	ends  bool // a line leads to the end of the plan
}

type box struct {
	key, kind   string
	waits, ends bool
	worst       Severity
	entry       bool
	codes       []string
}

type line struct {
	from, to int // theEnd
	outlet   string
}

// Graph draws a plan with what Check has found.
func Graph(plan *flow.Plan, kinds []flow.Kind, findings []Finding) *Drawing {
	c := newChart(plan, kinds)
	d := &Drawing{name: plan.Name}
	for i, s := range c.steps {
		b := box{key: s.key, kind: s.node.Kind, waits: s.says.Waits, ends: s.says.Ends != flow.GoesOn, entry: i == c.entry}
		for _, f := range findings {
			if f.Step == s.key {
				b.worst = max(b.worst, f.Severity)
				b.codes = append(b.codes, f.Code)
			}
		}
		slices.Sort(b.codes)
		b.codes = slices.Compact(b.codes)
		d.boxes = append(d.boxes, b)
		for _, w := range s.ways {
			if w.to == theEnd && b.ends {
				continue
			}
			d.ends = d.ends || w.to == theEnd
			d.lines = append(d.lines, line{i, w.to, w.outlet})
		}
	}
	return d
}

// The colours: of a step that waits, of an error and of a warning.
const (
	shade = "#e8eef7"
	red   = "#c62828"
	amber = "#f9a825"
)

func (b *box) colour() string {
	switch b.worst {
	case Error:
		return red
	case Warning:
		return amber
	}
	return ""
}

// DOT is the picture for Graphviz.
func (d *Drawing) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n  start [shape=point];\n", quoted(d.name))
	for i, x := range d.boxes {
		var style []string
		if x.ends {
			style = append(style, "rounded")
		}
		if x.waits {
			style = append(style, "filled")
		}
		fmt.Fprintf(&b, "  s%d [label=%s, style=%q", i, quoted(x.lines("\n")), strings.Join(style, ","))
		if x.waits {
			fmt.Fprintf(&b, ", fillcolor=%q", shade)
		}
		if c := x.colour(); c != "" {
			fmt.Fprintf(&b, ", color=%q, penwidth=2", c)
		}
		b.WriteString("];\n")
		if x.entry {
			fmt.Fprintf(&b, "  start -> s%d;\n", i)
		}
	}
	if d.ends {
		b.WriteString("  end [shape=doublecircle, label=\"\"];\n")
	}
	for _, l := range d.lines {
		fmt.Fprintf(&b, "  s%d -> %s [label=%s];\n", l.from, l.target(), quoted(l.outlet))
	}
	b.WriteString("}\n")
	return b.String()
}

// Mermaid is the picture as a Mermaid flowchart.
func (d *Drawing) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n  start(( ))\n")
	for i, x := range d.boxes {
		left, right := "[", "]"
		if x.ends {
			left, right = "(", ")"
		}
		fmt.Fprintf(&b, "  s%d%s\"%s\"%s\n", i, left, entities(x.lines("\n")), right)
		if x.entry {
			fmt.Fprintf(&b, "  start --> s%d\n", i)
		}
	}
	if d.ends {
		b.WriteString("  end_((( )))\n")
	}
	for _, l := range d.lines {
		to := strings.Replace(l.target(), "end", "end_", 1) // end is a word of the language
		fmt.Fprintf(&b, "  s%d -->|\"%s\"| %s\n", l.from, entities(l.outlet), to)
	}
	for i, x := range d.boxes {
		var style []string
		if x.waits {
			style = append(style, "fill:"+shade)
		}
		if c := x.colour(); c != "" {
			style = append(style, "stroke:"+c, "stroke-width:2px")
		}
		if style != nil {
			fmt.Fprintf(&b, "  style s%d %s\n", i, strings.Join(style, ","))
		}
	}
	return b.String()
}

func (b *box) lines(sep string) string {
	return strings.Join(append([]string{b.key, b.kind}, b.codes...), sep)
}

func (l *line) target() string {
	if l.to == theEnd {
		return "end"
	}
	return fmt.Sprintf("s%d", l.to)
}

// quoted is a string of the DOT language, in which only the quote is special; a
// backslash is doubled, since labels give it a meaning.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", " ").Replace(s) + `"`
}

// entities keeps a text from being read as Mermaid or as HTML: everything but
// letters, digits and a few signs becomes an entity.
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("<br/>")
		case r == ' ' || r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
