package flow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/flow"
)

type form struct {
	Name   string `json:"name" required:"true" max:"5" autocomplete:"username" label:"name.label=Name"`
	Secret string `json:"secret" type:"password"`
	Agree  bool   `json:"agree"`
}

func TestFieldsOfReadsTheInputType(t *testing.T) {
	want := []flow.Field{
		{Name: "name", Type: flow.TypeText, Required: true, MaxLength: 5, Autocomplete: "username", Label: flow.Text{Key: "name.label", Default: "Name"}},
		{Name: "secret", Type: flow.TypePassword},
		{Name: "agree", Type: flow.TypeBoolean},
	}
	if diff := cmp.Diff(want, flow.FieldsOf[form](), cmpopts.IgnoreUnexported(flow.Field{})); diff != "" {
		t.Error(diff)
	}
}

type (
	unnamed  struct{ A string }
	optioned struct {
		A string `json:"a,omitempty"`
	}
	numbered struct {
		A int `json:"a"`
	}
	endless struct {
		A string `json:"a" max:"many"`
	}
)

func TestFieldsOfRefusesWhatIsNoInput(t *testing.T) {
	tests := map[string]func(){
		"not a struct":    func() { flow.FieldsOf[string]() },
		"no name":         func() { flow.FieldsOf[unnamed]() },
		"a json option":   func() { flow.FieldsOf[optioned]() },
		"another type":    func() { flow.FieldsOf[numbered]() },
		"a wrong maximum": func() { flow.FieldsOf[endless]() },
	}
	for name, fn := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			fn()
		})
	}
}

func TestBind(t *testing.T) {
	long := strings.Repeat("n", 100)
	tests := []struct {
		name   string
		values flow.Values
		want   form
		faults []string // code@target
	}{
		{"takes values as they are", flow.Values{"name": " ä\n", "secret": "x ", "agree": true}, form{" ä\n", "x ", true}, nil},
		{"leaves what was not sent", flow.Values{"name": "a"}, form{Name: "a"}, nil},
		{"null is not sent", flow.Values{"name": "a", "secret": nil, "agree": nil}, form{Name: "a"}, nil},
		{"an optional string may be empty", flow.Values{"name": "a", "secret": ""}, form{Name: "a"}, nil},
		{"counts characters and not bytes", flow.Values{"name": "äöüßé"}, form{Name: "äöüßé"}, nil},
		{"one character too many", flow.Values{"name": "äöüßéà"}, form{}, []string{"SIZE_LIMIT_EXCEEDED@name"}},
		{"required and missing", nil, form{}, []string{"REQUIRED_VALUE@name"}},
		{"required and null", flow.Values{"name": nil}, form{}, []string{"REQUIRED_VALUE@name"}},
		{"required and empty", flow.Values{"name": ""}, form{}, []string{"REQUIRED_VALUE@name"}},
		{"a number is no string", flow.Values{"name": 1.0}, form{}, []string{"INVALID_VALUE@name"}},
		{"an array is no string", flow.Values{"name": []any{"a"}}, form{}, []string{"INVALID_VALUE@name"}},
		{"the word true is no consent", flow.Values{"name": "a", "agree": "true"}, form{Name: "a"}, []string{"INVALID_VALUE@agree"}},
		{"1 is no consent", flow.Values{"name": "a", "agree": 1.0}, form{Name: "a"}, []string{"INVALID_VALUE@agree"}},
		{"names are exact", flow.Values{"Name": "a"}, form{}, []string{"REQUIRED_VALUE@name", "INVALID_VALUE@Name"}},
		{"every fault at once, strangers last and sorted", flow.Values{"agree": 1.0, "z": 1.0, "b": 1.0}, form{}, []string{"REQUIRED_VALUE@name", "INVALID_VALUE@agree", "INVALID_VALUE@b", "INVALID_VALUE@z"}},
		{"a long strange name is cut", flow.Values{"name": "a", long: 1.0}, form{Name: "a"}, []string{"INVALID_VALUE@" + long[:64]}},
		{"a strange name that is no text is made one", flow.Values{"name": "a", "b\xff": 1.0}, form{Name: "a"}, []string{"INVALID_VALUE@b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got form
			var faults []string
			if f := flow.Bind(tt.values, flow.FieldsOf[form](), &got); f != nil {
				if f.Code != flow.InvalidData || f.Message != flow.InvalidMessage {
					t.Errorf("fault %s %q", f.Code, f.Message)
				}
				for _, d := range f.Details {
					faults = append(faults, d.Code+"@"+d.Target)
				}
			}
			if diff := cmp.Diff(tt.faults, faults); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBindNamesAtMostTenStrangers(t *testing.T) {
	v := flow.Values{}
	for i := range 100 {
		v[strings.Repeat("x", i+1)] = 1.0
	}
	if f := flow.Bind(v, nil, &struct{}{}); f == nil || len(f.Details) != 10 {
		t.Errorf("fault %+v", f)
	}
}

func TestAnActionRunsOnlyOnWhatFits(t *testing.T) {
	ran := 0
	a := flow.On("send", func(context.Context, *flow.Turn, form) (flow.Outcome, error) {
		ran++
		return flow.Wait("MORE"), nil
	}).In("FIRST", "SECOND").Labelled("send", "Send").Every()

	if _, err := a.Run(t.Context(), nil, flow.Values{}); err == nil || flow.AsFault(err).Code != flow.InvalidData || ran != 0 {
		t.Errorf("err %v, ran %d", err, ran)
	}
	if out, err := a.Run(t.Context(), nil, flow.Values{"name": "a"}); err != nil || out.Verdict != flow.Waits || ran != 1 {
		t.Errorf("out %+v, err %v, ran %d", out, err, ran)
	}
	if !a.Offered("SECOND") || a.Offered("THIRD") || a.Repeat != flow.Each || a.Prompt.Key != "send" || a.Prompt.Default != "Send" {
		t.Errorf("action %+v", a)
	}
}
