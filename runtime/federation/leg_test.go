package federation_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

func TestALegIsOfOneChallengeAndProvider(t *testing.T) {
	one := federation.NewLeg(flowID, "h", [32]byte{1})
	if again := federation.NewLeg(flowID, "h", [32]byte{1}); again != one {
		t.Errorf("%+v, then %+v", one, again)
	}
	seen := map[string]bool{}
	for _, l := range []federation.Leg{
		one,
		federation.NewLeg(flowID, "h", [32]byte{2}),
		federation.NewLeg(flowID, "z", [32]byte{1}),
		federation.NewLeg("d0000000-0000-4000-8000-0000000000f2", "h", [32]byte{1}),
	} {
		_, state, _ := strings.Cut(l.State, ".")
		for _, value := range []string{state, l.Nonce, l.Verifier} {
			if seen[value] {
				t.Errorf("%q twice", value)
			}
			seen[value] = true
			if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(value) { // RFC 7636 4.1
				t.Errorf("%q", value)
			}
		}
	}
}

func TestFlowOf(t *testing.T) {
	hash := strings.Repeat("A", 43)
	good := federation.NewLeg(flowID, "h", [32]byte{1}).State
	if of, ok := federation.FlowOf(good); !ok || of != flowID {
		t.Errorf("%q, %v", of, ok)
	}
	for name, state := range map[string]string{
		"nothing":              "",
		"a dot":                ".",
		"no hash":              flowID + ".",
		"no dot":               flowID + hash,
		"no flow":              "." + hash,
		"capitals":             strings.ToUpper(flowID) + "." + hash,
		"no UUID":              strings.Repeat("a", 36) + "." + hash,
		"braces":               "{" + flowID[1:35] + "}." + hash,
		"a letter too few":     flowID + "." + hash[1:],
		"a letter too many":    flowID + "." + hash + "A",
		"padding":              flowID + "." + hash[1:] + "=",
		"bits that are unused": flowID + "." + hash[1:] + "B",
		"standard base64":      flowID + "." + hash[1:] + "/",
		"a line break":         flowID + "." + hash[1:] + "\n",
		"line breaks":          flowID + "." + hash[2:] + "\r\n",
		"a second dot":         flowID + "." + hash[1:] + ".",
		"a space before":       " " + good,
		"a path":               "../" + good,
	} {
		t.Run(name, func(t *testing.T) {
			if of, ok := federation.FlowOf(state); ok || of != "" {
				t.Errorf("%q, %v", of, ok)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	l := federation.NewLeg(flowID, "h", [32]byte{1})
	sum := sha256.Sum256([]byte(l.Verifier))
	always := map[string]string{
		"response_type": "code", "client_id": "cli ent&", "redirect_uri": back, "scope": "openid email", "state": l.State, "nonce": l.Nonce,
	}
	for name, row := range map[string]struct {
		change func(p *federation.Provider, x *flow.External)
		also   map[string]string
	}{
		"as it is at least": {func(*federation.Provider, *flow.External) {}, nil},
		"with PKCE": {
			func(p *federation.Provider, _ *flow.External) { p.PKCE = true },
			map[string]string{"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256"},
		},
		"with openid among the scopes": {
			func(p *federation.Provider, _ *flow.External) { p.Scopes = []string{"email", "openid", "email"} }, nil,
		},
		"without a scope": {
			func(p *federation.Provider, _ *flow.External) { p.Scopes = nil }, map[string]string{"scope": "openid"},
		},
		"for somebody": {
			func(_ *federation.Provider, x *flow.External) { x.LoginHint = "ada+1@partner.com&prompt=none" },
			map[string]string{"login_hint": "ada+1@partner.com&prompt=none"},
		},
		"afresh": {
			func(_ *federation.Provider, x *flow.External) { x.Fresh = true }, map[string]string{"prompt": "login", "max_age": "0"},
		},
		"afresh, whatever age is let pass": {
			func(_ *federation.Provider, x *flow.External) { x.Fresh, x.MaxAge = true, 60 }, map[string]string{"prompt": "login", "max_age": "0"},
		},
		"not long ago": {func(_ *federation.Provider, x *flow.External) { x.MaxAge = 60 }, map[string]string{"max_age": "60"}},
		"at once":      {func(_ *federation.Provider, x *flow.External) { x.MaxAge = 0 }, map[string]string{"max_age": "0"}},
		"in languages": {
			func(_ *federation.Provider, x *flow.External) {
				x.Locales = "de-CH, de;q=0.9,en; q=0.5, fr;q=0, it;q=0.0, *, de"
			},
			map[string]string{"ui_locales": "de-CH de en"},
		},
		"in words that are no languages": {
			func(_ *federation.Provider, x *flow.External) { x.Locales = ", de ch,x&y=z," + strings.Repeat("a", 36) }, nil,
		},
		"at an address with a query": {
			func(p *federation.Provider, _ *flow.External) {
				p.AuthorizationEndpoint = "https://h.example/authorize?tenant=a%20b&state=x&state=y&scope=all#here"
			},
			map[string]string{"tenant": "a b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := federation.Provider{AuthorizationEndpoint: "https://h.example/authorize", ClientID: "cli ent&", Scopes: []string{"email"}}
			x := flow.External{MaxAge: -1}
			row.change(&p, &x)
			u, err := url.Parse(p.Address(l, back, x))
			if err != nil {
				t.Fatal(err)
			}
			if u.Scheme != "https" || u.Host != "h.example" || u.Path != "/authorize" || u.Fragment != "" {
				t.Errorf("leads to %s", u)
			}
			want := map[string]string{}
			for _, from := range []map[string]string{always, row.also} {
				for k, v := range from {
					want[k] = v
				}
			}
			got := u.Query()
			for k, v := range want {
				if len(got[k]) != 1 || got.Get(k) != v {
					t.Errorf("%s is %q, want %q", k, got[k], v)
				}
			}
			if len(got) != len(want) {
				t.Errorf("asks %v, want %v", got, want)
			}
		})
	}
}
