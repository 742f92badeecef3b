// Command bare is the limit that doorward is measured against: the same framework
// and the same Redis client, doing nothing but the round trips that one flow
// action, or one read, cannot do without.
//
//	bare serve: POST and GET of /{env}/flows/{id}
//	bare hash:  argon2id and nothing else
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(args[1:])
		case "hash":
			return hash(args[1:], os.Stdout)
		}
	}
	return fmt.Errorf("give serve or hash")
}
