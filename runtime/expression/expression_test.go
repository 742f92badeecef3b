package expression_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/expression"
)

// root is what the published examples are about. Source: reference/management.md 6.
const root = `{
	"user": {
		"name": {"given": "John", "family": "Doe"}, "role": "SA", "type": "User", "email": "john@example.com",
		"activeDays": 20, "loginAttempts": 3, "logoutAttempts": 4, "score": 8.5, "big": 9876512345, "accountId": "a1",
		"memberOfGroupNames": ["Admin", "User"], "memberOfGroupIDs": ["User"],
		"groupDNs": ["CN=Devs,CN=Users,DC=malibu,DC=gl,DC=lab", "CN=Admins,CN=Users,DC=malibu,DC=gl,DC=lab"],
		"contacts": [
			{"info": "user01@test.com", "primary": false, "type": "email"},
			{"info": 9876512345, "primary": true, "type": "phone"},
			{"info": 9876511111, "primary": false, "type": "phone"}]
	},
	"providerAttributes": {"full-name": "John Doe", "http://www.schema.com/samples/userId": "jdoe00", "Email Address": "johndoe00@test.com", "amountIn$": 3},
	"custom-attributes": {"email": "johndoe00@test.com"},
	"context": {"requestData": {"virtualServerId": "https://sso.whosatwork.com"}},
	"inputs": {"id": "42", "userId": "u-1", "list": [1, 2.5, "x", null, [true]], "text": "a\"b", "yes": true},
	"variables": {"baseUrl": "https://api.example.com"},
	"response": {"status": 200, "headers": {"content-type": "application/json"}, "body": {"json": {"userId": "u-1"}}}
}`

func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func clock() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 678_900_000, time.UTC) }

func evaluated(t testing.TB, source string) (string, error) {
	t.Helper()
	p, err := expression.Compile(source)
	if err != nil {
		return "", err
	}
	v, err := p.Eval(expression.Context{Root: decoded(t, root), Now: clock})
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%s: the result is not JSON: %v", source, err)
	}
	return string(b), nil
}

func TestAnExpressionHasItsValue(t *testing.T) {
	for _, row := range values() {
		t.Run(row[0], func(t *testing.T) {
			got, err := evaluated(t, row[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, row[1]), decoded(t, got)); diff != "" {
				t.Errorf("%s\n%s", got, diff)
			}
		})
	}
}

func TestWhatHasNoValueSaysWhy(t *testing.T) {
	for _, row := range failures() {
		t.Run(row[0], func(t *testing.T) {
			p, err := expression.Compile(row[0])
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.Eval(expression.Context{Root: decoded(t, root), Now: clock})
			var e *expression.Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), row[1]) || e.Limit {
				t.Errorf("%v, %v; want %q", v, err, row[1])
			}
		})
	}
}

func TestWhatIsNotInTheLanguageIsRefused(t *testing.T) {
	for _, row := range refused() {
		t.Run(row[0], func(t *testing.T) {
			_, err := expression.Compile(row[0])
			var e *expression.Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Error(), row[1]) {
				t.Errorf("%v; want %q", err, row[1])
			}
		})
	}
}

func TestNumbersAreOfTheirOwnType(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(`{"a": 7, "b": 7.0, "c": 12345678901234567890, "d": 9007199254740993, "e": 1e2}`))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		t.Fatal(err)
	}
	root.(map[string]any)["n"] = 5
	root.(map[string]any)["m"] = int64(1 << 40)
	for source, want := range map[string]string{
		`a / 2`: `3`, `b / 2`: `3.5`, `c + 1`: `12345678901234567891`, `d + 0`: `9007199254740993`, `e / 3 > 33`: `true`,
		`'' + a + b + c + d`: `"77.0123456789012345678909007199254740993"`, `n / 2`: `2`, `m * 2`: `2199023255552`,
		`{a, b}`: `[7,7.0]`, `#data.indexOf({a, n}, 5)`: `1`, `a == b`: `true`, `c > d`: `true`,
	} {
		p, err := expression.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Eval(expression.Context{Root: root})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if b, err := json.Marshal(v); err != nil || string(b) != want {
			t.Errorf("%s: %s, want %s", source, b, want)
		}
	}
}

func TestWhatIsNoJSONIsAnError(t *testing.T) {
	root := map[string]any{"f": func() {}, "nan": math.NaN(), "deep": []any{map[string]string{"a": "b"}}}
	for _, source := range []string{`f`, `nan`, `deep`, `f + 1`, `'' + f`, `f == f`, `{f}`, `nan + 1`, `deep[0].a`} {
		p, err := expression.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		var e *expression.Error
		if v, err := p.Eval(expression.Context{Root: root}); !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", source, v, err)
		}
	}
}
