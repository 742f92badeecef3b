package expression

// postfix reads a value and what is read of it.
func (p *parser) postfix() node {
	n := p.primary()
	for p.err == nil {
		t := p.peek()
		switch {
		case p.accept("."):
			n = p.member(n)
		case p.accept("["):
			n = p.index(n, t.at)
		case t.kind == symbol && t.text == "(":
			p.fail(t.at, "expected an operator or the end; methods cannot be called")
		case t.kind == symbol && t.text == "?.":
			p.unexpected(t, ".")
		default:
			return n
		}
	}
	return n
}

// member reads what stands behind a dot.
func (p *parser) member(of node) node {
	t := p.take()
	switch {
	case t.kind == name:
		if p.is("(") {
			p.fail(t.at, "expected a property; methods cannot be called, functions are written #string.%s(…)", t.text)
		}
		if t.text == "class" || t.text == "getClass" {
			p.fail(t.at, "expected a property; there are no classes, a member of this name is read by ['%s']", t.text)
		}
		return p.property(of, t.text, t.at)
	case t.kind != symbol:
	case t.text == "?[":
		return p.inside(&selection{at: at(t.at), of: of, which: all})
	case t.text == "^[":
		return p.inside(&selection{at: at(t.at), of: of, which: first})
	case t.text == "$[":
		return p.inside(&selection{at: at(t.at), of: of, which: last})
	case t.text == "![":
		return p.inside(&selection{at: at(t.at), of: of, which: projected})
	}
	p.unexpected(t, "a name or ?[, ^[, $[ or ![")
	return nil
}

// property reads a name of a value. A path of names from the root stays one node.
func (p *parser) property(of node, named string, position int) node {
	if r, ok := of.(*path); ok && !r.closed {
		r.names = append(r.names, named)
		return r
	}
	return &property{at(position), of, named}
}

// inside reads the expression that is evaluated for each element.
func (p *parser) inside(s *selection) node {
	p.inner++
	s.each = p.expression()
	p.inner--
	p.expect("]")
	return s
}

func (p *parser) index(of node, position int) node {
	key := p.expression()
	p.expect("]")
	if l, ok := key.(*literal); ok {
		if s, ok := l.value.(string); ok {
			if r, ok := of.(*path); ok && !r.closed {
				return p.property(of, s, position)
			}
		}
	}
	if r, ok := of.(*path); ok {
		r.closed = true // a path is read up to here
	}
	return &element{at(position), of, key}
}

func (p *parser) primary() node {
	t := p.take()
	switch t.kind {
	case number:
		return p.number(t)
	case text:
		return &literal{at(t.at), t.text}
	case name:
		return p.named(t)
	case symbol:
		switch t.text {
		case "#":
			return p.variable(t)
		case "(":
			n := p.expression()
			p.expect(")")
			if r, ok := n.(*sum); ok {
				return &group{r.at, r} // what follows is not of this sum
			}
			return n
		case "{":
			return p.braces(t)
		}
	case end:
	}
	p.unexpected(t, "a literal, a name, #, ( or {")
	return nil
}

// named reads what begins with a name: a literal, an array, or a property of the
// root or the element.
func (p *parser) named(t token) node {
	switch t.text {
	case "true", "false":
		return &literal{at(t.at), t.text == "true"}
	case "null":
		return &literal{at(t.at), nil}
	case "new":
		if next := p.peek(); next.kind == name {
			return p.array(t)
		}
	case "T":
		if p.is("(") {
			p.fail(t.at, "expected a literal or a name; there are no types")
		}
	}
	if p.is("(") {
		p.fail(t.at, "expected a property; functions are written #string.%s(…), methods cannot be called", t.text)
	}
	if p.inner > 0 {
		return &property{at(t.at), &this{at(t.at)}, t.text}
	}
	return p.begin(t.at, false, t.text)
}

// begin is a path from the root, which the variable #root or #this may begin.
func (p *parser) begin(position int, variable bool, names ...string) node {
	r := &path{at: at(position), names: names, variable: variable}
	p.reads = append(p.reads, r)
	return r
}

// variable reads #root, #this or the call of a function.
func (p *parser) variable(t token) node {
	n := p.take()
	switch {
	case n.kind == name && n.text == "root":
		return p.begin(t.at, true)
	case n.kind == name && n.text == "this":
		if p.inner > 0 {
			return &this{at(t.at)}
		}
		return p.begin(t.at, true)
	case n.kind != name || !isLibrary(n.text):
		p.fail(n.at, "expected root, this or one of the libraries %s behind #", listed(libraries()))
		return nil
	}
	p.expect(".")
	f := p.take()
	fn, ok := function{}, false
	if f.kind == name {
		fn, ok = lookup(n.text, f.text)
	}
	if !ok {
		p.fail(f.at, "expected a function of #%s", n.text)
		return nil
	}
	p.expect("(")
	args := p.list(")")
	if len(args) < fn.least || len(args) > fn.most {
		p.fail(f.at, "expected %s for #%s.%s, not %d", fn.arity(), n.text, f.text, len(args))
		return nil
	}
	c := &calling{at: at(f.at), name: "#" + n.text + "." + f.text, run: fn.run, args: args}
	if fn.patterns {
		p.compile(c, fn.whole)
	}
	return c
}

// compile compiles the patterns among the arguments of a function that are written
// out: every second one from the second on.
func (p *parser) compile(c *calling, whole bool) {
	for i := 1; i < len(c.args) && p.err == nil; i += 2 {
		if l, ok := c.args[i].(*literal); ok {
			if s, ok := l.value.(string); ok {
				var compiled *pattern
				compiled, p.err = compilePattern(l.position(), s, whole)
				c.args[i] = &literal{l.at, compiled}
			}
		}
	}
}

// list reads expressions up to a closing bracket.
func (p *parser) list(closing string) []node {
	var items []node
	for p.err == nil && !p.accept(closing) {
		if len(items) > 0 {
			if !p.accept(",") {
				p.unexpected(p.peek(), ", or "+closing)
				break
			}
		}
		items = append(items, p.expression())
	}
	return items
}

// braces reads a list or a map. A name that is a key stands for itself.
func (p *parser) braces(t token) node {
	if p.accept(":") {
		p.expect("}")
		return &mapping{at: at(t.at)}
	}
	if p.accept("}") {
		return &listing{at: at(t.at)}
	}
	reads := len(p.reads)
	one := p.expression()
	if !p.is(":") {
		items := []node{one}
		for p.err == nil && !p.accept("}") {
			if !p.accept(",") {
				p.unexpected(p.peek(), ", or }")
				break
			}
			items = append(items, p.expression())
		}
		return &listing{at(t.at), items}
	}
	m := &mapping{at: at(t.at)}
	for {
		m.keys = append(m.keys, p.key(one, reads))
		p.expect(":")
		m.values = append(m.values, p.expression())
		if p.err != nil || p.accept("}") {
			return m
		}
		if !p.accept(",") {
			p.unexpected(p.peek(), ", or }")
			return m
		}
		reads = len(p.reads)
		one = p.expression()
	}
}

// key is what stands before a colon, read when reads paths had been begun.
func (p *parser) key(n node, reads int) node {
	switch k := n.(type) {
	case *path:
		if len(k.names) == 1 && !k.variable && !k.closed {
			p.reads = p.reads[:reads]
			return &literal{k.at, k.names[0]}
		}
	case *property:
		if _, ok := k.of.(*this); ok && p.inner > 0 {
			return &literal{k.at, k.name}
		}
	}
	return n
}
