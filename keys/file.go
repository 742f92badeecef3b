package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadOrCreate reads the ring at path, or makes one there that only its owner can
// read. It refuses a file that group or others may read or write. Of two
// processes that start at once on no file, one creates it and both read it.
func LoadOrCreate(path string) (r *Ring, created bool, err error) {
	r, err = load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, false, err
	}
	if r, err = Generate(); err != nil {
		return nil, false, err
	}
	err = createOnce(path, r.Marshal())
	switch {
	case errors.Is(err, fs.ErrExist):
		r, err = load(path)
		return r, false, err
	case err != nil:
		return nil, false, fmt.Errorf("create key ring: %w", err)
	}
	return r, true, nil
}

func load(path string) (*Ring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %v, want a file of mode 0600: chmod 600 it", ErrRing, path, mode)
	}
	if info.Size() > maxRing {
		return nil, fmt.Errorf("%w: %s is over %d bytes", ErrRing, path, maxRing)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("read key ring: %w", err)
	}
	return Parse(b)
}

// createOnce puts b at path whole or not at all; fs.ErrExist when a file is there.
func createOnce(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // the link below is what stays
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // fails when path exists, which rename does not
}
