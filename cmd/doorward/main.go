// Command doorward is the sign-on runtime: one binary that serves everything.
//
// This package wires the house together and does nothing else: it reads flags,
// opens stores, hands each package what it declared it needs, and stops them in
// the right order.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before anybody hears of the first: a second one ends the process at once
		cancel()
	}()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "doorward:", err)
		os.Exit(1)
	}
}

// run is the whole program; tests call it as main does.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "doorward",
		Short:         "The hosted sign-on of your applications",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(getenv), healthCommand(getenv), keysCommand(getenv), versionCommand(), checkCommand(), flowCommand(), deviceCommand()) //nolint:contextcheck // each takes the context it is executed with
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}
