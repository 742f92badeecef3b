package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"doorward/keys"
)

func keysCommand() *cobra.Command {
	root := &cobra.Command{Use: "keys", Short: "Make and rotate the deployment's key ring"}
	root.AddCommand(&cobra.Command{
		Use:   "new FILE",
		Short: "Make a key ring; every node of a deployment is given the same one",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ring, err := keys.Generate()
			if err != nil {
				return err
			}
			return writeRing(c, args[0], ring, os.O_EXCL)
		},
	}, &cobra.Command{
		Use:   "rotate FILE",
		Short: "Put a new generation first and keep the present one readable",
		Long: "Put a new generation first and keep the present one readable.\n" +
			"Give every node the new file and restart one after the other. Rotate again\n" +
			"only when the longest-lived value of the old generation has expired.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			ring, err := keys.Parse(b)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if ring, err = ring.Rotate(); err != nil {
				return err
			}
			return writeRing(c, args[0], ring, os.O_TRUNC)
		},
	})
	return root
}

// writeRing writes beside the file and renames, so that a ring is never half
// there. how is os.O_EXCL (refuse to replace one) or os.O_TRUNC.
func writeRing(c *cobra.Command, path string, ring *keys.Ring, how int) error {
	if how == os.O_EXCL {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists; rotate it, or name another file", path)
		}
	}
	next := path + ".new"
	if err := os.WriteFile(next, ring.Marshal(), 0o600); err != nil { //nolint:gosec // the operator names the file
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", path)
	return err
}
