package expression

// dataFunction finds a function of #data. Elements are the same as Java has it: an
// int is no double, a float no double. Source: reference/management.md 6.3.
func dataFunction(named string) (function, bool) {
	f := function{least: 2, most: 2}
	switch named {
	case "indexOf":
		f.run = func(c *call) any { return counted(c.find(c.list(0), c.args[1])) }
	case "isNotEmpty":
		f.least, f.most, f.run = 1, 1, func(c *call) any { return len(c.list(0)) > 0 }
	case "size":
		f.least, f.most, f.run = 1, 1, func(c *call) any { return counted(len(c.list(0))) }
	case "containsAll":
		f.run = func(c *call) any { return c.contains(true) }
	case "containsAny":
		f.run = func(c *call) any { return c.contains(false) }
	case "removeAll":
		f.run = func(c *call) any { return c.kept(false) }
	case "retainAll":
		f.run = func(c *call) any { return c.kept(true) }
	case "union":
		f.run = union
	case "equals":
		f.run = func(c *call) any {
			a, b := c.list(0), c.list(1)
			if c.null(0) || c.null(1) {
				return c.null(0) && c.null(1)
			}
			same, err := c.e.same(c.at, a, b, 0)
			return c.is(err) && same
		}
	default:
		return function{}, false
	}
	return f, true
}

// find is the index of a value among elements, or -1.
func (c *call) find(items []any, v any) int {
	for i, item := range items {
		same, err := c.e.same(c.at, item, v, 1)
		if !c.is(err) {
			return -1
		}
		if same {
			return i
		}
	}
	return -1
}

// contains reports whether all, or any, elements of the second list are in the
// first.
func (c *call) contains(all bool) bool {
	items, search := c.list(0), c.list(1)
	if c.null(0) || c.null(1) {
		return false
	}
	for _, v := range search {
		if found := c.find(items, v) >= 0; c.err != nil || found != all {
			return found
		}
	}
	return all
}

// kept is the first list with those elements alone that are, or are not, in the
// second.
func (c *call) kept(in bool) any {
	items, others := c.list(0), c.list(1)
	if c.null(0) {
		return nil
	}
	result := list{}
	for _, v := range items {
		if found := c.find(others, v) >= 0; c.err != nil {
			return nil
		} else if found != in {
			continue
		}
		if !c.is(c.e.hold(c.at, 1)) {
			return nil
		}
		result = append(result, v)
	}
	return result
}

func union(c *call) any {
	a, b := c.list(0), c.list(1)
	if c.null(0) && c.null(1) || !c.is(c.e.hold(c.at, len(a)+len(b))) {
		return nil
	}
	return append(append(make(list, 0, len(a)+len(b)), a...), b...)
}
