package definition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

type fault = document.Fault

// judge says in our words what a schema finds wrong.
type judge struct {
	at    Path
	value map[string]any
}

// errors adds the faults of one error and of what caused it. What is open because
// of a placeholder is no fault.
func (j judge) errors(e *jsonschema.ValidationError, faults *Faults) {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		j.choice(e, faults)
		return
	}
	for _, cause := range e.Causes {
		j.errors(cause, faults)
	}
	if len(e.Causes) == 0 {
		j.leaf(e, faults)
	}
}

// choice adds the faults of the alternative that the value comes nearest to; none
// when there is one that it may fit.
func (j judge) choice(e *jsonschema.ValidationError, faults *Faults) {
	var least Faults
	for i, cause := range e.Causes {
		var found Faults
		j.errors(cause, &found)
		if len(found) == 0 {
			return
		}
		if i == 0 || len(found) < len(least) {
			least = found
		}
	}
	if len(e.Causes) == 0 { // it fits several
		j.leaf(e, faults)
	}
	*faults = append(*faults, least...)
}

func (j judge) leaf(e *jsonschema.ValidationError, faults *Faults) {
	value := inside(j.value, e.InstanceLocation)
	if _, text := value.(string); text && holds(value) {
		return
	}
	p := located(j.at, j.value, e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			faults.AddCode(p.Member(name), flow.RequiredValue, "is missing")
		}
	case *kind.DependentRequired:
		for _, name := range k.Missing {
			faults.AddCode(p.Member(name), flow.RequiredValue, "is missing, though there is "+k.Prop)
		}
	case *kind.AdditionalProperties:
		for _, name := range slices.Sorted(slices.Values(k.Properties)) {
			faults.Add(p.Member(name), "is not taken by a step of this type")
		}
	case *kind.Enum, *kind.Const, *kind.Not, *kind.OneOf, *kind.UniqueItems, *kind.Contains, *kind.MinContains, *kind.MaxContains:
		if !holds(value) {
			faults.Add(p, sentence(e.ErrorKind))
		}
	default:
		faults.Add(p, sentence(e.ErrorKind))
	}
}

// sentence says what would be right.
func sentence(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "takes " + strings.Join(k.Want, " or ") + ", not " + k.Got
	case *kind.Enum:
		return "takes " + either(k.Want)
	case *kind.Const:
		return "takes " + either([]any{k.Want})
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
	case *kind.Not:
		return "takes another value"
	}
	return k.LocalizedString(message.NewPrinter(language.English))
}

func either(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, " or ")
}
