package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"doorward/configs"
	"doorward/runtime/definition"
	"doorward/runtime/flow"
)

// Comparison is what two files of a flow definition come to, as it is printed.
type Comparison struct {
	From       string                 `json:"from"`
	To         string                 `json:"to"`
	Plan       planChange             `json:"plan"`
	Definition []operation            `json:"definition"`
	Forms      map[string][]operation `json:"forms,omitempty"`  // that both show, by id
	Called     map[string][]operation `json:"called,omitempty"` // definitions that both call, by id

	a, b *revision
}

// planChange says whether executions are begun with another plan.
type planChange struct {
	Changes *bool  `json:"changes"` // null: not known
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	Why     string `json:"why,omitempty"` // it is not known
}

// revision is one of the two files.
type revision struct {
	file   string
	folder *configs.Folder // of its own; nil: it lies in none
	body   map[string]any
	raw    []byte
	hash   string // of the plan; empty: there is none
	fault  error  // why there is none
	taken  taken
}

// taken is what a plan holds beside the definition, by id.
type taken struct {
	Resources struct {
		Form map[string]map[string]any `json:"form"`
	} `json:"resources"`
	Definitions map[string]map[string]any `json:"definitions"`
}

// Compare says what differs between two files of a flow definition: in themselves, in
// what their plans take along, and whether the plans do.
func Compare(from, to string, kinds []flow.Kind) (*Comparison, error) {
	a, errA := readRevision(from, kinds)
	b, errB := readRevision(to, kinds)
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	a.source(b.folder, kinds)
	b.source(a.folder, kinds)
	d := &Comparison{From: from, To: to, Plan: plansOf(a, b), Definition: patchObject("", a.body, b.body), a: a, b: b}
	if d.Definition == nil {
		d.Definition = []operation{}
	}
	if d.Plan.Changes != nil { // else it is not known what is taken along
		d.Forms = patchesOf(a.taken.Resources.Form, b.taken.Resources.Form)
		d.Called = patchesOf(a.taken.Definitions, b.taken.Definitions)
	}
	return d, nil
}

// patchesOf are those of what both have and is not equal.
func patchesOf(a, b map[string]map[string]any) map[string][]operation {
	out := map[string][]operation{}
	for _, id := range union(a, b) {
		if changes := patchObject("", a[id], b[id]); a[id] != nil && b[id] != nil && changes != nil {
			out[id] = changes
		}
	}
	return out
}

func readRevision(file string, kinds []flow.Kind) (*revision, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v := &revision{file: file}
	if v.raw, err = declared(kindFlowDefinition).Kept(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := json.Unmarshal(v.raw, &v.body); err != nil || v.body["stepDefinitions"] == nil {
		return nil, fmt.Errorf("%s is no flow definition: an object with stepDefinitions", file)
	}
	whole, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	environment := filepath.Dir(filepath.Dir(whole))
	v.folder, err = configs.ReadFolder(os.DirFS(filepath.Dir(environment)), filepath.Base(environment), kinds)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", environment, err)
	}
	return v, nil
}

// source makes what the plan is made from.
func (v *revision) source(other *configs.Folder, kinds []flow.Kind) {
	in := v.folder
	if in == nil {
		in = other
	}
	src, hash, err := definition.Source(v.raw, in, kinds)
	if err != nil {
		v.fault = err
		return
	}
	v.hash = hash.String()
	v.fault = json.Unmarshal(src, &v.taken)
}

func plansOf(a, b *revision) planChange {
	for _, v := range []*revision{a, b} {
		if v.fault != nil {
			return planChange{Why: v.file + " has no plan: " + v.fault.Error()}
		}
	}
	changes := a.hash != b.hash
	return planChange{Changes: &changes, From: a.hash, To: b.hash}
}
