package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// flowCommand is what writers of flow definitions work with. None of it needs a
// server, a database or a network.
func flowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "flow",
		Short: "Test, draw and compare flow definitions without serving them",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(flowTestCommand(), flowGraphCommand(), flowDiffCommand())
	return c
}

// chosen is the document that a name or an id stands for: of kind, unless that is
// empty, and of an environment, unless that is empty. The error lists what there
// is.
func chosen(all []*document, kind, environment, asked string) (*document, error) {
	var found, there []*document
	for _, d := range all {
		if (kind != "" && d.kind.Name != kind) || (environment != "" && !d.folder.is(environment)) {
			continue
		}
		there = append(there, d)
		if d.ID == asked || d.Name == asked {
			found = append(found, d)
		}
	}
	what := kindFlowDefinition
	if kind == kindSignOnPolicy {
		what = kindSignOnPolicy
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%q is several; name one by its id, or its environment: %s", asked, listed(found))
	case len(there) == 0:
		return nil, fmt.Errorf("there is no %s %q, and no other", titleOf(what), asked)
	}
	return nil, fmt.Errorf("there is no %s %q; there are %s", titleOf(what), asked, listed(there))
}

// listed names documents with their ids, sorted.
func listed(all []*document) string {
	several := slices.ContainsFunc(all, func(d *document) bool { return d.folder != all[0].folder })
	var names []string
	for _, d := range all {
		name := strconv.Quote(d.Name) + " (" + d.ID + ")"
		if several {
			name += " of " + d.folder.name()
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
