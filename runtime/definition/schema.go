package definition

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are compiled once each: those of the kinds, two a kind, which never
// change, and those that a configuration brings along, such as the inputs of a
// service's request. Past mostSchemas all are forgotten, and compiled again where
// they are needed.
type schemas struct {
	mu       sync.Mutex
	compiled map[string]func() (*jsonschema.Schema, error)
}

const mostSchemas = 256

var known schemas //nolint:gochecknoglobals // the same text always compiles into the same

// check holds a value against a schema. A string with a placeholder fits
// anything: what it will be, the verifier judges. The error says that the schema
// itself is wrong.
func (s *schemas) check(at Path, schema json.RawMessage, value map[string]any, faults *Faults) error {
	compiled, err := s.compile(schema)
	if err != nil {
		return err
	}
	var found Faults
	if wrong := (*jsonschema.ValidationError)(nil); errors.As(compiled.Validate(value), &wrong) {
		j := judge{at, value}
		j.errors(wrong, &found)
	}
	strangers(at, compiled, value, &found)
	slices.SortFunc(found, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	*faults = append(*faults, slices.Compact(found)...)
	return nil
}

func (s *schemas) compile(schema json.RawMessage) (*jsonschema.Schema, error) {
	s.mu.Lock()
	c := s.compiled[string(schema)]
	if c == nil {
		if s.compiled == nil || len(s.compiled) >= mostSchemas {
			s.compiled = map[string]func() (*jsonschema.Schema, error){}
		}
		text := string(schema)
		c = sync.OnceValues(func() (*jsonschema.Schema, error) { return compileSchema(text) })
		s.compiled[text] = c
	}
	s.mu.Unlock()
	return c() // whoever needs another one does not wait
}

func compileSchema(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema of a step: %w", err)
	}
	const name = "schema.json"
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	if err := c.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("schema of a step: %w", err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("schema of a step: %w", err)
	}
	return compiled, nil
}

// strangers are members that a schema names nowhere, where it does not say itself
// what becomes of them.
func strangers(at Path, schema *jsonschema.Schema, value map[string]any, faults *Faults) {
	says := schema.AdditionalProperties != nil || schema.UnevaluatedProperties != nil || len(schema.PatternProperties) > 0 ||
		schema.Ref != nil || len(schema.AllOf)+len(schema.AnyOf)+len(schema.OneOf) > 0 || schema.If != nil
	if says || len(schema.Properties) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		if schema.Properties[name] == nil {
			faults.Add(at.Member(name), "is not taken by a step of this type")
		}
	}
}

// located is the path of what the elements lead to inside the value at p.
func located(p Path, value any, elements []string) Path {
	for _, e := range elements {
		switch v := value.(type) {
		case []any:
			i, err := strconv.Atoi(e)
			if err != nil || i < 0 || i >= len(v) {
				return p
			}
			p, value = p.Index(i), v[i]
		case map[string]any:
			p, value = p.Member(e), v[e]
		default:
			return p.Member(e)
		}
	}
	return p
}

// inside is the value that the elements lead to.
func inside(value any, elements []string) any {
	for _, e := range elements {
		switch v := value.(type) {
		case []any:
			i, err := strconv.Atoi(e)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		case map[string]any:
			value = v[e]
		default:
			return nil
		}
	}
	return value
}

// holds reports whether there is a placeholder in a value.
func holds(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, "${")
	case []any:
		return slices.ContainsFunc(v, holds)
	case map[string]any:
		for _, m := range v {
			if holds(m) {
				return true
			}
		}
	}
	return false
}
