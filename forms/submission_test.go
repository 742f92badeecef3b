package forms_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"doorward/forms"
	"doorward/runtime/flow"
)

func credentials() []flow.Field {
	return []flow.Field{
		{Name: "username", Type: flow.TypeText, Required: true, MaxLength: 128, Autocomplete: "username", Label: flow.Text{Key: "username.label", Default: "Username"}},
		{Name: "password", Type: flow.TypePassword, Required: true, Autocomplete: "current-password", Label: flow.Text{Key: "password.label", Default: "Password"}},
	}
}

func TestASubmissionBecomesValues(t *testing.T) {
	consent := []flow.Field{{Name: "accept", Type: flow.TypeBoolean, Required: true}}
	for _, tc := range []struct {
		name, body string
		fields     []flow.Field
		want       flow.Values
	}{
		{"texts as they are", "_action=a&_token=t&username=+ada%2Bx%20&password=%26%3D%C3%A9", credentials(), flow.Values{"username": " ada+x ", "password": "&=é"}},
		{"an empty text is not sent", "username=&password=p", credentials(), flow.Values{"password": "p"}},
		{"a name without a value is empty", "username&password=p", credentials(), flow.Values{"password": "p"}},
		{"a ticked box is true", "accept=true", consent, flow.Values{"accept": true}},
		{"a box that is not ticked is false", "", consent, flow.Values{"accept": false}},
		{"a box with another value stays a text, for the action to refuse", "accept=1", consent, flow.Values{"accept": "1"}},
		{"an action without fields", "_action=session.reset&_token=t", nil, flow.Values{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := forms.Parse([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Values(tc.fields)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestASubmissionNamesItsActionAndToken(t *testing.T) {
	s, err := forms.Parse([]byte("_action=session.reset&_token=abc"))
	if err != nil || s.Action != "session.reset" || s.Token != "abc" {
		t.Errorf("got %q %q %v", s.Action, s.Token, err)
	}
}

func TestParseRefuses(t *testing.T) {
	many := make([]string, 257)
	for i := range many {
		many[i] = "a" + strconv.Itoa(i) + "=1"
	}
	for name, body := range map[string]string{
		"a name twice":           "username=a&username=b",
		"a token twice":          "_token=a&_token=b",
		"a name twice, escaped":  "username=a&user%6Eame=b",
		"a broken escape":        "username=%zz",
		"half an escape":         "%4=1",
		"invalid UTF-8":          "username=%ff",
		"invalid UTF-8 in names": "%ff=1",
		"too many inputs":        strings.Join(many, "&"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := forms.Parse([]byte(body)); err == nil || flow.AsFault(err).Code != flow.InvalidRequest {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnInputThatIsNoFieldIsRefused(t *testing.T) {
	for _, body := range []string{"username=a&enabled=true", "a%5B99999999%5D=1", "Username=a"} {
		s, err := forms.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Values(credentials()); err == nil || flow.AsFault(err).Code != flow.InvalidData {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "&", "=", "&&=&", "_action=a&_token=b&username=c", "a=1&a=2", "%", "%00=%00", "a[0]=1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := forms.Parse(body)
		if err != nil {
			return
		}
		v, err := s.Values(credentials())
		for name := range v {
			if name != "username" && name != "password" {
				t.Fatalf("value %q came through, error %v", name, err)
			}
		}
	})
}
