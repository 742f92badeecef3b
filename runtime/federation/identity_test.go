package federation_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"doorward/internal/optest"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

func TestCheckValue(t *testing.T) {
	for name, row := range map[string]struct {
		value string
		good  bool
	}{
		"a claim":                      {"${providerAttributes.email}", true},
		"a claim of an object":         {"${providerAttributes.address.country}", true},
		"a claim named by an address":  {"${providerAttributes.https://example.com/team}", true},
		"claims in text":               {"${providerAttributes.given_name} ${providerAttributes.family_name}!", true},
		"text":                         {"partner", true},
		"text with a dollar":           {"5 $ and } and {", true},
		"as long as it may be":         {strings.Repeat("é", 1024), true},
		"nothing":                      {"", false},
		"too long":                     {strings.Repeat("é", 1025), false},
		"a control character":          {"a\x00", false},
		"a line break":                 {"a\nb", false},
		"no UTF-8":                     {"\xff", false},
		"it is not closed":             {"${providerAttributes.email", false},
		"the second is not closed":     {"${providerAttributes.email}${", false},
		"no claim":                     {"${providerAttributes.}", false},
		"no dot":                       {"${providerAttributes}", false},
		"empty braces":                 {"${}", false},
		"a claim of a user":            {"${user.email}", false},
		"of SAML":                      {"${samlAssertion.subject}", false},
		"spaces":                       {"${ providerAttributes.email }", false},
		"a space in the claim":         {"${providerAttributes.e mail}", false},
		"an empty part":                {"${providerAttributes.a..b}", false},
		"an empty part at the end":     {"${providerAttributes.a.}", false},
		"an empty part at the start":   {"${providerAttributes..a}", false},
		"one in the other":             {"${providerAttributes.${providerAttributes.a}}", false},
		"a claim of 256 characters":    {"${providerAttributes." + strings.Repeat("a", 256) + "}", true},
		"a claim of 257 characters":    {"${providerAttributes." + strings.Repeat("a", 257) + "}", false},
		"the name in other characters": {"${providerattributes.email}", false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := federation.CheckValue(row.value); (err == nil) != row.good {
				t.Error(err)
			}
		})
	}
}

func TestWhatAnIdentityIsMadeOf(t *testing.T) {
	claims := map[string]any{
		"sub": "s9", "email": "ada@partner.com", "given_name": "Ada", "name": "Ada Lovelace", "level": 7, "big": 12345678901234567, "staff": true,
		"address": map[string]any{"country": "GB", "more": map[string]any{"floor": "2"}}, "groups": []string{"a"}, "empty": "", "null": nil,
		"https://example.com/team": "Engine", "lines": "a\nb", "long": strings.Repeat("x", 257), "a.b": "whole", "a": map[string]any{"b": "parted"},
	}
	for name, row := range map[string]struct {
		value, attribute, want string
	}{
		"a claim":                         {"${providerAttributes.given_name}", "name.given", "Ada"},
		"the subject":                     {"${providerAttributes.sub}", "username", "s9"},
		"text":                            {"partner", "type", "partner"},
		"text around claims":              {"p-${providerAttributes.sub}-${providerAttributes.given_name}.", "nickname", "p-s9-Ada."},
		"a member of an object":           {"${providerAttributes.address.country}", "address.countryCode", "GB"},
		"a member of a member":            {"${providerAttributes.address.more.floor}", "title", "2"},
		"a number":                        {"${providerAttributes.level}", "title", "7"},
		"a number beyond what floats are": {"${providerAttributes.big}", "externalId", "12345678901234567"},
		"a yes":                           {"${providerAttributes.staff}", "title", "true"},
		"a claim named by an address":     {"${providerAttributes.https://example.com/team}", "title", "Engine"},
		"a claim with a dot in its name":  {"${providerAttributes.a.b}", "title", "whole"},
		"a claim that is not there":       {"${providerAttributes.family_name}", "name.family", ""},
		"text around one that is not":     {"Dr ${providerAttributes.family_name}", "name.family", ""},
		"an empty claim":                  {"${providerAttributes.empty}", "title", ""},
		"a claim that is null":            {"${providerAttributes.null}", "title", ""},
		"a list":                          {"${providerAttributes.groups}", "title", ""},
		"an object":                       {"${providerAttributes.address}", "title", ""},
		"a member of a string":            {"${providerAttributes.email.domain}", "title", ""},
		"a claim in other capitals":       {"${providerAttributes.Email}", "email", ""},
		"an attribute that nobody has":    {"${providerAttributes.sub}", "shoeSize", ""},
		"an attribute that nobody sets":   {"${providerAttributes.sub}", "id", ""},
		"what does not fit":               {"${providerAttributes.given_name}", "address.countryCode", ""},
		"what cannot be printed":          {"${providerAttributes.lines}", "title", ""},
		"what is too long":                {"${providerAttributes.long}", "title", ""},
		"a value that is not well-formed": {"${providerAttributes.sub", "title", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []string{"the ID token", "userinfo"} {
				r := newRig(t)
				r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
				r.p.Mappings = []federation.Mapping{{Name: row.attribute, Value: row.value, Always: true}}
				r.op.SignIn(claims)
				if from == "userinfo" {
					r.op.Spoil(func(tok *optest.Token) {
						maps.DeleteFunc(tok.Claims, func(k string, _ any) bool { return k != "sub" && claims[k] != nil })
					})
				}
				who, err := r.signOn()
				if err != nil || who.ID != "s9" {
					t.Fatalf("%+v, %v", who, err)
				}
				want, always := flow.Attributes{}, []string(nil)
				if row.want != "" {
					want[row.attribute], always = row.want, []string{row.attribute}
				}
				if !maps.Equal(who.Attributes, want) || !slices.Equal(who.Always, always) {
					t.Errorf("from %s: %v, always %v", from, who.Attributes, who.Always)
				}
			}
		})
	}
}

func TestWhichAttributesReplace(t *testing.T) {
	r := newRig(t)
	r.op.SignIn(with(map[string]any{"given_name": "Ada", "family_name": "Lovelace"}))
	r.p.Mappings = []federation.Mapping{
		{Name: "name.given", Value: "${providerAttributes.given_name}", Always: true},
		{Name: "name.family", Value: "${providerAttributes.family_name}"},
		{Name: "name.given", Value: "Eve"},
		{Name: "name.family", Value: "Eve", Always: true},
	}
	who, err := r.signOn()
	if err != nil {
		t.Fatal(err)
	}
	if who.Attributes["name.given"] != "Ada" || who.Attributes["name.family"] != "Lovelace" || !slices.Equal(who.Always, []string{"name.given"}) {
		t.Errorf("%+v", who)
	}
}

// TestTheIDTokenComesFirst holds that userinfo adds claims, and replaces none.
func TestTheIDTokenComesFirst(t *testing.T) {
	r := newRig(t)
	r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
	r.p.Mappings = []federation.Mapping{
		{Name: "name.given", Value: "${providerAttributes.given_name}"}, {Name: "name.family", Value: "${providerAttributes.family_name}"},
	}
	r.op.SignIn(with(map[string]any{"given_name": "Eve", "family_name": "Lovelace", "iss": "https://eve.example"}))
	r.op.Spoil(func(tok *optest.Token) {
		tok.Claims["given_name"], tok.Claims["iss"] = "Ada", r.op.Issuer
		delete(tok.Claims, "family_name")
	})
	who, err := r.signOn()
	if err != nil || who.Attributes["name.given"] != "Ada" || who.Attributes["name.family"] != "Lovelace" {
		t.Errorf("%+v, %v", who, err)
	}
}

// TestWhetherAnAddressIsVerified is case LINK-UNVERIFIED, as far as claims go.
func TestWhetherAnAddressIsVerified(t *testing.T) {
	address := "${providerAttributes.email}"
	for name, row := range map[string]struct {
		token, more map[string]any
		mapped      string
		want        bool
	}{
		"yes":                          {with(map[string]any{"email": "a@x.example", "email_verified": true}), nil, address, true},
		"no":                           {with(map[string]any{"email": "a@x.example", "email_verified": false}), nil, address, false},
		"not told":                     {with(map[string]any{"email": "a@x.example"}), nil, address, false},
		"a string":                     {with(map[string]any{"email": "a@x.example", "email_verified": "true"}), nil, address, false},
		"a digit":                      {with(map[string]any{"email": "a@x.example", "email_verified": "1"}), nil, address, false},
		"a number":                     {with(map[string]any{"email": "a@x.example", "email_verified": 1}), nil, address, false},
		"null":                         {with(map[string]any{"email": "a@x.example", "email_verified": nil}), nil, address, false},
		"no address":                   {with(map[string]any{"email_verified": true}), nil, address, false},
		"an address from another":      {with(map[string]any{"email": "a@x.example", "upn": "b@x.example", "email_verified": true}), nil, "${providerAttributes.upn}", false},
		"the address is not mapped":    {with(map[string]any{"email": "a@x.example", "email_verified": true}), nil, "", false},
		"both from userinfo":           {with(nil), map[string]any{"email": "a@x.example", "email_verified": true}, address, true},
		"of the same address":          {with(map[string]any{"email": "a@x.example"}), map[string]any{"email": "a@x.example", "email_verified": true}, address, true},
		"of another address":           {with(map[string]any{"email": "a@x.example"}), map[string]any{"email": "b@x.example", "email_verified": true}, address, false},
		"of none":                      {with(map[string]any{"email": "a@x.example"}), map[string]any{"email_verified": true}, address, false},
		"of an address that is no one": {with(map[string]any{"email": map[string]any{}}), map[string]any{"email": map[string]any{}, "email_verified": true}, address, false},
		"the ID token denies it":       {with(map[string]any{"email": "a@x.example", "email_verified": false}), map[string]any{"email": "a@x.example", "email_verified": true}, address, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.p.Mappings = []federation.Mapping{{Name: "email", Value: row.mapped}}
			if row.mapped == "" {
				r.p.Mappings = nil
			}
			r.op.SignIn(row.token)
			if row.more != nil {
				r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
				r.op.SignIn(with(row.more))
				r.op.Spoil(func(tok *optest.Token) {
					for k := range row.more {
						delete(tok.Claims, k)
					}
					maps.Copy(tok.Claims, row.token)
				})
			}
			who, err := r.signOn()
			if err != nil || who.EmailVerified != row.want {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
}
