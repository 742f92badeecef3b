package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// ErrCursor says that a cursor was not made here, or for another list.
var ErrCursor = errors.New("not a cursor of this list")

// mark is where a page ends: its last row of it. at counts first.
type mark struct {
	at int64
	id string
}

// cursor writes p so that it can stand in a URL. Its digest finds out what was
// damaged, made up or taken from another list; it is no secret, since a cursor
// gives nobody more than a place in a list that they may read anyway.
func (p mark) cursor(list string) string {
	body := append(binary.BigEndian.AppendUint64(nil, uint64(p.at)), p.id...) //nolint:gosec // undone by readCursor
	return base64.RawURLEncoding.EncodeToString(append(digestOf(list, body), body...))
}

// readCursor is cursor undone; ErrCursor when it cannot be.
func readCursor(list, text string) (mark, error) {
	all, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(all) < 16 || !bytes.Equal(all[:8], digestOf(list, all[8:])) {
		return mark{}, ErrCursor
	}
	return mark{int64(binary.BigEndian.Uint64(all[8:])), string(all[16:])}, nil //nolint:gosec // done by cursor
}

// digestOf is 8 bytes.
func digestOf(list string, body []byte) []byte {
	sum := sha256.Sum256(append([]byte("directory.cursor.1\x00"+list+"\x00"), body...))
	return sum[:8]
}
