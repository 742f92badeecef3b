package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deeply objects and lists may lie inside each other.
const MaxDepth = 32

// The errors of Decode beyond those of the syntax.
var (
	ErrDepth = errors.New("nested deeper than 32")
	ErrMore  = errors.New("more than one JSON value")
)

// What Number takes, so that whoever reckons with it exactly, as schemas do, has no
// million digits to write out.
const (
	LongestNumber = 400 // bytes
	mostExponent  = 400 // either way
)

// ErrNumber is that of Number.
var ErrNumber = errors.New("a number of more digits, or of a larger exponent, than anybody reckons with")

// Number is a number as it was written, one that a double can come near to, as
// json.Number.
func Number(text string) (any, error) {
	if len(text) > LongestNumber {
		return nil, ErrNumber
	}
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		exponent, err := strconv.Atoi(text[e+1:])
		if err != nil || exponent < -mostExponent || exponent > mostExponent {
			return nil, ErrNumber
		}
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return nil, ErrNumber
	}
	return json.Number(text), nil
}

// Decode reads one JSON value: exactly RFC 8259 in valid UTF-8, with names that are
// unique and compared case by case, and nothing behind it. number makes of a number
// what it is to the caller. What it returns shares no memory with text.
func Decode(text []byte, number func(text string) (any, error)) (any, error) {
	r := decoder{jsontext.NewDecoder(bytes.NewBuffer(text)), number}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrMore
	}
	return v, nil
}

type decoder struct {
	*jsontext.Decoder
	number func(string) (any, error)
}

func (d *decoder) value() (any, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.StackDepth() > MaxDepth {
		return nil, ErrDepth
	}
	switch t.Kind() {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		return t.String(), nil
	case '0':
		return d.number(t.String())
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil // null
}

func (d *decoder) object() (any, error) {
	m := map[string]any{}
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := t.String()
		if m[name], err = d.value(); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return m, err
}

func (d *decoder) array() (any, error) {
	a := []any{}
	for d.PeekKind() != ']' {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.ReadToken()
	return a, err
}
