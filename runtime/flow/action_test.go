package flow_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/flow"
)

type person struct {
	Username string `json:"username" required:"true"`
	Email    string `json:"email" type:"email"`
	Given    string `json:"name.given" max:"8"`
	Family   string `json:"name.family"`
}

func registers(in *person) flow.Action {
	return flow.On("user.register", func(_ context.Context, _ *flow.Turn, p person) (flow.Outcome, error) {
		*in = p
		return flow.Result("REGISTERED"), nil
	}).Ignoring("enabled", "population", "name.middle")
}

func TestMembersOfObjectsAreFields(t *testing.T) {
	object := func(m map[string]any) flow.Values { return flow.Values{"username": "ada", "name": m} }
	for name, tt := range map[string]struct {
		sent  flow.Values
		want  person
		fault string
	}{
		"as an object":             {object(map[string]any{"given": "Ada", "family": "L"}), person{Username: "ada", Given: "Ada", Family: "L"}, ""},
		"as the form names it":     {flow.Values{"username": "ada", "name.given": "Ada"}, person{Username: "ada", Given: "Ada"}, ""},
		"one of each":              {flow.Values{"username": "ada", "name.family": "L", "name": map[string]any{"given": "Ada"}}, person{Username: "ada", Given: "Ada", Family: "L"}, ""},
		"an empty object":          {object(map[string]any{}), person{Username: "ada"}, ""},
		"too long":                 {object(map[string]any{"given": "123456789"}), person{}, "SIZE_LIMIT_EXCEEDED@name.given"},
		"of another type":          {object(map[string]any{"given": 7.0}), person{}, "INVALID_VALUE@name.given"},
		"an unknown member":        {object(map[string]any{"nick": "a"}), person{}, "INVALID_VALUE@name.nick"},
		"said in both ways":        {flow.Values{"username": "ada", "name.given": "Ada", "name": map[string]any{"given": "Eve"}}, person{}, "INVALID_VALUE@name"},
		"no object where one goes": {flow.Values{"username": "ada", "name": "Ada"}, person{}, "INVALID_VALUE@name"},
	} {
		t.Run(name, func(t *testing.T) {
			var got person
			a := registers(&got)
			_, err := a.Run(t.Context(), &flow.Turn{}, tt.sent)
			if tt.fault == "" {
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Error(err, diff)
				}
				return
			}
			if f := flow.AsFault(err); len(f.Details) != 1 || f.Details[0].Code+"@"+f.Details[0].Target != tt.fault {
				t.Errorf("%v", f.Details)
			}
		})
	}
}

func TestWhatIsIgnoredIsDroppedAndRecorded(t *testing.T) {
	sent := flow.Values{"username": "ada", "enabled": true, "population": map[string]any{"id": "x"}, "name": map[string]any{"given": "Ada", "middle": "B"}}
	var got person
	a := registers(&got)
	out, err := a.Run(t.Context(), &flow.Turn{}, sent)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flow.Result("REGISTERED").WithEvent(flow.InputIgnored), out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(person{Username: "ada", Given: "Ada"}, got); diff != "" {
		t.Error(diff)
	}
	if len(sent) != 4 {
		t.Error("the sender's values were changed")
	}
}

func TestWhereAnActionIsOffered(t *testing.T) {
	plain := flow.On("a", func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) { return flow.Outcome{}, nil })
	for name, tt := range map[string]struct {
		action       flow.Action
		here, beside []string
	}{
		"anywhere in its node":     {plain, []string{"X", "Y"}, nil},
		"in one status":            {plain.In("X"), []string{"X"}, nil},
		"a door":                   {plain.Opening(), nil, []string{"X", "Y"}},
		"a door in one status":     {plain.Opening("Y"), nil, []string{"Y"}},
		"a door and in its status": {plain.In("X").Opening("Y"), []string{"X"}, []string{"Y"}},
	} {
		t.Run(name, func(t *testing.T) {
			var here, beside []string
			for _, s := range []string{"X", "Y"} {
				if tt.action.Offered(s) {
					here = append(here, s)
				}
				if tt.action.OfferedBeside(s) {
					beside = append(beside, s)
				}
			}
			if diff := cmp.Diff([][]string{tt.here, tt.beside}, [][]string{here, beside}, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
