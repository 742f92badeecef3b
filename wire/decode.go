package wire

import (
	"bytes"
	"errors"
	"strconv"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// MaxDepth is how deeply an outside JSON document may nest.
const MaxDepth = document.MaxDepth

// DecodeValues reads one JSON object of outside origin. It takes exactly RFC
// 8259 in valid UTF-8 with unique, case-exact names and nothing after the
// object; an empty body is the empty object. Anything else is an InvalidRequest
// fault. Whether the members are the right ones is judged by flow.Bind.
//
// The returned values share no memory with body.
func DecodeValues(body []byte) (flow.Values, error) {
	return decode(body, func(number string) (any, error) { return strconv.ParseFloat(number, 64) })
}

// DecodeExactly is DecodeValues with numbers as they were written, as json.Number.
func DecodeExactly(body []byte) (flow.Values, error) { return decode(body, document.Number) }

func decode(body []byte, number func(string) (any, error)) (flow.Values, error) {
	if len(body) == 0 {
		return flow.Values{}, nil
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return nil, malformed("The body must be one JSON object.", nil)
	}
	v, err := document.Decode(body, number)
	switch {
	case errors.Is(err, document.ErrMore):
		return nil, malformed("The body must be one JSON object and nothing after it.", err)
	case err != nil:
		return nil, malformed("The body is not a JSON object that can be taken: it must be well-formed, in UTF-8, with each name once and at most 32 levels deep.", err)
	}
	return v.(map[string]any), nil
}

func malformed(message string, err error) *flow.Fault {
	return &flow.Fault{Code: flow.InvalidRequest, Message: message, Err: err}
}
