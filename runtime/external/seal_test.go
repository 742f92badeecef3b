package external_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"doorward/runtime/document"
	"doorward/runtime/external"
)

func TestSealTakesEverySecretOut(t *testing.T) {
	body := `{"name":"a","authSchemes":[
		{"name":"k","type":"API_KEY","key":"hush-1"},
		{"name":"b","type":"BEARER","token":"hush-2"},
		{"name":"u","type":"BASIC","username":"ada","password":"hush-3"},
		{"name":"o/o","type":"OAUTH_2","clientId":"id","clientSecret":"hush-4","tokenEndpoint":"https://idp.example/t","tokenEndpointAuthType":"client_secret_post"},
		{"name":"x","type":"BASIC","username":"ada"}
	],"secrets":[{"name":"apiKey","value":"hush-5"},"pepper",{"name":"salt"}]}`
	rest, sealed, faults := external.Seal([]byte(body))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := map[string]string{
		"authSchemes/k/key": "hush-1", "authSchemes/b/token": "hush-2", "authSchemes/u/password": "hush-3",
		"authSchemes/o/o/clientSecret": "hush-4", "secrets/apiKey": "hush-5",
	}
	if !reflect.DeepEqual(sealed, want) {
		t.Errorf("sealed %v", sealed)
	}
	if strings.Contains(string(rest), "hush") || !strings.Contains(string(rest), `"secrets":["apiKey","pepper","salt"]`) || !strings.Contains(string(rest), `"username":"ada"`) {
		t.Errorf("the rest is %s", rest)
	}
	if _, err := external.Compile(rest); err != nil {
		t.Error(err)
	}
	if _, err := external.Compile([]byte(body)); err != nil {
		t.Errorf("with its credentials: %v", err)
	}
	var names []string
	for _, c := range external.Credentials(rest) {
		names = append(names, c.Name+" "+string(c.Path))
	}
	wanted := "authSchemes/k/key $.authSchemes[0].key, authSchemes/b/token $.authSchemes[1].token, authSchemes/u/password $.authSchemes[2].password, " +
		"authSchemes/o/o/clientSecret $.authSchemes[3].clientSecret, authSchemes/x/password $.authSchemes[4].password"
	if got := strings.Join(names, ", "); got != wanted {
		t.Errorf("credentials %s", got)
	}
}

func TestWhatIsWrongWithACredential(t *testing.T) {
	for element, want := range map[string]string{
		`{"name":"s","type":"API_KEY","key":1}`:                   "$.authSchemes[0].key: takes a string",
		`{"name":"s","type":"API_KEY","key":""}`:                  "$.authSchemes[0].key: is required",
		`{"name":"s","type":"BEARER","token":"hush\r\nX: 1"}`:     "$.authSchemes[0].token: begins or ends",
		`{"name":"s","type":"BEARER","token":" hush"}`:            "$.authSchemes[0].token: begins or ends",
		`{"name":"s","type":"BEARER","key":"hush"}`:               "$.authSchemes[0].key: is no member",
		`{"name":"s","type":"BASIC","clientSecret":"hush"}`:       "$.authSchemes[0].clientSecret: is no member",
		`{"name":"s","type":"BASIC","password":"` + long() + `"}`: "$.authSchemes[0].password: takes at most 4096 bytes",
	} {
		rest, sealed, faults := external.Seal([]byte(`{"name":"a","authSchemes":[` + element + `]}`))
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), want) || len(sealed) > 0 {
			t.Errorf("%.60s: %v, sealed %v; want %s", element, faults, sealed, want)
		}
		if strings.Contains(string(rest), "hush") || strings.Contains(faults.Error(), "hush") {
			t.Errorf("%.60s: a credential is in %s or %v", element, rest, faults)
		}
	}
}

func long() string { return strings.Repeat("x", 4097) }

func TestSecretsAreRead(t *testing.T) {
	names, sealed, err := external.SealSecrets(read(t, "rec-external-service-secrets-update.json"))
	if err != nil || !reflect.DeepEqual(names, []string{"apiKey"}) || !reflect.DeepEqual(sealed, map[string]string{"secrets/apiKey": "s3cr3t"}) {
		t.Errorf("%v %v %v", names, sealed, err)
	}
	names, sealed, err = external.SealSecrets([]byte(`{"secrets":[{"name":"kept"},{"name":"new","value":"v"}]}`))
	if err != nil || !reflect.DeepEqual(names, []string{"kept", "new"}) || len(sealed) != 1 {
		t.Errorf("%v %v %v", names, sealed, err)
	}
	for body, want := range map[string]string{
		`x`:                                     "$: ",
		`[]`:                                    "$: takes an object",
		`{}`:                                    "$.secrets: is required",
		`{"secrets":{}}`:                        "$.secrets: takes a list",
		`{"secrets":["a"]}`:                     "$.secrets[0]: takes an object",
		`{"secrets":[{}]}`:                      "$.secrets[0].name: is required",
		`{"secrets":[],"a":1}`:                  "$.a: is no member",
		`{"secrets":[{"name":"a","value":""}]}`: "$.secrets[0].value: is required",
		`{"secrets":[{"name":"a","value":1}]}`:  "$.secrets[0].value: takes a string",
		`{"secrets":[{"name":"a","value":"v","x":1}]}`:                    "$.secrets[0].x: is no member",
		`{"secrets":[{"name":"a","value":"v"},{"name":"a","value":"w"}]}`: "$.secrets[1].name: is the name of another secret",
	} {
		_, _, err := external.SealSecrets([]byte(body))
		var found document.Faults
		if !errors.As(err, &found) || len(found) != 1 || !strings.HasPrefix(found[0].Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestSealLeavesWhatItCannotRead(t *testing.T) {
	for _, body := range []string{`{`, `[]`, `null`, `{"authSchemes":{}}`, `{"authSchemes":[null,1,"x"],"secrets":"x"}`} {
		rest, sealed, faults := external.Seal(json.RawMessage(body))
		if string(rest) != body && !json.Valid(rest) || len(sealed) > 0 || len(faults) > 0 {
			t.Errorf("%s: %s %v %v", body, rest, sealed, faults)
		}
	}
}
