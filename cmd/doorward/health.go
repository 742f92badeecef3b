package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthCommand asks a running node whether it is ready; containers use it.
func healthCommand(getenv func(string) string) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "health",
		Short: "Ask the node on --listen whether it is ready; exits with 1 when it is not",
		Args:  cobra.NoArgs,
	}
	o.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := fromEnvironment(c.Flags(), getenv); err != nil {
			return err
		}
		host, port, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return fmt.Errorf("--listen %q: give HOST:PORT", o.Listen)
		}
		if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
			host = "localhost"
		}
		client := &http.Client{Timeout: 2 * time.Second}
		req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New("not ready: " + resp.Status)
		}
		_, err = fmt.Fprintln(c.OutOrStdout(), "ready")
		return err
	}
	return c
}
