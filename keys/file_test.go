package keys_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"doorward/keys"
)

func TestLoadOrCreateMakesOneOwnedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.json")
	r, created, err := keys.LoadOrCreate(path)
	if err != nil || !created {
		t.Fatalf("first: created %v, %v", created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	again, created, err := keys.LoadOrCreate(path)
	if err != nil || created || !bytes.Equal(again.Marshal(), r.Marshal()) {
		t.Fatalf("second: created %v, %v", created, err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestLoadOrCreateRefuses(t *testing.T) {
	good, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		content []byte
		mode    os.FileMode
	}{
		{"a file the group can read", good.Marshal(), 0o640},
		{"a file others can read", good.Marshal(), 0o604},
		{"a file the group can write", good.Marshal(), 0o620},
		{"an empty file", nil, 0o600},
		{"a file over 4 KiB", bytes.Repeat([]byte(" "), 5000), 0o600},
		{"a damaged file", good.Marshal()[:40], 0o600},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ring.json")
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			if _, created, err := keys.LoadOrCreate(path); !errors.Is(err, keys.ErrRing) || created {
				t.Errorf("created %v, %v; want ErrRing", created, err)
			}
			if b, _ := os.ReadFile(path); !bytes.Equal(b, tc.content) {
				t.Error("the file was changed")
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		if _, _, err := keys.LoadOrCreate(t.TempDir()); !errors.Is(err, keys.ErrRing) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a place that is not there", func(t *testing.T) {
		if _, _, err := keys.LoadOrCreate(filepath.Join(t.TempDir(), "no", "ring.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLoadOrCreateRaceHasOneRing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.json")
	rings := make([]*keys.Ring, 8)
	made := make([]bool, len(rings))
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			var err error
			if rings[i], made[i], err = keys.LoadOrCreate(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	for i, r := range rings {
		if made[i] {
			n++
		}
		if !bytes.Equal(r.Marshal(), rings[0].Marshal()) {
			t.Error("two rings")
		}
	}
	if n != 1 {
		t.Errorf("%d created it", n)
	}
}
