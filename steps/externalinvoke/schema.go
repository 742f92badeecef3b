package externalinvoke

import (
	"encoding/json"
	"slices"

	"doorward/runtime/external"
)

// value is the output under which anything but an object is put out: outputs have
// names.
const value = "value"

// object is what a request makes of an answer, as the outputs of a step.
func object(out any) map[string]any {
	switch out := out.(type) {
	case nil:
		return map[string]any{}
	case map[string]any:
		return out
	}
	return map[string]any{value: out}
}

// inputs is the schema of what a request takes. One that takes anything has one.
func inputs(r *external.Request) json.RawMessage {
	if s := r.InputSchema(); s != nil {
		return s
	}
	return json.RawMessage(`{"type":"object","additionalProperties":false}`)
}

// outputs is the schema of what a request puts out: its own, where that is of an
// object, or that of a whole answer.
func outputs(r *external.Request) json.RawMessage {
	s := r.OutputSchema()
	if s == nil {
		return written(map[string]any{"type": "object", "properties": map[string]any{
			"status": map[string]any{"type": "integer"}, "headers": map[string]any{"type": "object"}, "body": map[string]any{},
		}})
	}
	if !ofObject(s) {
		return written(map[string]any{"type": "object", "properties": map[string]any{value: s}, "required": []string{value}})
	}
	return s
}

// ofObject reports whether a value of the schema may be an object.
func ofObject(schema json.RawMessage) bool {
	var says struct {
		Type any `json:"type"`
	}
	if json.Unmarshal(schema, &says) != nil {
		return true
	}
	types, several := says.Type.([]any)
	return says.Type == nil || says.Type == "object" || several && slices.Contains(types, any("object"))
}

func written(schema map[string]any) json.RawMessage {
	b, err := json.Marshal(schema)
	if err != nil {
		return json.RawMessage(`{"type":"object"}`)
	}
	return b
}
