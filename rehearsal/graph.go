package rehearsal

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
	"doorward/runtime/verifier"
)

// Drawing says what is drawn, and how.
type Drawing struct {
	Language   string // dot (Graphviz) or mermaid
	Definition string // name or id of the one to draw; empty: all
	Policy     string // name or id of a sign-on policy to draw instead
}

// Draw writes pictures of the flow definitions of a configuration directory.
func Draw(w io.Writer, dir string, d Drawing, kinds []flow.Kind) error {
	files, _, err := configs.Directory(dir)
	if err != nil {
		return err
	}
	folders, err := configs.Folders(files, kinds)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	shown, err := toDraw(folders, d)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return draw(w, shown, d.Language, kinds)
}

func toDraw(folders []*configs.Folder, d Drawing) ([]*configs.Planned, error) {
	kind, asked := kindFlowDefinition, d.Definition
	if d.Policy != "" {
		kind, asked = kindSignOnPolicy, d.Policy
	}
	if asked != "" {
		one, err := chosen(folders, kind, "", asked)
		return []*configs.Planned{one}, err
	}
	there := planned(folders, kind)
	if len(there) == 0 {
		return nil, errors.New("there is no flow definition in it; --policy draws a sign-on policy")
	}
	return there, nil
}

func draw(w io.Writer, shown []*configs.Planned, language string, kinds []flow.Kind) error {
	comment := map[string]string{"dot": "//", "mermaid": "%%"}[language]
	for i, d := range shown {
		p, err := d.Plan()
		if err != nil {
			return err
		}
		g := verifier.Graph(p, kinds, verifier.Check(p, kinds))
		picture := g.DOT()
		if language == "mermaid" {
			picture = g.Mermaid()
		}
		if len(shown) > 1 {
			space := ""
			if i > 0 {
				space = "\n"
			}
			picture = fmt.Sprintf("%s%s %s\n%s", space, comment, strings.Join(strings.Fields(d.Name), " "), picture)
		}
		if _, err := io.WriteString(w, picture); err != nil {
			return err
		}
	}
	return nil
}
