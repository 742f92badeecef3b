package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"doorward/runtime/passkey"
)

// metadataMost is the largest file of the FIDO Metadata Service that is read, in bytes.
// It has ten megabytes, most of which are pictures.
const metadataMost = 64 << 20

// readModels reads the file of the FIDO Metadata Service; nil where none is given. One
// that is out of date is said, and serves.
func readModels(path string, roots func() (*x509.CertPool, error), now time.Time, log *slog.Logger) (*passkey.Metadata, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // without it nothing is known of models
	}
	fail := func(err error) (*passkey.Metadata, error) { return nil, fmt.Errorf("--fido-metadata: %w", err) }
	trusted, err := roots()
	if err != nil {
		return fail(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, metadataMost))
	if err != nil {
		return fail(err)
	}
	m, err := passkey.ReadMetadata(b, trusted, now)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", path, err))
	}
	say := log.Info
	if m.Next.Before(now) {
		say = log.Warn
	}
	say("models of authenticators are known", "number", m.Number, "models", m.Len(), "next", m.Next.Format(time.DateOnly))
	return m, nil
}
