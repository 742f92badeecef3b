package expression

import "slices"

// path is a value read from the root by names that are written out.
type path struct {
	at
	names    []string
	closed   bool // what follows is not a name
	variable bool // begun with #root or #this
}

func (r *path) eval(e *evaluation, _ any) (any, error) {
	v := e.root
	for _, n := range r.names {
		var err error
		if v, err = member(int(r.at), v, n); err != nil {
			return nil, err
		}
	}
	return v, e.visit(int(r.at), len(r.names))
}

// judge looks at what every path begins with.
func (p *parser) judge() {
	if p.err != nil || len(p.roots) == 0 {
		return
	}
	for _, r := range p.reads {
		switch {
		case len(r.names) == 0:
			p.fail(int(r.at), "expected one of %s behind #root, written out", listed(p.roots))
		case !slices.Contains(p.roots, r.names[0]):
			p.fail(int(r.at), "expected a path that begins with %s", listed(p.roots))
		}
	}
}

// collect is the paths that are read.
func (p *parser) collect() [][]string {
	paths := make([][]string, len(p.reads))
	for i, r := range p.reads {
		paths[i] = r.names
	}
	return sorted(paths)
}
