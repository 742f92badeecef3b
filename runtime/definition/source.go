package definition

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// What is wrong in a definition is said in the words of package condition.
type (
	// Path is where in a definition something stands.
	Path = document.Path
	// Faults is everything that is wrong in one.
	Faults = document.Faults
)

const (
	// format is the version of the source that this package writes and reads.
	format = 1
	// marker tells the source of a definition from that of a sign-on policy.
	marker = "flowDefinition"
	// maxSteps is how many steps a definition has at most, with those of the
	// definitions that it calls.
	maxSteps = 200
	// maxCalls is how many definitions may lie inside each other.
	maxCalls = 8
	// maxName is how long a name is at most, in characters.
	maxName = 256
)

// Resources is what definitions refer to, by the kind and the id of a resource.
// The body of a flowDefinition is that of the management API with its id.
type Resources interface {
	Resource(kind, id string) (json.RawMessage, bool)
}

// source is everything of a definition that an execution is pinned to.
type source struct {
	Format int    `json:"format"`
	Kind   string `json:"kind"` // always marker
	ID     string `json:"id"`
	Name   string `json:"name"`
	graph
	Definitions map[string]graph  `json:"definitions,omitempty"` // those that are called, by id
	Resources   map[string]bodies `json:"resources,omitempty"`   // those that are taken along, by kind
}

// bodies are resources by id.
type bodies map[string]json.RawMessage

// graph is what a definition does.
type graph struct {
	Trigger trigger         `json:"trigger"`
	Steps   map[string]step `json:"steps"`
}

type trigger struct {
	Type string `json:"type"`
	Next string `json:"next"`
}

// step is what of one step decides how it runs. What is empty is left out, as if
// it had never been written.
type step struct {
	Type          string            `json:"type"`
	Configuration json.RawMessage   `json:"configuration,omitempty"`
	Input         json.RawMessage   `json:"input,omitempty"`
	Outlets       map[string]string `json:"outlets,omitempty"`
}

// Source returns the canonical source of a definition and the digest that names
// its plan. body is that of the management API, with the id. What does not change
// how a definition runs (whether it is enabled, descriptions, names of outlets)
// is not in the source. res may be nil: then there is nothing to refer to. The
// error is a Faults, unless a schema of a kind is wrong.
func Source(body json.RawMessage, res Resources, kinds []flow.Kind) ([]byte, flow.Digest, error) {
	r := newReader(res, kinds)
	var faults Faults
	g, about := r.definition(body, &faults)
	if r.err != nil {
		return nil, flow.Digest{}, r.err
	}
	if err := faults.Err(); err != nil {
		return nil, flow.Digest{}, err
	}
	s := source{Format: format, Kind: marker, ID: about.ID, Name: about.Name, graph: g.graph, Resources: r.pinned}
	for id, c := range r.called {
		if s.Definitions == nil {
			s.Definitions = map[string]graph{}
		}
		s.Definitions[id] = c.graph
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, flow.Digest{}, fmt.Errorf("source of flow definition %q: %w", s.ID, err)
	}
	if b, err = document.Canonical(b); err != nil {
		return nil, flow.Digest{}, fmt.Errorf("source of flow definition %q: %w", s.ID, err)
	}
	return b, sha256.Sum256(b), nil
}

// Is reports whether src is the source of a definition, and not that of a sign-on
// policy.
func Is(src []byte) bool {
	var s struct {
		Kind string `json:"kind"`
	}
	return json.Unmarshal(src, &s) == nil && s.Kind == marker
}
