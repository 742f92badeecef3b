package flow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
)

func TestANodeIsGivenWhatItsTypeNames(t *testing.T) {
	type input struct {
		User     string `json:"user.id" required:"true"`
		Password string `json:"user.password" required:"true" max:"5" type:"password"`
		Code     string `json:"code"`
	}
	for name, tt := range map[string]struct {
		in   map[string]any
		want input
		bad  []string
	}{
		"nested, with a secret": {map[string]any{"user": map[string]any{"id": "u1", "password": flow.Secret("p")}, "code": "c"}, input{"u1", "p", "c"}, nil},
		"what resolved to nil":  {map[string]any{"user": map[string]any{"id": "u1", "password": nil}}, input{}, []string{"REQUIRED_VALUE@user.password"}},
		"nothing":               {nil, input{}, []string{"REQUIRED_VALUE@user.id", "REQUIRED_VALUE@user.password"}},
		"too long":              {map[string]any{"user": map[string]any{"id": "u1", "password": flow.Secret("secret")}}, input{}, []string{"SIZE_LIMIT_EXCEEDED@user.password"}},
		"a number":              {map[string]any{"user": map[string]any{"id": 7.0, "password": flow.Secret("p")}}, input{}, []string{"INVALID_VALUE@user.id"}},
		"more":                  {map[string]any{"user": map[string]any{"id": "u1", "password": flow.Secret("p"), "role": "admin"}}, input{}, []string{"INVALID_VALUE@user.role"}},
		"no object":             {map[string]any{"user": "u1"}, input{}, []string{"REQUIRED_VALUE@user.id", "REQUIRED_VALUE@user.password", "INVALID_VALUE@user"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, failure := flow.Given[input](&flow.Turn{Input: tt.in})
			var bad []string
			if failure != nil {
				for _, d := range failure.Details {
					bad = append(bad, d.Code+"@"+d.Target)
					if strings.Contains(d.Message, "secret") {
						t.Error("the secret is repeated")
					}
				}
				got = input{}
			}
			if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.bad, bad); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestANodeWorksOnTheAccountOfTheExecution(t *testing.T) {
	ada, bea := flow.Subject{ID: "u1"}, flow.Candidate{Username: "bea", UserID: "u2"}
	for name, tt := range map[string]struct {
		turn flow.Turn
		id   string
		want flow.Account
		ok   bool
	}{
		"the user":                      {flow.Turn{User: ada}, "u1", flow.Account{UserID: "u1"}, true},
		"another than the user":         {flow.Turn{User: ada}, "u2", flow.Account{}, false},
		"the candidate":                 {flow.Turn{Person: bea}, "u2", flow.Account{UserID: "u2"}, true},
		"another than the candidate":    {flow.Turn{Person: bea}, "u1", flow.Account{}, false},
		"any id of a name of nobody":    {flow.Turn{Person: flow.Candidate{Username: "no"}}, "u1", flow.Account{Username: "no"}, true},
		"no id at all":                  {flow.Turn{User: ada}, "", flow.Account{}, false},
		"no id, of a name of nobody":    {flow.Turn{Person: flow.Candidate{Username: "no"}}, "", flow.Account{}, false},
		"an id where nobody is known":   {flow.Turn{}, "u1", flow.Account{}, false},
		"a candidate beside the user's": {flow.Turn{User: ada, Person: bea}, "u2", flow.Account{}, false},
	} {
		got, ok := tt.turn.Account(tt.id)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: %v %v, want %v %v", name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestWhoHasSignedOn(t *testing.T) {
	at := func(v any) func(string) any { return func(string) any { return v } }
	for name, tt := range map[string]struct {
		turn flow.Turn
		want bool
	}{
		"proven here":                        {flow.Turn{User: flow.Subject{ID: "u1"}, Proven: true}, true},
		"by the session":                     {flow.Turn{User: flow.Subject{ID: "u1"}, Fact: at("then")}, true},
		"named by a session that is over":    {flow.Turn{User: flow.Subject{ID: "u1"}, Fact: at(nil)}, false},
		"of whom nothing is known":           {flow.Turn{User: flow.Subject{ID: "u1"}}, false},
		"a candidate":                        {flow.Turn{Person: flow.Candidate{UserID: "u1"}, Fact: at("then")}, false},
		"a candidate with a proof of theirs": {flow.Turn{Person: flow.Candidate{UserID: "u1", Proofs: flow.Ledger{{Subject: "u1"}}}}, false},
	} {
		if got := tt.turn.SignedOn(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAttributesAreTakenAsTheyAreWritten(t *testing.T) {
	for name, tt := range map[string]struct {
		user    map[string]any
		want    flow.Attributes
		ignored bool
		bad     []string
	}{
		"none":    {nil, flow.Attributes{}, false, nil},
		"nested":  {map[string]any{"username": "ada", "name": map[string]any{"given": "Ada"}, "address": map[string]any{"countryCode": "GB"}}, flow.Attributes{"username": "ada", "name.given": "Ada", "address.countryCode": "GB"}, false, nil},
		"dotted":  {map[string]any{"name.given": "Ada"}, flow.Attributes{"name.given": "Ada"}, false, nil},
		"cleared": {map[string]any{"nickname": nil, "title": ""}, flow.Attributes{"nickname": "", "title": ""}, false, nil},
		"what nobody sets": {
			map[string]any{"id": "u1", "enabled": true, "mfaEnabled": true, "population": map[string]any{"id": "p"}, "lifecycle": map[string]any{}, "account": map[string]any{}, "identityProvider": map[string]any{}, "emailVerified": true},
			flow.Attributes{},
			true, nil,
		},
		"the id and a secret": {map[string]any{"id": "u1", "password": flow.Secret("p")}, flow.Attributes{}, false, nil},
		"what no user has":    {map[string]any{"role": "admin", "name": map[string]any{"nick": "A"}}, flow.Attributes{}, false, []string{"INVALID_VALUE@user.name.nick", "INVALID_VALUE@user.role"}},
		"no text":             {map[string]any{"name": "Ada", "title": 7.0, "address": map[string]any{"region": map[string]any{}}}, flow.Attributes{}, false, []string{"INVALID_VALUE@user.address.region", "INVALID_VALUE@user.name", "INVALID_VALUE@user.title"}},
		"too long":            {map[string]any{"address": map[string]any{"postalCode": strings.Repeat("ä", 41)}}, flow.Attributes{}, false, []string{"SIZE_LIMIT_EXCEEDED@user.address.postalCode"}},
		"what cannot be": {
			map[string]any{"address": map[string]any{"countryCode": "g"}, "timezone": "Berlin", "mobilePhone": "call me", "preferredLanguage": "\n", "photo": map[string]any{"href": "javascript:1"}, "name": map[string]any{"family": "<b>"}, "nickname": "a\x00"},
			flow.Attributes{},
			false,
			[]string{"INVALID_VALUE@user.address.countryCode", "INVALID_VALUE@user.mobilePhone", "INVALID_VALUE@user.name.family", "INVALID_VALUE@user.nickname", "INVALID_VALUE@user.photo.href", "INVALID_VALUE@user.preferredLanguage", "INVALID_VALUE@user.timezone"},
		},
		"what can": {
			map[string]any{"timezone": "Europe/Berlin", "mobilePhone": "+1.2225554444", "preferredLanguage": "de-CH, de;q=0.9", "photo": map[string]any{"href": "https://example.com/a.png"}, "externalId": "7"},
			flow.Attributes{"timezone": "Europe/Berlin", "mobilePhone": "+1.2225554444", "preferredLanguage": "de-CH, de;q=0.9", "photo.href": "https://example.com/a.png", "externalId": "7"},
			false, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ignored, faults := flow.TakeAttributes(tt.user)
			var bad []string
			for _, d := range faults {
				bad = append(bad, d.Code+"@"+d.Target)
			}
			if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.bad, bad); diff != "" || ignored != tt.ignored {
				t.Error(ignored, diff)
			}
		})
	}
}

func TestOneAttributeInTwoWaysIsRefused(t *testing.T) {
	_, _, faults := flow.TakeAttributes(map[string]any{"name.given": "Ada", "name": map[string]any{"given": "Bea"}})
	if len(faults) != 1 || faults[0].Target != "user.name.given" {
		t.Error(faults)
	}
}

func TestAttributesAreNested(t *testing.T) {
	got := flow.Attributes{"username": "ada", "name.given": "Ada", "name.family": "", "nickname": ""}.Nested()
	if diff := cmp.Diff(map[string]any{"username": "ada", "name": map[string]any{"given": "Ada"}}, got); diff != "" {
		t.Error(diff)
	}
	flow.Put(got, "name.given", "")
	if diff := cmp.Diff(map[string]any{"username": "ada"}, got); diff != "" {
		t.Error(diff)
	}
}
