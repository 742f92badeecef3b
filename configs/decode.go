package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"doorward/runtime/policy"
)

const root policy.Path = "$"

// address is a string in which "{base}" stands for the deployment's base URL.
type address string

// flag is a bool that may be written as a string, as published bodies do for
// "default". Source: reference/management.md 4.2.
type flag bool

// stranger is a document that has its own words for some members it does not
// take.
type stranger interface{ stranger(name string) string }

// decode reads canonical JSON into the struct that dst points to and returns
// everything that does not fit. A member must be a field's json name; null is as
// good as absent; required:"true" wants a member that is there and not empty.
func decode(canonical []byte, base string, dst any) policy.Faults {
	var node any
	dec := json.NewDecoder(bytes.NewReader(canonical))
	dec.UseNumber()
	if err := dec.Decode(&node); err != nil {
		return policy.Faults{{Path: root, Message: err.Error()}}
	}
	d := decoder{base: base}
	d.value(root, node, reflect.ValueOf(dst).Elem())
	return d.faults
}

type decoder struct {
	base   string
	faults policy.Faults
}

func (d *decoder) value(at policy.Path, node any, dst reflect.Value) {
	switch dst.Interface().(type) {
	case json.RawMessage:
		b, _ := json.Marshal(node) // cannot fail: it was JSON
		dst.SetBytes(b)
		return
	case flag:
		if s, ok := node.(string); ok && (s == "true" || s == "false") {
			node = s == "true"
		}
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		d.value(at, node, dst.Elem())
	case reflect.Struct:
		d.object(at, node, dst)
	case reflect.Slice:
		d.list(at, node, dst)
	case reflect.Bool:
		b, ok := node.(bool)
		d.want(ok, at, "takes true or false")
		dst.SetBool(b)
	case reflect.Int:
		n, _ := node.(json.Number)
		i, err := n.Int64()
		d.want(err == nil, at, "takes a whole number")
		dst.SetInt(i)
	case reflect.String:
		s, ok := node.(string)
		d.want(ok, at, "takes a string")
		if _, ok := dst.Interface().(address); ok {
			s = strings.ReplaceAll(s, "{base}", d.base)
		}
		dst.SetString(s)
	}
}

func (d *decoder) want(ok bool, at policy.Path, message string) {
	if !ok {
		d.faults.Add(at, message)
	}
}

func (d *decoder) list(at policy.Path, node any, dst reflect.Value) {
	nodes, ok := node.([]any)
	d.want(ok, at, "takes a list")
	dst.Set(reflect.MakeSlice(dst.Type(), len(nodes), len(nodes)))
	for i, n := range nodes {
		d.value(at.Index(i), n, dst.Index(i))
	}
}

func (d *decoder) object(at policy.Path, node any, dst reflect.Value) {
	members, ok := node.(map[string]any)
	if !ok {
		d.faults.Add(at, "takes an object")
		return
	}
	rest := maps.Clone(members)
	for i := range dst.NumField() {
		f := dst.Type().Field(i)
		name := f.Tag.Get("json")
		n := members[name]
		delete(rest, name)
		if n != nil {
			d.value(at.Member(name), n, dst.Field(i))
		}
		if f.Tag.Get("required") == "true" && (n == nil || n == "") {
			d.faults.Add(at.Member(name), "is required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		d.faults.Add(at.Member(name), strange(name, dst))
	}
}

// strange is what a member is told that dst has no field for.
func strange(name string, dst reflect.Value) string {
	if s, ok := dst.Interface().(stranger); ok && s.stranger(name) != "" {
		return s.stranger(name)
	}
	var names []string
	for i := range dst.NumField() {
		names = append(names, dst.Type().Field(i).Tag.Get("json"))
	}
	return fmt.Sprintf("is no member here; there are %s", strings.Join(names, ", "))
}

// canonical is raw as canonical JSON, or what keeps it from being that.
func canonical(raw []byte) ([]byte, policy.Faults) {
	b, err := policy.Canonical(raw)
	if found := policy.Faults(nil); errors.As(err, &found) {
		return nil, found
	}
	return b, nil
}
