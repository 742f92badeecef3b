package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	plans "doorward/runtime/verifier"
)

func flowGraphCommand() *cobra.Command {
	var format, definition, policy string
	c := &cobra.Command{
		Use:   "graph DIR",
		Short: "Draw the flow definitions of a configuration directory",
		Long: "Draw the flow definitions of a configuration directory, or one of them, or a\n" +
			"sign-on policy. A box is a step, shaded where it waits for a person and rounded\n" +
			"where it ends the flow. Steps that check has an error for are red, those with a\n" +
			"warning amber, with the codes of what was found. Several pictures stand below\n" +
			"each other, each under a comment with its name.",
		Example: "  doorward flow graph ./config | dot -Tsvg > flows.svg\n" +
			"  doorward flow graph --format mermaid --definition 'Sign On' ./config",
		Args: exactly("the directory of configuration files"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "dot", "mermaid"); err != nil {
				return err
			}
			files, _, err := configuration(args[0])
			if err != nil {
				return err
			}
			folders, err := readFolders(files)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			shown, err := toDraw(folders, definition, policy)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return draw(c, shown, format)
		},
	}
	c.Flags().StringVar(&format, "format", "dot", "`language` of the picture: dot (Graphviz) or mermaid")
	c.Flags().StringVar(&definition, "definition", "", "`name` or id of the one to draw (default: all)")
	c.Flags().StringVar(&policy, "policy", "", "`name` or id of a sign-on policy to draw instead")
	c.MarkFlagsMutuallyExclusive("definition", "policy")
	return c
}

func toDraw(folders []*folder, definition, policy string) ([]*document, error) {
	kind, asked := kindFlowDefinition, definition
	if policy != "" {
		kind, asked = kindSignOnPolicy, policy
	}
	there := all(folders, kind)
	switch {
	case asked != "":
		d, err := chosen(there, kind, "", asked)
		return []*document{d}, err
	case len(there) == 0:
		return nil, errors.New("there is no flow definition in it; --policy draws a sign-on policy")
	}
	return there, nil
}

func draw(c *cobra.Command, shown []*document, format string) error {
	kinds := describedKinds()
	comment := map[string]string{"dot": "//", "mermaid": "%%"}[format]
	for i, d := range shown {
		p, err := d.plan(kinds)
		if err != nil {
			return err
		}
		g := plans.Graph(p, kinds, plans.Check(p, kinds))
		picture := g.DOT()
		if format == "mermaid" {
			picture = g.Mermaid()
		}
		if len(shown) > 1 {
			space := ""
			if i > 0 {
				space = "\n"
			}
			picture = fmt.Sprintf("%s%s %s\n%s", space, comment, strings.Join(strings.Fields(d.Name), " "), picture)
		}
		if _, err := fmt.Fprint(c.OutOrStdout(), picture); err != nil {
			return err
		}
	}
	return nil
}
