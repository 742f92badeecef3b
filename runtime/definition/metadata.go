package definition

import (
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// version is that of every type of step: a kind has one.
const version = "1"

// metadata is what a program that draws definitions asks of a type of step.
// Source: reference/management.md 2.7.
type metadata struct {
	TypeName              string           `json:"typeName"`
	Version               string           `json:"version"`
	DisplayName           string           `json:"displayName"`
	Description           string           `json:"description"`
	IconURL               string           `json:"iconUrl,omitempty"`
	Aliases               []string         `json:"aliases,omitempty"` // ours
	ConfigurationSchema   json.RawMessage  `json:"configurationSchema,omitempty"`
	ConfigurationUISchema json.RawMessage  `json:"configurationUiSchema,omitempty"`
	InputSchema           json.RawMessage  `json:"inputSchema,omitempty"`
	InputUISchema         json.RawMessage  `json:"inputUiSchema,omitempty"`
	ResultMetadata        []resultMetadata `json:"resultMetadata"`
	FailureMetadata       []resultMetadata `json:"failureMetadata,omitempty"` // ours: outlets besides ERROR that need not be drawn
	Terminal              bool             `json:"terminal"`                  // ours: it ends the flow and has no outlets
}

type resultMetadata struct {
	TypeName     string          `json:"typeName"`
	DisplayName  string          `json:"displayName"`
	Description  string          `json:"description"`
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
}

// Metadata describes a type of step as canonical JSON: for one trigger, or in
// general where that is empty; as it is with a configuration, or without one
// where that is empty. iconUrl is the name of an icon of package static. The
// error is a Faults.
func Metadata(kind flow.Stepper, trigger string, config json.RawMessage, res Resources) (json.RawMessage, error) {
	if trigger != "" && trigger != flow.TriggerExperience && trigger != flow.TriggerSignOnPolicy {
		var faults Faults
		faults.Add(document.Root.Member("trigger").Member("type"), "takes "+flow.TriggerExperience+" or "+flow.TriggerSignOnPolicy)
		return nil, faults
	}
	s := kind.Step(trigger, nil)
	if len(config) > 0 && string(config) != "null" {
		canonical, err := document.Canonical(config)
		if found := Faults(nil); errors.As(err, &found) {
			var faults Faults
			faults.Merge(document.Root.Member("configuration"), found)
			return nil, faults
		}
		var faults Faults
		r := stepReader{reader: newReader(res, nil), at: document.Root, trigger: trigger, faults: &faults}
		_, s = r.configuration(kind, canonical)
		if err := errors.Join(r.err, faults.Err()); err != nil {
			return nil, err
		}
	}
	m := kind.Meta()
	doc := metadata{
		TypeName: m.Name, Version: version, DisplayName: s.Title, Description: m.Doc, IconURL: s.Icon, Aliases: s.Aliases,
		ConfigurationSchema: s.Configuration, ConfigurationUISchema: s.ConfigurationUI, InputSchema: s.Input, InputUISchema: s.InputUI,
		ResultMetadata: []resultMetadata{}, Terminal: s.Ends != flow.GoesOn,
	}
	for _, r := range s.Results {
		if s.Ends == flow.GoesOn {
			doc.ResultMetadata = append(doc.ResultMetadata, resultMetadata{r.Name, r.Title, r.Doc, r.Output})
		}
	}
	for _, f := range s.Failures {
		doc.FailureMetadata = append(doc.FailureMetadata, resultMetadata{TypeName: f.Name, DisplayName: f.Title, Description: f.Doc})
	}
	return encoded(m.Name, doc)
}

func encoded(name string, doc any) (json.RawMessage, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", name, err)
	}
	return document.Canonical(b)
}

// triggerMetadata is what a program that draws definitions asks of a trigger.
type triggerMetadata struct {
	TypeName            string          `json:"typeName"`
	Version             string          `json:"version"`
	DisplayName         string          `json:"displayName"`
	Description         string          `json:"description"`
	ConfigurationSchema json.RawMessage `json:"configurationSchema"`
	InputSchema         json.RawMessage `json:"inputSchema"` // what ${flow.inputs} holds
	Result              string          `json:"result"`      // ours: of COMPLETE_FLOW
}

// Triggers describes the types of triggers as canonical JSON.
func Triggers() ([]json.RawMessage, error) {
	none := json.RawMessage(`{"additionalProperties":false,"type":"object"}`)
	inputs := json.RawMessage(`{"properties":{
		"headers":{"properties":{"accept-language":{"type":"string"},"user-agent":{"type":"string"}},"type":"object"},
		"parameters":{"type":"object"}},"type":"object"}`)
	all := []triggerMetadata{
		{flow.TriggerExperience, version, "Experience", "The flow is started by a link of an application, and ends with a redirect to it.", none, inputs, "REDIRECT"},
		{flow.TriggerSignOnPolicy, version, "Sign-on policy", "The flow is an action of a sign-on policy, which goes on when it ends.", none, inputs, "COMPLETE"},
	}
	out := make([]json.RawMessage, len(all))
	for i := range all {
		b, err := encoded(all[i].TypeName, all[i])
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}
