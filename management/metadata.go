package management

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// Resources is what the references in a step's configuration lead to.
type Resources interface {
	Resource(kind, id string) (json.RawMessage, bool)
}

// Metadata describes what flow definitions are made of, as documents.
// Source: reference/management.md 2.7.
type Metadata struct {
	// Kinds are all step kinds; those that definitions are made of are described.
	Kinds []flow.Kind
	// Describe is the document of one kind: under a trigger or in general, with a
	// configuration or without one. The error is document.Faults when the trigger
	// or the configuration is wrong.
	Describe func(kind flow.Stepper, trigger string, configuration json.RawMessage, of Resources) (json.RawMessage, error)
	// Triggers are the documents of the triggers.
	Triggers func() ([]json.RawMessage, error)
}

// metadataRoutes say what flow definitions are made of.
func metadataRoutes() []route {
	const path = environmentPath + "/flowMetadata"
	get := func(run func(c *call) (*answer, error)) []operation {
		return []operation{{method: http.MethodGet, access: reading, run: run}}
	}
	return []route{
		{path + "/stepTypes", get(listStepTypes)},
		{path + "/triggerTypes", get(listTriggerTypes)},
		{path + "/stepTypes/:type", append(get(describe), operation{method: http.MethodPost, access: reading, types: []string{jsonType}, run: describe})},
	}
}

func listStepTypes(c *call) (*answer, error) {
	var members []any
	for _, k := range c.api.Metadata.Kinds {
		s, is := k.(flow.Stepper)
		if !is {
			continue
		}
		body, err := c.api.Metadata.Describe(s, "", nil, configured{c})
		if err != nil {
			return nil, err
		}
		members = append(members, body)
	}
	return ok(c.collection("stepTypes", members, "", "", len(members)))
}

func listTriggerTypes(c *call) (*answer, error) {
	documents, err := c.api.Metadata.Triggers()
	if err != nil {
		return nil, err
	}
	var members []any
	for _, d := range documents {
		members = append(members, d)
	}
	return ok(c.collection("triggerTypes", members, "", "", len(members)))
}

// describe is one step type: in general, or, of a POST, as it is under a trigger
// and with a configuration.
func describe(c *call) (*answer, error) {
	s := c.stepper()
	if s == nil {
		return nil, notFound()
	}
	var of struct {
		Trigger struct {
			Type string `json:"type"`
		} `json:"trigger"`
		Configuration json.RawMessage `json:"configuration"`
	}
	if c.Method == http.MethodPost {
		if _, err := c.document(); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(c.body, &of); err != nil || of.Trigger.Type == "" {
			return nil, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "trigger.type", Pointer: "/trigger/type", Message: "The type of a trigger is required."})
		}
	}
	body, err := c.api.Metadata.Describe(s, of.Trigger.Type, of.Configuration, configured{c})
	var faults document.Faults
	if errors.As(err, &faults) {
		var details []flow.Detail
		for _, f := range faults {
			details = append(details, placed(f))
		}
		return nil, flow.Invalid(details...)
	}
	if err != nil {
		return nil, unserved(err)
	}
	return ok(body)
}

// stepper is the kind that the path names, by its name or another that it has.
func (c *call) stepper() flow.Stepper {
	name := c.PathValue("type")
	for _, k := range c.api.Metadata.Kinds {
		if s, is := k.(flow.Stepper); is && (k.Meta().Name == name || slices.Contains(s.Step("", nil).Aliases, name)) {
			return s
		}
	}
	return nil
}

// configured is what an environment has configured.
type configured struct{ c *call }

// Resource implements Resources. What cannot be read is as good as absent.
func (r configured) Resource(kind, id string) (json.RawMessage, bool) {
	item, err := r.c.resource(kind, nil, id)
	return item.Body, err == nil
}
