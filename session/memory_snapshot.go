package session

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"doorward/keys"
)

// snapshotMark begins a snapshot and names its format. After it come a random
// name of 16 bytes and one sealed part for each shard, each with its length in 4
// bytes. A part is sealed for that name and its place, so that parts of two
// snapshots do not mix.
const snapshotMark = "doorward snapshot 1\n"

// ErrSnapshot says that a snapshot is damaged, cut off, or of another key ring.
var ErrSnapshot = errors.New("snapshot cannot be restored")

// Snapshot writes executions and counters to path, whole or not at all, sealed
// with ring. It is for a clean stop, when nothing is served any more. Leases and
// one-time secrets are not kept.
func (m *Memory) Snapshot(path string, ring *keys.Ring) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".snapshot-*") // mode 0600
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	err = m.write(f, ring)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return syncDir(path)
}

func (m *Memory) write(w io.Writer, ring *keys.Ring) error {
	var name id
	_, _ = rand.Read(name[:]) // never fails
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(snapshotMark) // Flush reports it
	_, _ = out.Write(name[:])
	for i := range m.shards {
		sealed, err := ring.Seal(m.shards[i].dump(m.now()), hex.EncodeToString(name[:]), column(i))
		if err != nil {
			return err //nolint:wrapcheck // Snapshot wraps
		}
		_, _ = out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(sealed)))) //nolint:gosec // a shard is far below 4 GiB
		_, _ = out.Write(sealed)
	}
	return out.Flush() //nolint:wrapcheck // Snapshot wraps
}

func column(shard int) string { return fmt.Sprintf("session.snapshot/%d", shard) }

// dump writes what has not expired: for records 1, name, expiry, length, value;
// for counters 2, name, end, count.
func (s *shard) dump(now time.Time) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []byte
	be := binary.BigEndian
	for name, e := range s.records {
		if now.Before(e.expires) {
			b = be.AppendUint64(append(append(b, 1), name[:]...), uint64(e.expires.UnixMilli()))
			b = append(be.AppendUint32(b, uint32(len(e.value))), e.value...) //nolint:gosec // at most maxRecord
		}
	}
	for name, c := range s.counters {
		if now.Before(c.ends) {
			b = be.AppendUint64(append(append(b, 2), name[:]...), uint64(c.ends.UnixMilli()))
			b = be.AppendUint32(b, uint32(c.n)) //nolint:gosec // a count
		}
	}
	return b
}

// Restore reads a snapshot into a store that is still empty, and removes it, so
// that it is never restored twice. No file is no fault. One that is not whole and
// ours is refused whole with ErrSnapshot and stays where it is.
func (m *Memory) Restore(path string, ring *keys.Ring) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer f.Close()
	fresh := NewMemory(m.cap, m.now)
	_ = fresh.Close() // nobody sweeps it
	if err := fresh.read(f, ring); err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	if err := errors.Join(os.Remove(path), syncDir(path)); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for i := range m.shards {
		from, to := &fresh.shards[i], &m.shards[i]
		from.mu.Lock()
		to.mu.Lock()
		to.records, to.counters = from.records, from.counters
		from.records, from.counters = nil, nil
		to.mu.Unlock()
		from.mu.Unlock()
	}
	m.used.Add(fresh.used.Load())
	return nil
}

func (m *Memory) read(f io.Reader, ring *keys.Ring) error {
	in := bufio.NewReader(f)
	head := make([]byte, len(snapshotMark)+len(id{}))
	if _, err := io.ReadFull(in, head); err != nil || string(head[:len(snapshotMark)]) != snapshotMark {
		return fmt.Errorf("%w: no snapshot of this version", ErrSnapshot)
	}
	name := hex.EncodeToString(head[len(snapshotMark):])
	for i := range m.shards {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return fmt.Errorf("%w: cut off", ErrSnapshot)
		}
		want := int64(binary.BigEndian.Uint32(size[:]))
		var sealed bytes.Buffer
		if n, err := io.CopyN(&sealed, in, want); err != nil || n != want {
			return fmt.Errorf("%w: cut off", ErrSnapshot)
		}
		part, err := ring.Open(sealed.Bytes(), name, column(i))
		if err != nil {
			return fmt.Errorf("%w: part %d: %w", ErrSnapshot, i, err)
		}
		if err := m.fill(&m.shards[i], part); err != nil {
			return err
		}
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than a snapshot", ErrSnapshot)
	}
	return nil
}

// fill undoes dump.
func (m *Memory) fill(s *shard, b []byte) error {
	const head = 1 + 16 + 8 + 4
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		if len(b) < head {
			return fmt.Errorf("%w: %w", ErrSnapshot, errDamaged)
		}
		kind, name := b[0], id(b[1:17])
		ends := time.UnixMilli(int64(binary.BigEndian.Uint64(b[17:25]))).UTC() //nolint:gosec // as dumped
		n := int(binary.BigEndian.Uint32(b[25:head]))
		b = b[head:]
		switch {
		case kind == 1 && n >= atBody && n <= maxRecord && n <= len(b):
			if err := m.put(s, name, &entry{value: b[:n], expires: ends}); err != nil {
				return err
			}
			b = b[n:]
		case kind == 2:
			if err := m.reserve(counterCost); err != nil {
				return err
			}
			s.counters[name] = &counter{n: n, ends: ends}
		default:
			return fmt.Errorf("%w: %w", ErrSnapshot, errDamaged)
		}
	}
	return nil
}

// syncDir makes a rename or removal of path last.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err //nolint:wrapcheck // names the directory
	}
	return errors.Join(d.Sync(), d.Close())
}
