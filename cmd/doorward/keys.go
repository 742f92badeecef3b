package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"doorward/directory"
	"doorward/keys"
)

func keysCommand(getenv func(string) string) *cobra.Command {
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
		Use:   "stage FILE",
		Short: "Add the next generation, which is read and makes nothing yet",
		Long: "Add the next generation, which is read and makes nothing yet.\n" +
			"Give every node the file and restart one after the other; then rotate. The\n" +
			"generation before the present one is gone: reseal first, and stage only when\n" +
			"30 days, the life of a session cookie, have passed since the last rotation.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return changeRing(c, args[0], (*keys.Ring).Stage) },
	}, &cobra.Command{
		Use:   "rotate FILE",
		Short: "Put the staged generation first, or a new one, and keep the present one readable",
		Long: "Put the staged generation first, or a new one where none is staged, and keep the\n" +
			"present one readable. Give every node the file and restart one after the other:\n" +
			"with a staged generation each reads what any other makes meanwhile. Then reseal.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return changeRing(c, args[0], (*keys.Ring).Rotate) },
	}, resealCommand(getenv))
	return root
}

// resealCommand seals what lasts under the first generation.
func resealCommand(getenv func(string) string) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "reseal",
		Short: "Seal secrets and signing keys anew under the first generation of the ring",
		Long: "Seal secrets and signing keys anew under the first generation of the ring, once all\n" +
			"nodes have it. It takes the flags of serve that say where the database and the\n" +
			"ring are, may be run while nodes serve, and may be run again.",
		Args: cobra.NoArgs,
	}
	o.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := errors.Join(fromEnvironment(c.Flags(), getenv), o.settle(getenv)); err != nil {
			return err
		}
		ring, err := readRing(o.Keys)
		if err != nil {
			return err
		}
		n, err := reseal(c.Context(), o.Database, ring)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "sealed %d values anew\n", n)
		return err
	}
	return c
}

func reseal(ctx context.Context, database string, ring *keys.Ring) (n int, err error) {
	if !directory.OnServer(database) {
		if _, err := os.Stat(database); err != nil { // none is made: what is sealed lies elsewhere
			return 0, fmt.Errorf("database: %w; give the --database of the nodes", err)
		}
	}
	db, err := directory.Open(ctx, directory.Options{Path: database, Now: time.Now})
	if err != nil {
		return 0, fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	switch there, err := directory.NewResources(db, ring).Environments(ctx); {
	case err != nil:
		return 0, fmt.Errorf("database: %w", err)
	case len(there) == 0:
		return 0, errors.New("the database holds no environment; give the --database of the nodes")
	}
	return directory.Reseal(ctx, db, ring)
}

func readRing(path string) (*keys.Ring, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := keys.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// changeRing puts another ring into the place of one.
func changeRing(c *cobra.Command, path string, to func(*keys.Ring) (*keys.Ring, error)) error {
	ring, err := readRing(path)
	if err != nil {
		return err
	}
	if ring, err = to(ring); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeRing(c, path, ring, os.O_TRUNC)
}

// writeWhole writes a file that is there when it returns, whatever happens to the machine.
func writeWhole(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// sameOwner gives a file to whom another belongs, so that a ring that root changes is
// still read by the service's user.
func sameOwner(as os.FileInfo, path string) error {
	if st, ok := as.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return os.Chown(path, int(st.Uid), int(st.Gid))
	}
	return nil
}

// keepOld keeps a ring as FILE.old, in the place of the one before. It is a copy, for
// not every file system can give a file two names.
func keepOld(was os.FileInfo, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	beside := path + ".old.new"
	if err := errors.Join(writeWhole(beside, b), sameOwner(was, beside)); err != nil {
		return err
	}
	return os.Rename(beside, path+".old")
}

// writeRing writes beside the file and renames, so that a ring is never half
// there. The one before stays as FILE.old. how is os.O_EXCL (refuse to replace one) or os.O_TRUNC.
func writeRing(c *cobra.Command, path string, ring *keys.Ring, how int) error {
	if how == os.O_EXCL {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists; rotate it, or name another file", path)
		}
	}
	next := path + ".new"
	if err := writeWhole(next, ring.Marshal()); err != nil {
		return err
	}
	if was, err := os.Stat(path); err == nil {
		if err := errors.Join(sameOwner(was, next), keepOld(was, path)); err != nil {
			return err
		}
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", path)
	return err
}
