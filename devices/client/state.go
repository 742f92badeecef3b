package client

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Paired is a device that this machine is.
type Paired struct {
	ID          string    `json:"id"`
	Environment string    `json:"environment"`
	Username    string    `json:"username"`
	Name        string    `json:"name"`
	PairedAt    time.Time `json:"pairedAt"`
	PrivateKey  []byte    `json:"privateKey"`      // PKCS #8
	Codes       *Codes    `json:"codes,omitempty"` // nil: it computes none
}

// Key is the private key.
func (p *Paired) Key() (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(p.PrivateKey)
	if err != nil {
		return nil, err
	}
	signer, is := key.(crypto.Signer)
	if !is {
		return nil, fmt.Errorf("a key of type %T does not sign", key)
	}
	return signer, nil
}

// State are the devices that this machine is, as a file keeps them that nobody else
// may read.
type State struct {
	path    string
	Devices []Paired
}

// version is that of the file.
const version = 1

type stateFile struct {
	Version int      `json:"version"`
	Devices []Paired `json:"devices"`
}

// DefaultPath is the file in the user's own configuration.
func DefaultPath() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "doorward", "devices.json"), err
}

// ReadState reads the file; where there is none, there are no devices.
func ReadState(path string) (*State, error) {
	s := &State{path: path}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("%s may be read by others, and holds private keys; make it your own: chmod 600 %s", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f stateFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if f.Version != version {
		return nil, fmt.Errorf("%s has version %d; this program knows %d", path, f.Version, version)
	}
	s.Devices = f.Devices
	return s, nil
}

// Add keeps one more device.
func (s *State) Add(p Paired) error {
	s.Devices = append(s.Devices, p)
	return s.write()
}

// Keep keeps what is known of a device now.
func (s *State) Keep(p Paired) error {
	for i := range s.Devices {
		if s.Devices[i].ID == p.ID {
			s.Devices[i] = p
		}
	}
	return s.write()
}

// Remove forgets a device and its key.
func (s *State) Remove(id string) error {
	s.Devices = slices.DeleteFunc(s.Devices, func(p Paired) bool { return p.ID == id })
	return s.write()
}

// write replaces the file, so that it is never half there.
func (s *State) write() error {
	b, err := json.MarshalIndent(stateFile{version, s.Devices}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".devices-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
