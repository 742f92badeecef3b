package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

const root policy.Path = "$"

// address is a string in which "{base}" stands for the deployment's base URL.
type address string

// flag is a bool that may be written as a string, as published bodies do for
// "default". Source: reference/management.md 4.2.
type flag bool

// count is a whole number that may be written with a fraction, which does not
// count. Source: reference/management.md 5.5.
type count int

// number is the count, or 0 when there is none.
func (c *count) number() int {
	if c == nil {
		return 0
	}
	return int(*c)
}

// within makes sure that a count, if there is one, is in a range.
func within(f *policy.Faults, at policy.Path, c *count, least, most int, of string) {
	if c != nil && (int(*c) < least || int(*c) > most) {
		f.AddCode(at, flow.OutOfRange, fmt.Sprintf("takes %d to %d %s", least, most, of))
	}
}

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
	case count:
		if n, ok := node.(json.Number); ok {
			node = truncated(n)
		}
	case passwordDocument:
		if s, ok := node.(string); ok {
			node = map[string]any{"value": s}
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
	case reflect.Map:
		d.entries(at, node, dst)
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

// entries reads a map, whose keys are for its document to check.
func (d *decoder) entries(at policy.Path, node any, dst reflect.Value) {
	members, ok := node.(map[string]any)
	d.want(ok, at, "takes an object")
	dst.Set(reflect.MakeMap(dst.Type()))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := reflect.New(dst.Type().Elem()).Elem()
		d.value(at.Member(name), members[name], value)
		dst.SetMapIndex(reflect.ValueOf(name), value)
	}
}

// truncated is a number without its fraction, and as it is when that is none
// that an int could hold.
func truncated(n json.Number) json.Number {
	f, err := n.Float64()
	if err != nil || math.Abs(f) >= 1<<53 {
		return n
	}
	return json.Number(strconv.FormatInt(int64(f), 10))
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
			d.faults.AddCode(at.Member(name), flow.RequiredValue, "is required")
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
