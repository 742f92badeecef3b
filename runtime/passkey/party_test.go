package passkey_test

import (
	"testing"

	"doorward/runtime/passkey"
)

func TestPartyThatNobodyCouldUse(t *testing.T) {
	web := func(id string, origins ...string) passkey.Party { return passkey.Party{ID: id, Origins: origins} }
	for name, c := range map[string]struct {
		party passkey.Party
		ok    bool
	}{
		"a domain":                  {web("auth.example.com", "https://auth.example.com"), true},
		"with a port":               {web("auth.example.com", "https://auth.example.com:8443"), true},
		"of pages below it":         {web("example.com", "https://auth.example.com"), true},
		"with an application":       {web("example.com", "https://example.com", apkOrigin), true},
		"this machine":              {web("localhost", "http://localhost:8080", "https://localhost:8443"), true},
		"below this machine":        {web("demo.localhost", "http://demo.localhost:8080"), true},
		"an address":                {web("127.0.0.1", "https://127.0.0.1"), false},
		"an address, of an app":     {web("127.0.0.1", apkOrigin), false},
		"an address, version 6":     {web("[::1]", "https://[::1]"), false},
		"upper case":                {web("Example.com", "https://example.com"), false},
		"with a port in the id":     {web("example.com:443", "https://example.com"), false},
		"an origin as id":           {web("https://example.com", "https://example.com"), false},
		"a dot at the end":          {web("example.com.", "https://example.com"), false},
		"a suffix":                  {web("co.uk", "https://a.co.uk"), false},
		"a top level":               {web("com", "https://example.com"), false},
		"no id":                     {web("", "https://example.com"), false},
		"no origins":                {web("example.com"), false},
		"not encrypted":             {web("example.com", "http://example.com"), false},
		"a path":                    {web("example.com", "https://example.com/"), false},
		"upper case in the origin":  {web("example.com", "https://EXAMPLE.com"), false},
		"the usual port":            {web("example.com", "https://example.com:443"), false},
		"the usual port of http":    {web("localhost", "http://localhost:80"), false},
		"a port of nobody":          {web("example.com", "https://example.com:"), false},
		"a port with zeros":         {web("example.com", "https://example.com:0443"), false},
		"somebody before it":        {web("example.com", "https://a@example.com"), false},
		"a file":                    {web("example.com", "file://"), false},
		"null":                      {web("example.com", "null"), false},
		"an application of nobody":  {web("example.com", "android:apk-key-hash:"), false},
		"related, of five names":    {web("example.com", "https://a.com", "https://b.com", "https://c.com", "https://d.com", "https://e.com"), true},
		"related, of six names":     {web("example.com", "https://a.com", "https://b.com", "https://c.com", "https://d.com", "https://e.com", "https://f.com"), false},
		"related, one name in many": {web("example.com", "https://a.com", "https://a.co.uk", "https://a.de", "https://a.fr", "https://a.it", "https://a.es"), true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.party.Check(); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func TestRelatedOrigins(t *testing.T) {
	p := party()
	if doc, err := p.Related(); doc != nil || err != nil {
		t.Error(string(doc), err)
	}
	p.Origins = append(p.Origins, "https://shop.example.net", "https://below.auth.example", "https://shop.example.net", "https://auth.example:8443", "https://notauth.example")
	doc, err := p.Related()
	if want := `{"origins":["https://shop.example.net","https://notauth.example"]}`; string(doc) != want || err != nil {
		t.Error(string(doc), err)
	}
	a := newAuthenticator(es256(t), 1)
	in := assertion(a.asserted(t, func(parts *parts) { parts.client["origin"] = "https://shop.example.net" }), policy(nil), a.stored(0))
	if _, err := passkey.Assert(in); reason(t, err) != passkey.ReasonOrigin {
		t.Error("was not listed:", err)
	}
	in.Party = p
	if _, err := passkey.Assert(in); err != nil {
		t.Error("is listed:", err)
	}
}
