package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// schema is a JSON Schema that a document holds as a string.
type schema struct {
	raw      json.RawMessage
	tree     map[string]any // as it is written; nil: true or false
	compiled *jsonschema.Schema
}

func (s *schema) source() json.RawMessage {
	if s == nil {
		return nil
	}
	return bytes.Clone(s.raw)
}

// properties are those of the schema itself; none of what it refers to.
func (s *schema) properties() map[string]any {
	p, _ := s.tree["properties"].(map[string]any)
	return p
}

// schema compiles a member; nil where there is none or a fault.
func (c *compiler) schema(o *document.Object, name string) *schema {
	source := o.Text(name, maxTemplate)
	if source == "" {
		return nil
	}
	raw, err := document.Canonical([]byte(source))
	if err != nil {
		o.Wrong(name, "holds no JSON: "+strings.TrimPrefix(faultsOf(err)[0].Message, "jsontext: "))
		return nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		o.Wrong(name, "holds no JSON: "+err.Error())
		return nil
	}
	const at = "schema.json"
	k := jsonschema.NewCompiler()
	k.DefaultDraft(jsonschema.Draft2020)
	k.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	err = k.AddResource(at, doc)
	if err == nil {
		var compiled *jsonschema.Schema
		if compiled, err = k.Compile(at); err == nil {
			tree, _ := doc.(map[string]any)
			return &schema{raw, tree, compiled}
		}
	}
	o.Wrong(name, "is no JSON Schema of draft 2020-12 that stands by itself: "+unschemed(err))
	return nil
}

// unschemed is what is wrong with a schema, without the names that it has here.
func unschemed(err error) string {
	wrong := (*jsonschema.SchemaValidationError)(nil)
	if !errors.As(err, &wrong) {
		return strings.ReplaceAll(err.Error(), "file:///schema.json", "")
	}
	if found := (*jsonschema.ValidationError)(nil); errors.As(wrong.Err, &found) {
		if d := leaves(document.Root, found); len(d) > 0 {
			return string(d[0].Path) + " " + d[0].Message
		}
	}
	return "it does not fit the schema of schemas"
}

// judge holds a value against a schema. What it reports names no value that was
// given.
func (s *schema) judge(value any) document.Faults {
	if s == nil {
		return nil
	}
	wrong := (*jsonschema.ValidationError)(nil)
	if !errors.As(s.compiled.Validate(value), &wrong) {
		return nil
	}
	found := leaves(document.Root, wrong)
	slices.SortFunc(found, func(a, b document.Fault) int {
		return strings.Compare(string(a.Path)+a.Message, string(b.Path)+b.Message)
	})
	return slices.Compact(found)
}

// leaves are the faults that an error comes down to.
func leaves(root document.Path, e *jsonschema.ValidationError) document.Faults {
	var found document.Faults
	for _, cause := range e.Causes {
		found = append(found, leaves(root, cause)...)
	}
	if len(e.Causes) > 0 {
		return found
	}
	at := root
	for _, part := range e.InstanceLocation {
		at = at.Member(part)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			found.AddCode(at.Member(name), flow.RequiredValue, "is required")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			found.Add(at.Member(name), "is not taken")
		}
	default:
		found.Add(at, expected(e.ErrorKind))
	}
	return found
}

// expected says what would be right.
func expected(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "takes " + strings.Join(k.Want, " or ") + ", not " + k.Got
	case *kind.Enum:
		return "takes one of " + strings.Trim(fmt.Sprint(k.Want), "[]")
	case *kind.Const:
		return "takes " + fmt.Sprint(k.Want)
	case *kind.Pattern:
		return "takes what matches " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("takes at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("takes at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("takes at least %d", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("takes at most %d", k.Want)
	case *kind.Minimum:
		return "takes at least " + k.Want.RatString()
	case *kind.Maximum:
		return "takes at most " + k.Want.RatString()
	}
	return "does not fit " + strings.Join(k.KeywordPath(), "/")
}
