package expression

import "math"

// array makes a list whose elements are of one primitive type.
type array struct {
	at
	of     string
	items  []node // of one that is filled
	sizes  []node // of one that is not
	filled bool
}

func (n *array) eval(e *evaluation, this any) (any, error) {
	if !n.filled {
		return n.dimension(e, this, n.sizes)
	}
	if err := e.hold(int(n.at), len(n.items)); err != nil {
		return nil, err
	}
	l := make(list, len(n.items))
	for i, item := range n.items {
		v, err := e.eval(item, this)
		if err != nil {
			return nil, err
		}
		if l[i] = primitive(n.of, norm(v)); l[i] == nil {
			return nil, failed(item.position(), "expected a value of type %s, not %s", n.of, describe(v))
		}
	}
	return l, nil
}

// dimension makes an array of zeros, or of arrays.
func (n *array) dimension(e *evaluation, this any, sizes []node) (any, error) {
	if len(sizes) == 0 {
		return zero(n.of), nil
	}
	v, err := e.eval(sizes[0], this)
	if err != nil {
		return nil, err
	}
	size, ok := whole(norm(v))
	if !ok || size < 0 {
		return nil, failed(sizes[0].position(), "expected a size of 0 or more")
	}
	if size > maxItems {
		size = maxItems + 1
	}
	if err := e.hold(int(n.at), int(size)); err != nil {
		return nil, err
	}
	l := make(list, size)
	for i := range l {
		if l[i], err = n.dimension(e, this, sizes[1:]); err != nil {
			return nil, err
		}
	}
	return l, e.visit(int(n.at), int(size))
}

func zero(of string) any {
	switch of {
	case "boolean":
		return false
	case "char":
		return "\x00"
	case "float":
		return single(0)
	case "double":
		return double(0)
	case "long":
		return long(0)
	}
	return integer(0)
}

// primitive is a value as an element of an array, or nil where it is none.
func primitive(of string, v any) any {
	switch of {
	case "boolean":
		if b, ok := v.(bool); ok {
			return b
		}
		return nil
	case "char":
		if s, ok := v.(string); ok && length(s) == 1 {
			return s
		}
		return nil
	case "float", "double":
		f, ok := approximate(v)
		switch {
		case !ok || math.IsInf(f, 0) || math.IsNaN(f):
			return nil
		case of == "double":
			return double(f)
		case math.Abs(f) > math.MaxFloat32:
			return nil
		}
		return single(f)
	}
	i, ok := whole(v)
	bits := map[string]uint{"byte": 8, "short": 16, "int": 32, "long": 64}[of]
	if !ok || i < -1<<(bits-1) || i > 1<<(bits-1)-1 {
		return nil
	}
	if of == "long" {
		return long(i)
	}
	return narrow(i)
}
