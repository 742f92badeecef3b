package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"doorward/configs"
	"doorward/runtime/condition"
	"doorward/runtime/definition"
)

func flowDiffCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Say what differs between two files of a flow definition, and whether the plan does",
		Long: "Say what differs between two files of a flow definition: steps, outlets, inputs,\n" +
			"configurations and the forms they show; and whether the plan changes, by which\n" +
			"an execution under way is held to what it began with. Forms and definitions that\n" +
			"are called are read from the configuration that a file lies in, or, where it lies\n" +
			"in none, from that of the other.",
		Example: "  doorward flow diff old/sign-on.json ./config/acme/flowDefinitions/sign-on.json\n" +
			"  doorward flow diff --format json a.json b.json",
		Args: exactly("the file as it was", "the file as it is"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			d, err := compare(args[0], args[1])
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(c.OutOrStdout(), d)
			}
			_, err = fmt.Fprint(c.OutOrStdout(), d.text())
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`form` of the answer: text or json, with JSON Patch operations")
	return c
}

// comparison is what a diff comes to.
type comparison struct {
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
	folder *folder // of its own; nil: it lies in none
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

func compare(from, to string) (*comparison, error) {
	a, errA := readRevision(from)
	b, errB := readRevision(to)
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	a.source(b.folder)
	b.source(a.folder)
	d := &comparison{From: from, To: to, Plan: plansOf(a, b), Definition: patchObject("", a.body, b.body), a: a, b: b}
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

func readRevision(file string) (*revision, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	body, err := condition.Canonical(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	v := &revision{file: file, raw: body}
	if err := json.Unmarshal(body, &v.body); err != nil || v.body["stepDefinitions"] == nil {
		return nil, fmt.Errorf("%s is no flow definition: an object with stepDefinitions", file)
	}
	for _, name := range unkept(&configs.Kind{Created: "createdAt", Modified: "updatedAt"}) {
		delete(v.body, name)
	}
	whole, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	environment := filepath.Dir(filepath.Dir(whole))
	v.folder, err = readFolder(os.DirFS(filepath.Dir(environment)), filepath.Base(environment))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", environment, err)
	}
	return v, nil
}

// source makes what the plan is made from.
func (v *revision) source(other *folder) {
	in := v.folder
	if in == nil {
		in = other
	}
	src, hash, err := definition.Source(v.raw, in, describedKinds())
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
