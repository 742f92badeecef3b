package identify_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/identify"
)

var _ flow.Kind = (*identify.Kind)(nil)

func TestEnter(t *testing.T) {
	ada, bea := flow.Subject{ID: "a", Username: "ada"}, flow.Subject{ID: "b", Username: "bea"}
	tests := map[string]struct {
		user, session flow.Subject
		want          flow.Outcome
	}{
		"nobody is known":                             {want: flow.Result("UNIDENTIFIED")},
		"the session names somebody":                  {session: ada, want: flow.Result("IDENTIFIED").WithUser(ada)},
		"somebody signs on already":                   {user: ada, want: flow.Result("IDENTIFIED")},
		"the session names another than who signs on": {user: ada, session: bea, want: flow.Result("IDENTIFIED")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			turn := flow.NewTurn(flow.Ref{Env: "e", ID: "f"}, "1.identify", nil, time.Time{}, nil, 0, flow.Digest{})
			turn.User, turn.SessionUser = tt.user, tt.session
			got, err := identify.New().Enter(context.Background(), turn)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestItIsConfiguredByNothing(t *testing.T) {
	for in, ok := range map[string]bool{"": true, "{}": true, `{"a":1}`: false, "[]": false} {
		if _, err := identify.New().Check(json.RawMessage(in)); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
}
