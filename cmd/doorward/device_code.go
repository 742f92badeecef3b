package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"doorward/devices/client"
)

// codeWait is how long a server may take that is asked whether anything about codes has
// changed. Without an answer the code is as good.
const codeWait = 2 * time.Second

// code shows the code of the moment.
func (m *machine) code(c *cobra.Command, d client.Paired, who *client.Client) error {
	if d.Codes == nil {
		return errors.New("this device was told no seed when it was paired, and computes no codes; pair it anew to have them")
	}
	if err := m.heard(c.Context(), &d, who); err != nil {
		return err
	}
	if !d.Codes.Enabled {
		return errors.New("no codes are taken of this device; answer its sign-ons with `doorward device watch`")
	}
	code, left, err := d.Codes.At(time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s  for %d s\n", code, int(left/time.Second))
	return err
}

// heard asks the server how codes are computed now, and keeps it. One that is not
// reached has said so before.
func (m *machine) heard(ctx context.Context, d *client.Paired, who *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, codeWait)
	defer cancel()
	r, err := who.Show(ctx)
	switch {
	case client.Removed(err):
		return fmt.Errorf("code: %w", err)
	case err != nil || !d.Heard(r.OTP):
		return nil // the code is as good
	}
	return m.state.Keep(*d)
}
