package session

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"doorward/runtime/flow"
)

// packer writes MessagePack and remembers the first error.
type packer struct {
	e   *msgpack.Encoder
	buf [32]byte // what the encoder is handed, so that digests stay off the heap
	err error
}

func newPacker(w *bytes.Buffer) *packer {
	e := msgpack.GetEncoder()
	e.ResetDict(w, nil)
	return &packer{e: e}
}

func (p *packer) done() error {
	msgpack.PutEncoder(p.e)
	return p.err
}

func (p *packer) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *packer) null()         { p.keep(p.e.EncodeNil()) }
func (p *packer) list(n int)    { p.keep(p.e.EncodeArrayLen(n)) }
func (p *packer) str(s string)  { p.keep(p.e.EncodeString(s)) }
func (p *packer) int(n int64)   { p.keep(p.e.EncodeInt(n)) }
func (p *packer) uint(n uint64) { p.keep(p.e.EncodeUint(n)) }
func (p *packer) bool(b bool)   { p.keep(p.e.EncodeBool(b)) }

// blob writes bytes; none of them as null.
func (p *packer) blob(b []byte) {
	if len(b) == 0 {
		p.null()
		return
	}
	p.keep(p.e.EncodeBytes(b))
}

func (p *packer) digest(d flow.Digest) {
	if d.IsZero() {
		p.null()
		return
	}
	p.keep(p.e.EncodeBytes(append(p.buf[:0], d[:]...)))
}

// time writes milliseconds since 1970; the zero time as null.
func (p *packer) time(t time.Time) {
	if t.IsZero() {
		p.null()
		return
	}
	p.int(t.UnixMilli())
}

// name writes a UUID in lower case as 16 bytes and every other string as it is.
func (p *packer) name(s string) {
	u, ok := shorten(s)
	if !ok {
		p.str(s)
		return
	}
	p.keep(p.e.EncodeBytes(append(p.buf[:0], u[:]...)))
}

// value writes one value of a fault's inner error: null, boolean, number, string
// or list of strings.
func (p *packer) value(v any) {
	switch v := v.(type) {
	case nil:
		p.null()
	case bool:
		p.bool(v)
	case int:
		p.int(int64(v))
	case int64:
		p.int(v)
	case float64:
		p.keep(p.e.EncodeFloat64(v))
	case string:
		p.str(v)
	case []string:
		p.list(len(v))
		for _, s := range v {
			p.str(s)
		}
	default:
		p.keep(fmt.Errorf("no form for a value of type %T", v))
	}
}

// shorten returns the bytes of a UUID in lower case.
func shorten(s string) (u id, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	for i, at := range [...]byte{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		hi, lo := digit(s[at]), digit(s[at+1])
		if hi|lo > 15 {
			return u, false
		}
		u[i] = hi<<4 | lo
	}
	return u, true
}

func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return math.MaxUint8
}

// lengthen undoes shorten.
func lengthen(u [16]byte) string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	hex.Encode(b[9:], u[4:6])
	hex.Encode(b[14:], u[6:8])
	hex.Encode(b[19:], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
