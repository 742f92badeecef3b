package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"doorward/runtime/flow"
)

// The header's layout. The scripts in scripts.go have the same numbers, counted
// from one.
const (
	atFlags   = 8
	atBinding = 9
	atSave    = 41
	atBody    = 57
)

const (
	flagTerminal = 1
	flagResumed  = 2
)

// maxBody caps a body in bytes; maxRecord what is ever read of a stored value.
const (
	maxBody   = 16 << 10
	maxRecord = atBody + maxBody
)

// errDamaged says that a stored value is none of ours.
var errDamaged = errors.New("damaged record")

// id is the short form of names in keys, and of holders in leases and records.
type id [16]byte

// identify digests parts. NUL ends each: none of them holds one.
func identify(kind string, parts ...string) id {
	var buf [256]byte
	b := append(buf[:0], kind...)
	for _, p := range parts {
		b = append(append(b, 0), p...)
	}
	sum := sha256.Sum256(b)
	return id(sum[:16])
}

func ofRef(ref flow.Ref) id              { return identify("x", ref.Env, ref.ID) }
func ofHolder(holder string) id          { return identify("h", holder) }
func ofLimit(limit flow.Limit) id        { return identify("r", limit.Key) }
func ofSessionID(env, session string) id { return identify("i", env, session) }
func ofUser(env, user string) id         { return identify("u", env, user) }
func ofSession(env string, st flow.Digest) id {
	return identify("s", env, string(st[:]))
}

// encode writes the record of x as saved by save.
func encode(x *flow.Execution, save id) ([]byte, error) {
	head := make([]byte, atBody, 768)
	binary.BigEndian.PutUint64(head, x.Version)
	if x.Terminal() {
		head[atFlags] = flagTerminal
	}
	copy(head[atBinding:], x.Binding[:])
	copy(head[atSave:], save[:])
	buf := bytes.NewBuffer(head)
	p := newPacker(buf)
	p.execution(x)
	if err := p.done(); err != nil {
		return nil, fmt.Errorf("encode execution: %w", err)
	}
	if buf.Len() > maxRecord {
		return nil, flow.ErrTooLarge
	}
	return buf.Bytes(), nil
}

// decode reads the record of ref. A record that has expired by now is unknown,
// and so is one that is none of ours.
func decode(ref flow.Ref, b []byte, now time.Time) (*flow.Execution, error) {
	if len(b) < atBody || len(b) > maxRecord {
		return nil, fmt.Errorf("%w: execution: %w", flow.ErrUnknown, errDamaged)
	}
	x := &flow.Execution{Ref: ref, Version: version(b), Binding: flow.Digest(b[atBinding:atSave])}
	u := newUnpacker(b[atBody:])
	u.execution(x)
	switch err := u.done(); {
	case errors.Is(err, flow.ErrNewer), errors.Is(err, flow.ErrOlder):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: execution: %w", flow.ErrUnknown, err)
	case !now.Before(x.ExpiresAt):
		return nil, flow.ErrUnknown
	}
	return x, nil
}

func version(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// encodeSession writes a session.
func encodeSession(s *flow.Session) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, 512))
	p := newPacker(buf)
	p.session(s)
	if err := p.done(); err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	if buf.Len() > maxBody {
		return nil, flow.ErrTooLarge
	}
	return buf.Bytes(), nil
}

// decodeSession reads a session; nil when there is none, it has expired or can no
// longer be read, all of which mean to sign on again. One of a newer format is
// left to the node that wrote it.
func decodeSession(b []byte, now time.Time) (*flow.Session, error) {
	if len(b) == 0 || len(b) > maxBody {
		return nil, nil //nolint:nilnil // none is an answer
	}
	s := &flow.Session{}
	u := newUnpacker(b)
	u.session(s)
	switch err := u.done(); {
	case errors.Is(err, flow.ErrNewer):
		return nil, err
	case err != nil, !now.Before(s.ExpiresAt):
		return nil, nil //nolint:nilnil,nilerr // none is an answer
	}
	return s, nil
}
