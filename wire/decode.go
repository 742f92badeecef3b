package wire

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"doorward/runtime/flow"
)

// MaxDepth is how deeply an outside JSON document may nest.
const MaxDepth = 32

// errDepth is logged with a document over MaxDepth.
var errDepth = errors.New("nested deeper than 32")

// DecodeValues reads one JSON object of outside origin. It takes exactly RFC
// 8259 in valid UTF-8 with unique, case-exact names and nothing after the
// object; an empty body is the empty object. Anything else is an InvalidRequest
// fault. Whether the members are the right ones is judged by flow.Bind.
//
// The returned values share no memory with body.
func DecodeValues(body []byte) (flow.Values, error) {
	if len(body) == 0 {
		return flow.Values{}, nil
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if d.PeekKind() != '{' {
		return nil, malformed("The body must be one JSON object.", nil)
	}
	v, err := value(d)
	if err != nil {
		return nil, malformed("The body is not a JSON object that can be taken: it must be well-formed, in UTF-8, with each name once and at most 32 levels deep.", err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, malformed("The body must be one JSON object and nothing after it.", err)
	}
	return v.(map[string]any), nil
}

func malformed(message string, err error) *flow.Fault {
	return &flow.Fault{Code: flow.InvalidRequest, Message: message, Err: err}
}

func value(d *jsontext.Decoder) (any, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.StackDepth() > MaxDepth {
		return nil, errDepth
	}
	switch tok.Kind() {
	case '{':
		return object(d)
	case '[':
		return array(d)
	case '"':
		return tok.String(), nil
	case '0':
		return strconv.ParseFloat(tok.String(), 64)
	case 't', 'f':
		return tok.Bool(), nil
	}
	return nil, nil // null
}

func object(d *jsontext.Decoder) (any, error) {
	m := make(map[string]any)
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := tok.String()
		if m[name], err = value(d); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return m, err
}

func array(d *jsontext.Decoder) (any, error) {
	a := []any{}
	for d.PeekKind() != ']' {
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.ReadToken()
	return a, err
}
