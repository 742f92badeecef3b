package mfa

import "strings"

// Nickname is what a person calls a device, of what was typed. It reports whether that
// can be shown anywhere.
func Nickname(typed string) (string, bool) {
	name := strings.TrimSpace(typed)
	return name, calm(name)
}
