package verifier_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

func TestGoldenDrawings(t *testing.T) {
	p := planIn(t, "found/reset-with-only-choose-user.json")
	found := verifier.Check(p, kinds())
	d := verifier.Graph(p, kinds(), found)
	golden(t, "testdata/drawing.dot", d.DOT())
	golden(t, "testdata/drawing.mmd", d.Mermaid())
	if again := verifier.Graph(planIn(t, "found/reset-with-only-choose-user.json"), kinds(), found); again.DOT() != d.DOT() || again.Mermaid() != d.Mermaid() {
		t.Error("the same plan was drawn in another way")
	}
}

// Keys and outlets are whatever a definition says. None of it becomes part of the
// picture's language or of the page that shows it.
func TestADrawingKeepsWordsFromBecomingMarkup(t *testing.T) {
	const bad = "a\"]; <script>alert(1)</script>\n\\N & end --> x|y"
	p := &flow.Plan{Name: bad, Entry: bad, Nodes: map[string]*flow.Node{
		bad: {Key: bad, Kind: "<b>", Outlets: map[string]string{bad: bad, "": ""}},
	}}
	d := verifier.Graph(p, nil, []verifier.Finding{{Severity: verifier.Warning, Code: bad, Step: bad}})
	dot, mermaid := d.DOT(), d.Mermaid()
	if strings.ContainsAny(strings.NewReplacer("<br/>", "", "-->", "", "flowchart", "").Replace(mermaid), "<>&\\") || strings.Contains(mermaid, "x|y") {
		t.Errorf("Mermaid holds what a definition says as it is:\n%s", mermaid)
	}
	if strings.Count(mermaid, "\n") != 8 {
		t.Errorf("Mermaid has other lines than its own:\n%s", mermaid)
	}
	// In DOT a string ends at a quote that no backslash stands before, or an even
	// number of them.
	if open := strings.Count(strings.NewReplacer(`\\`, "", `\"`, "").Replace(dot), `"`); open%2 != 0 || strings.Contains(strings.ReplaceAll(dot, `\\`, ""), `\N`) {
		t.Errorf("DOT holds what a definition says as it is:\n%s", dot)
	}
}

func TestADrawingShowsWhereAPlanEnds(t *testing.T) {
	p := &flow.Plan{Name: "P", Entry: "a", Nodes: map[string]*flow.Node{"a": {Key: "a", Kind: "ASK", Outlets: map[string]string{"DONE": ""}}}}
	d := verifier.Graph(p, []flow.Kind{silent{"ASK"}}, nil)
	if !strings.Contains(d.DOT(), "s0 -> end [label=\"DONE\"]") || !strings.Contains(d.Mermaid(), "s0 -->|\"DONE\"| end_") {
		t.Error(d.DOT(), d.Mermaid())
	}
}
