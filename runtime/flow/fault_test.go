package flow_test

import (
	"errors"
	"fmt"
	"testing"

	"doorward/runtime/flow"
)

func TestUnservedSaysWhatThePartSaid(t *testing.T) {
	limited := &flow.Fault{Code: flow.Limited, Message: "Too many."}
	if got := flow.Unserved(fmt.Errorf("register: %w", limited)); got != limited {
		t.Errorf("a part that is limited is told as %v", got)
	}
	away := errors.New("away")
	if got := flow.Unserved(away); got.Code != flow.Unavailable || !errors.Is(got, away) {
		t.Errorf("a part that is away is told as %v", got)
	}
}
