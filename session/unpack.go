package session

import (
	"bytes"
	"io"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"doorward/runtime/flow"
)

// maxItems caps every list that is read.
const maxItems = 1024

// unpacker reads what packer writes, and remembers the first error. It never
// reserves more than the input it was given could fill.
type unpacker struct {
	d   *msgpack.Decoder
	in  *bytes.Reader
	all []byte // what in reads
	err error
}

func newUnpacker(b []byte) *unpacker {
	u := &unpacker{d: msgpack.GetDecoder(), in: bytes.NewReader(b), all: b}
	u.d.ResetDict(u.in, nil)
	return u
}

// done returns the first error; bytes that are left over are one.
func (u *unpacker) done() error {
	msgpack.PutDecoder(u.d)
	if u.err == nil && u.in.Len() > 0 {
		u.err = errDamaged
	}
	return u.err
}

func (u *unpacker) keep(err error) {
	if u.err == nil && err != nil {
		u.err = err
		u.in.Reset(nil) // whatever else is asked for ends at once
	}
}

// peek returns the next type code; null after an error.
func (u *unpacker) peek() byte {
	if u.err != nil {
		return msgpcode.Nil
	}
	c, err := u.d.PeekCode()
	if err != nil {
		u.keep(err)
		return msgpcode.Nil
	}
	return c
}

// null reports whether null is next, and reads it.
func (u *unpacker) null() bool {
	if u.peek() != msgpcode.Nil {
		return false
	}
	if u.err == nil {
		u.keep(u.d.DecodeNil())
	}
	return true
}

// list reads the length of a list, at most max.
func (u *unpacker) list(max int) int {
	if u.err != nil {
		return 0
	}
	n, err := u.d.DecodeArrayLen()
	if err == nil && (n < 0 || n > max) {
		err = errDamaged
	}
	u.keep(err)
	if u.err != nil {
		return 0
	}
	return n
}

// tuple reads the length of a list that has n items or none, and reports whether
// it has them.
func (u *unpacker) tuple(n int) bool {
	if got := u.list(n); got != n {
		u.keep(errDamaged)
	}
	return u.err == nil
}

// take returns the next string or bytes, which lie in the input.
func (u *unpacker) take() []byte {
	if u.err != nil {
		return nil
	}
	n, err := u.d.DecodeBytesLen()
	if err == nil && (n < 0 || n > u.in.Len()) {
		err = errDamaged
	}
	u.keep(err)
	if u.err != nil {
		return nil
	}
	at := len(u.all) - u.in.Len()
	_, err = u.in.Seek(int64(n), io.SeekCurrent)
	u.keep(err)
	return u.all[at : at+n]
}

func (u *unpacker) str() string { return string(u.take()) }

func (u *unpacker) int() int64 {
	if u.err != nil {
		return 0
	}
	n, err := u.d.DecodeInt64()
	u.keep(err)
	return n
}

func (u *unpacker) uint() uint64 {
	if u.err != nil {
		return 0
	}
	n, err := u.d.DecodeUint64()
	u.keep(err)
	return n
}

// word reads an unsigned number of 32 bits.
func (u *unpacker) word() uint32 {
	n := u.uint()
	if n > math.MaxUint32 {
		u.keep(errDamaged)
		return 0
	}
	return uint32(n)
}

// small reads an unsigned number of 8 bits.
func (u *unpacker) small() uint8 {
	n := u.word()
	if n > math.MaxUint8 {
		u.keep(errDamaged)
		return 0
	}
	return uint8(n)
}

func (u *unpacker) bool() bool {
	if u.err != nil {
		return false
	}
	b, err := u.d.DecodeBool()
	u.keep(err)
	return b
}

func (u *unpacker) blob() []byte {
	if u.null() {
		return nil
	}
	return bytes.Clone(u.take())
}

// fixed fills b, which is as long as what must be there.
func (u *unpacker) fixed(b []byte) {
	if copy(b, u.take()) != len(b) {
		u.keep(errDamaged)
	}
}

func (u *unpacker) digest() (d flow.Digest) {
	if !u.null() {
		u.fixed(d[:])
	}
	return d
}

func (u *unpacker) time() time.Time {
	if u.null() {
		return time.Time{}
	}
	return time.UnixMilli(u.int()).UTC()
}

func (u *unpacker) name() string {
	if u.peek() != msgpcode.Bin8 {
		return u.str()
	}
	var b [16]byte
	u.fixed(b[:])
	return lengthen(b)
}

func (u *unpacker) value() any {
	switch c := u.peek(); {
	case c == msgpcode.Nil:
		u.null()
		return nil
	case c == msgpcode.True, c == msgpcode.False:
		return u.bool()
	case c == msgpcode.Double:
		f, err := u.d.DecodeFloat64()
		u.keep(err)
		return f
	case msgpcode.IsString(c):
		return u.str()
	case msgpcode.IsFixedArray(c), c == msgpcode.Array16:
		out := make([]string, u.list(maxItems))
		for i := range out {
			out[i] = u.str()
		}
		return out
	}
	return u.int()
}
