package placeholder

import (
	"bytes"
	"encoding"
	"encoding/json"
	"strconv"

	"doorward/runtime/flow"
)

// Text is what v becomes among text.
func Text(v any) string { return string(appendText(nil, v)) }

// appendText appends v as text: what it is to a person, and never a secret.
func appendText(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil, flow.Secret:
		return b
	case string:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case json.Number:
		return append(b, v...)
	case encoding.TextMarshaler: // a time, an address
		text, err := v.MarshalText()
		if err != nil {
			return b
		}
		return append(b, text...)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return b
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
