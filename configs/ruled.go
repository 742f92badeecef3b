package configs

import (
	"encoding/json"
	"errors"

	"doorward/runtime/policy"
)

// ruled is a document that a package of its own reads and judges.
type ruled[V any] struct {
	id, name string
	chosen   bool // the default one of its kind
	value    *V   // nil: there is something wrong with it
	faults   policy.Faults
}

func (d *ruled[V]) key() (string, string)  { return d.id, d.name }
func (d *ruled[V]) standard() bool         { return d.chosen }
func (d *ruled[V]) check(f *policy.Faults) { *f = append(*f, d.faults...) }

// ruledBy is how the documents of a kind are read, with what judges them.
func ruledBy[V any](read func(body json.RawMessage) (*V, error)) func(body []byte, base string) (document, policy.Faults) {
	return func(body []byte, _ string) (document, policy.Faults) {
		d := &ruled[V]{}
		var m object
		_ = json.Unmarshal(body, &m) // what is no object, read says
		d.id, d.name, d.chosen = text(m, "id"), text(m, "name"), text(m, "default") == "true"
		var err error
		if d.value, err = read(body); err != nil && !errors.As(err, &d.faults) {
			d.faults.Add(root, err.Error())
		}
		return d, nil
	}
}
