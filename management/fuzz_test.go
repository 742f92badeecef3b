package management

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/wire"
)

// FuzzUserDocument holds that the decoder of user documents sets nothing that is
// not a user's to have, and that what it takes is read back as it was.
func FuzzUserDocument(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"username":"ada"}`, `{"username":null,"name":null}`, `{"username":"ada","name":{"given":"Ada","given ":"x"}}`,
		`{"username":"ada","enabled":true,"account":{},"mfaEnabled":true}`, `{"username":"ada","address":{"countryCode":"GB"},"photo":{"href":"https://a.example/b"}}`,
		`{"username":"ada","name.given":"A"}`, `{"":1}`, `{"username":"ada","password":{"value":"x","forceChange":true},"lifecycle":{"status":"VERIFICATION_REQUIRED"}}`,
		`{"population":{"id":"d0000000-0000-4000-8000-0000000000b1"}}`, `{"mobilePhone":"+1 (222) 555-4444 x12"}`, `{"timezone":"Europe/Berlin"}`, `{"email":"a@b.example","emailVerified":false}`,
	} {
		for m := range uint8(4) {
			f.Add([]byte(seed), m)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, m uint8) {
		v, err := wire.DecodeValues(body)
		if err != nil {
			return
		}
		how := manner(m % 4)
		edit, faults := readUser(v, how)
		for _, d := range faults {
			if !utf8.ValidString(d.Target) || len(d.Target) > 200 || d.Message == "" {
				t.Fatalf("%+v", d)
			}
		}
		if len(faults) > 0 {
			return
		}
		if how != importing && (edit.password != "" || edit.forceChange || edit.unverified || edit.silent) {
			t.Fatalf("%+v", edit)
		}
		before := directory.User{ID: "id", Env: "env", Enabled: true, Population: "p", Username: "old", Given: "G", Profile: []byte(`{"nickname":"N"}`)}
		u := before
		if err := edit.apply(&u, how); err != nil {
			t.Fatal(err)
		}
		if u.ID != before.ID || u.Env != before.Env || u.Enabled != before.Enabled || u.Population != before.Population || u.MFAEnabled || u.EmailVerified || u.Unverified || u.MustChange || u.Authority != "" {
			t.Fatalf("%+v", u)
		}
		var kept map[string]any
		if err := json.Unmarshal(u.Profile, &kept); err != nil {
			t.Fatal(err)
		}
		p := profile(kept)
		for _, a := range attributes() {
			got := p.get(a.Name)
			if a.field != nil {
				got = *a.field(&u)
			}
			if want, set := edit.set[a.Name]; set && got != want {
				t.Fatalf("%s: %q, want %q", a.Name, got, want)
			}
		}
	})
}

// FuzzInvocation holds that the decoder of an invocation takes an object of inputs,
// and nothing beside it.
func FuzzInvocation(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"inputs":null}`, `{"inputs":{}}`, `{"inputs":{"a":1e400,"b":[{"c":12345678901234567890}]}}`, `{"inputs":[]}`, `{"inputs":{},"":1}`, `{"inputs":{},"inputs":{}}`, `{"Inputs":{}}`, `{"inputs":{"a":1}} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &call{body: body}
		in, err := c.inputs()
		if err != nil {
			if fault := (*flow.Fault)(nil); !errors.As(err, &fault) {
				t.Fatal(err)
			}
			return
		}
		v, err := wire.DecodeValues(body)
		given, _ := v["inputs"].(map[string]any)
		if err != nil || len(in) != len(given) {
			t.Fatalf("%v is read as %v, %v", v, in, err)
		}
	})
}

// FuzzCursor holds that a cursor which was made up is refused and breaks nothing.
func FuzzCursor(f *testing.F) {
	f.Add("", "name")
	f.Add(cursor{Order: "name", Key: "k", ID: "i"}.String(), "name")
	f.Add("e30", "")
	f.Fuzz(func(t *testing.T, text, order string) {
		c, err := readCursor(text, order)
		if err == nil && c.Order != order {
			t.Fatalf("%+v", c)
		}
	})
}
