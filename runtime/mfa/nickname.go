package mfa

import (
	"strings"

	"doorward/runtime/flow"
)

func wrongNickname() flow.Detail {
	return flow.Detail{Code: flow.InvalidValue, Target: "nickname", Message: "A nickname has at most 100 letters, and no line breaks."}
}

// Nickname is what a person calls a device, of what was typed. It reports whether that
// can be shown anywhere.
func Nickname(typed string) (string, bool) {
	name := strings.TrimSpace(typed)
	return name, calm(name)
}
