package document

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical is raw as canonical JSON. The error is a Faults: raw is not one JSON
// value, not UTF-8, or names a member twice. Source: RFC 8785.
func Canonical(raw []byte) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(raw))
	err := v.Canonicalize()
	if err == nil {
		return v, nil
	}
	at, message := Root, err.Error()
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		for token := range syntax.JSONPointer.Tokens() {
			if i, err := strconv.Atoi(token); err == nil {
				at = at.Index(i)
			} else {
				at = at.Member(token)
			}
		}
		message = fmt.Sprintf("%s (at byte %d)", syntax.Err, syntax.ByteOffset)
	}
	return nil, Faults{{Path: at, Message: message}}
}
