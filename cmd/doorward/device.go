package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"doorward/devices/client"
	"doorward/runtime/device"
)

// deviceCommand is the app of a phone, in a terminal: for trying pushes out, and for
// those who write the app itself.
func deviceCommand() *cobra.Command {
	var m machine
	c := &cobra.Command{
		Use:   "device",
		Short: "Be a paired device: approve or reject the sign-ons that wait for it, show codes",
		Args:  cobra.NoArgs,
	}
	c.PersistentFlags().StringVar(&m.path, "state", "", "`file` with the keys of the devices that this machine is (default: doorward/devices.json in your configuration)")
	c.AddCommand(
		devicePair(&m), deviceWatch(&m), deviceList(&m),
		ofDevice(&m, "code", "Show the code of the moment, for a sign-on while the device is offline", m.code),
		ofDevice(&m, "unpair", "Be the device no longer, and delete its key", m.unpair),
	)
	return c
}

// machine is the devices of one state file, and how their server is reached.
type machine struct {
	path  string
	state *client.State
}

// open reads the state.
func (m *machine) open() (err error) {
	if m.path == "" {
		if m.path, err = client.DefaultPath(); err != nil {
			return fmt.Errorf("%w; give --state", err)
		}
	}
	m.state, err = client.ReadState(m.path)
	return err
}

// deviceTime is how long one request may take: the longest wait and what is around it.
const deviceTime = 40 * time.Second

func deviceClient(environment, id string, key crypto.Signer) *client.Client {
	return &client.Client{Environment: environment, ID: id, Key: key, HTTP: &http.Client{Timeout: deviceTime}, Now: time.Now, Random: rand.Reader}
}

// one is the device that is named, or the only one that there is.
func (m *machine) one(id string) (client.Paired, *client.Client, error) {
	var found []client.Paired
	for _, d := range m.state.Devices {
		if id == "" || d.ID == id {
			found = append(found, d)
		}
	}
	switch {
	case len(m.state.Devices) == 0:
		return client.Paired{}, nil, errors.New("this machine is no device yet: pair it with `doorward device pair`")
	case len(found) == 0:
		return client.Paired{}, nil, fmt.Errorf("this machine is no device %s; see `doorward device list`", id)
	case len(found) > 1:
		return client.Paired{}, nil, errors.New("this machine is several devices: say which; see `doorward device list`")
	}
	key, err := found[0].Key()
	if err != nil {
		return client.Paired{}, nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return found[0], deviceClient(found[0].Environment, found[0].ID, key), nil
}

// ofDevice is a command that does one thing to the device that its argument names.
func ofDevice(m *machine, name, short string, do func(*cobra.Command, client.Paired, *client.Client) error) *cobra.Command {
	return &cobra.Command{
		Use:   name + " [DEVICE]",
		Short: short,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := m.open(); err != nil {
				return err
			}
			d, who, err := m.one(strings.Join(args, ""))
			if err != nil {
				return err
			}
			return do(c, d, who)
		},
	}
}

func devicePair(m *machine) *cobra.Command {
	var environment, name, algorithm string
	c := &cobra.Command{
		Use:   "pair URI|KEY",
		Short: "Become a device of the person who was shown a pairing key",
		Long: "Become a device of the person who was shown a pairing key: give what its QR code\n" +
			"holds, or the key itself and --environment. A private key is made, and kept in the\n" +
			"state file, which nobody else may read.",
		Example: "  doorward device pair 'doorward://pair?code=…&environment=…'\n" +
			"  doorward device pair '1234 5678 9012' --environment http://localhost:8080/d0000000-0000-4000-8000-000000000001",
		Args: exactly("what the QR code holds, or the pairing key"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--algorithm", algorithm, "ES256", "EdDSA"); err != nil {
				return err
			}
			code := args[0]
			if strings.Contains(code, "://") {
				var err error
				if environment, code, err = device.ReadPairingURI(code); err != nil {
					return err
				}
			}
			if environment == "" {
				return errors.New("a pairing key alone does not say whose it is: give --environment, or what the QR code holds")
			}
			if err := m.open(); err != nil {
				return err
			}
			return m.pair(c, strings.TrimSuffix(environment, "/"), code, name, algorithm)
		},
	}
	host, _ := os.Hostname() // empty: the name below
	c.Flags().StringVar(&environment, "environment", "", "base `address` of the environment, with its id")
	c.Flags().StringVar(&name, "name", cmp.Or(host, "terminal"), "what the device calls itself")
	c.Flags().StringVar(&algorithm, "algorithm", "ES256", "what the device's key signs by: ES256 or EdDSA")
	return c
}

// pair makes a key and becomes a device by it.
func (m *machine) pair(c *cobra.Command, environment, code, name, algorithm string) error {
	key, err := deviceKey(algorithm)
	if err != nil {
		return err
	}
	kept, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	r, err := deviceClient(environment, "", key).Pair(c.Context(), code, name, "")
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	err = m.state.Add(client.Paired{ID: r.ID, Environment: environment, Username: r.User.Username, Name: name, PairedAt: r.PairedAt, PrivateKey: kept, Codes: r.OTP})
	if err != nil {
		return fmt.Errorf("the device %s is paired, and its key could not be kept; remove it at the account, then pair again: %w", r.ID, err)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "paired with %s as device %s\nnow run: doorward device watch\n", printable(r.User.Username), r.ID)
	return err
}

func deviceKey(algorithm string) (crypto.Signer, error) {
	if algorithm == "EdDSA" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func deviceList(m *machine) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the devices that this machine is, and what their servers say of them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := m.open(); err != nil {
				return err
			}
			for _, d := range m.state.Devices {
				_, who, err := m.one(d.ID)
				if err != nil {
					return err
				}
				if _, err = fmt.Fprintf(c.OutOrStdout(), "%s  %s  %s  %s\n", d.ID, printable(d.Username), d.Environment, standing(c.Context(), who)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// standing is in a few words how a device is.
func standing(ctx context.Context, who *client.Client) string {
	r, err := who.Show(ctx)
	switch {
	case client.Removed(err):
		return "removed"
	case err != nil:
		return "not reached: " + printable(err.Error())
	case r.Blocked:
		return "blocked"
	case !r.LockedUntil.IsZero():
		return "locked until " + r.LockedUntil.Local().Format(time.TimeOnly)
	}
	return strings.ToLower(printable(r.Status))
}

// unpair has the server forget the device, then forgets its key.
func (m *machine) unpair(c *cobra.Command, d client.Paired, who *client.Client) error {
	if err := who.Unpair(c.Context()); err != nil && !client.Removed(err) { // the server has removed it before
		return fmt.Errorf("unpair: %w", err)
	}
	if err := m.state.Remove(d.ID); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "unpaired %s\n", d.ID)
	return err
}

// printable is a text of the server's as a terminal may show it: it cannot move the
// cursor or change what was written.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
