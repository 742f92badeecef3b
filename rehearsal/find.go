package rehearsal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"doorward/configs"
)

// The kinds of documents that have a plan, as package configs names them.
const (
	kindFlowDefinition = "flowDefinition"
	kindSignOnPolicy   = "signOnPolicy"
)

// planned are the documents of a kind, of all folders.
func planned(folders []*configs.Folder, kind string) []*configs.Planned {
	var out []*configs.Planned
	for _, f := range folders {
		out = append(out, f.Planned(kind)...)
	}
	return out
}

// chosen is the document of a kind that a name or an id stands for, of an environment
// unless that is empty. The error lists what there is.
func chosen(folders []*configs.Folder, kind, environment, asked string) (*configs.Planned, error) {
	var found, there []*configs.Planned
	for _, d := range planned(folders, kind) {
		if environment != "" && environment != d.Folder.ID && environment != d.Folder.Name && environment != d.Folder.Dir {
			continue
		}
		there = append(there, d)
		if d.ID == asked || d.Name == asked {
			found = append(found, d)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%q is several; name one by its id, or its environment: %s", asked, listed(found))
	case len(there) == 0:
		return nil, fmt.Errorf("there is no %s %q, and no other", declared(kind).Title, asked)
	}
	return nil, fmt.Errorf("there is no %s %q; there are %s", declared(kind).Title, asked, listed(there))
}

// listed names documents with their ids, sorted.
func listed(all []*configs.Planned) string {
	several := slices.ContainsFunc(all, func(d *configs.Planned) bool { return d.Folder != all[0].Folder })
	var names []string
	for _, d := range all {
		name := strconv.Quote(d.Name) + " (" + d.ID + ")"
		if several {
			name += " of " + nameOf(d.Folder)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func nameOf(f *configs.Folder) string { return cmp.Or(f.Name, f.Dir) }

// declared is the declaration of one of the kinds above.
func declared(kind string) *configs.Kind {
	all := configs.Kinds()
	return all[slices.IndexFunc(all, func(k *configs.Kind) bool { return k.Name == kind })]
}
