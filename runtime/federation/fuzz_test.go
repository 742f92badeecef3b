package federation_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

// bodies is a provider that answers a path with a body.
type bodies map[string]string

func (b bodies) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(b[req.URL.Path])), Request: req}, nil
}

// fuzzedNow is when the fuzz targets sign on, in seconds since 1970.
const fuzzedNow = 1_700_000_000

// script is a client whose keys are kept from one sign-on to the next.
type script struct {
	p       federation.Provider
	c       *federation.Client
	answers bodies
}

// newScript is a script, and the key that its provider signs by.
func newScript() (*script, ed25519.PrivateKey) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	keys := marshalled(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}})
	const at = "https://h.example"
	s := &script{answers: bodies{"/jwks": string(keys)}, p: federation.Provider{
		ID: "h", Type: federation.OpenIDConnect, Enabled: true, Issuer: at, ClientID: "c", AuthMethod: federation.NoSecret,
		TokenEndpoint: at + "/token", JWKSEndpoint: at + "/jwks", UserInfoEndpoint: at + "/userinfo",
		Mappings: []federation.Mapping{
			{Name: "username", Value: "${providerAttributes.sub}"},
			{Name: "email", Value: "${providerAttributes.email}", Always: true},
			{Name: "name.given", Value: "${providerAttributes.a.b} ${providerAttributes.a}"},
		},
	}}
	s.c = federation.NewClient(
		func(string, federation.Provider) *http.Client { return &http.Client{Transport: s.answers} },
		func() time.Time { return time.Unix(fuzzedNow, 0) },
	)
	return s, key
}

// exchanged has a code exchanged, and holds what comes of it to what it may be.
func (s *script) exchanged(t *testing.T, token, info string) (federation.Identity, bool) {
	t.Helper()
	s.answers["/token"], s.answers["/userinfo"] = token, info
	who, err := s.c.Exchange(t.Context(), envID, s.p, federation.Answer{Code: "the code", Leg: federation.Leg{Nonce: "n", Verifier: "the verifier"}, RedirectURI: back})
	if r := (*federation.Refusal)(nil); err != nil && (!errors.As(err, &r) || r.Reason == "") {
		t.Fatalf("%v is no refusal", err)
	}
	if err != nil {
		return federation.Identity{}, false
	}
	if n := utf8.RuneCountInString(who.ID); n < 1 || n > 255 || strings.ContainsFunc(who.ID, unicode.IsControl) || !utf8.ValidString(who.ID) {
		t.Fatalf("subject %q", who.ID)
	}
	for name, value := range who.Attributes {
		if a, known := flow.UserAttribute(name); !known || value == "" || !utf8.ValidString(value) || utf8.RuneCountInString(value) > a.Most || !a.Fits(value) {
			t.Fatalf("%s: %q", name, value)
		}
	}
	if who.EmailVerified && who.Attributes["email"] == "" {
		t.Fatal("no address is verified")
	}
	return who, true
}

// FuzzIDToken holds that nothing in a token that is properly signed makes Exchange
// panic or take what is not of this provider, client and sign-on.
func FuzzIDToken(f *testing.F) {
	const good = `{"iss":"https://h.example","aud":"c","sub":"s","nonce":"n","iat":1700000000,"exp":1700000300`
	header := `{"alg":"EdDSA","kid":"k"}`
	for _, payload := range []string{
		good + `}`, good + `,"email":"a@x.example","email_verified":true}`, good + `,"at_hash":"` + `JwSTiIECv97xCBxo1mqhjA` + `"}`,
		good + `,"a":{"b":"c"}}`, good + `,"azp":"c"}`, good + `,"email":{}}`, good + `,"email":[]}`, good + `,"auth_time":1e9,"nbf":0.5}`,
		good + `,"ISS":"https://z.example"}`, good + `,"sub":"t"}`, good + `,"_claim_names":{"a":"b"}}`, good + `}{}`,
		strings.Replace(good, `"c"`, `["c",{},[]]`, 1) + `}`, strings.Replace(good, `1700000300`, `1e400`, 1) + `}`,
		strings.Replace(good, `"s"`, `""`, 1) + `}`, `{}`, `[]`, `null`, ``, `{"iss":{}}`,
	} {
		f.Add(header, payload, `{"sub":"s"}`)
	}
	for _, h := range []string{`{}`, `{"alg":"none"}`, `{"alg":"EdDSA"}`, `{"alg":"EdDSA","alg":"none"}`, `{"alg":"EdDSA","kid":7}`, `{"alg":"EdDSA","typ":"jwt"}`, `{"alg":{}}`, ``, `{"alg":"EdDSA","jwk":{}}`} {
		f.Add(h, good+`}`, `{"sub":"s"}`)
	}
	for _, u := range []string{`{}`, `{"sub":"t"}`, `{"sub":"s","sub":"s"}`, `{"sub":"s","email":{},"email_verified":true}`, `{"sub":"s","a":"b"}`, ``, `null`, `{"sub":{}}`} {
		f.Add(header, good+`,"email":{}}`, u)
	}
	s, key := newScript()
	f.Fuzz(func(t *testing.T, header, payload, info string) {
		text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		token := text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(text)))
		answer := string(marshalled(map[string]any{"token_type": "bearer", "access_token": "t", "id_token": token}))
		who, ok := s.exchanged(t, answer, info)
		if !ok {
			return
		}
		var claims struct {
			Iss, Sub, Nonce string
			Exp             float64
		}
		// A name in other capitals is another name, which this decoder takes for the same.
		if err := json.Unmarshal([]byte(payload), &claims); err != nil || strings.ContainsAny(payload, `\`) ||
			strings.Count(strings.ToLower(payload), `"iss"`)+strings.Count(strings.ToLower(payload), `"sub"`)+
				strings.Count(strings.ToLower(payload), `"nonce"`)+strings.Count(strings.ToLower(payload), `"exp"`) != 4 {
			return
		}
		if claims.Iss != s.p.Issuer || claims.Sub != who.ID || claims.Nonce != "n" || claims.Exp <= fuzzedNow {
			t.Fatalf("%s was taken as %+v", payload, who)
		}
	})
}

// FuzzAnswers holds that nothing that the endpoints answer makes Exchange panic, and
// that nobody comes of it without a token.
func FuzzAnswers(f *testing.F) {
	s, _ := newScript()
	for _, answer := range []string{
		`{"token_type":"Bearer","access_token":"t","id_token":"a.b.c"}`, `{"token_type":"Bearer","access_token":"t","id_token":"e30.e30."}`,
		`{"token_type":"Bearer","access_token":"t","id_token":".."}`, `{"error":"invalid_grant"}`, `{"error":{}}`, `{}`, `[]`, ``, `{"id_token":7}`,
		`{"token_type":"Bearer","access_token":"t","id_token":"eyJhbGciOiJFZERTQSJ9.e30.AAAA"}`,
	} {
		f.Add(answer, `{"sub":"s"}`)
	}
	f.Fuzz(func(t *testing.T, answer, info string) {
		if who, ok := s.exchanged(t, answer, info); ok && !strings.Contains(answer, "id_token") {
			t.Fatalf("%+v was let in", who)
		}
	})
}

// FuzzFlowOf holds that a state that is taken is one as NewLeg makes them.
func FuzzFlowOf(f *testing.F) {
	f.Add(federation.NewLeg(flowID, "h", [32]byte{1}).State)
	f.Add(flowID + ".")
	f.Add("." + strings.Repeat("A", 43))
	f.Add(flowID + "." + strings.Repeat("A", 41) + "\r\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, state string) {
		of, ok := federation.FlowOf(state)
		if !ok {
			if of != "" {
				t.Fatalf("%q of no flow", of)
			}
			return
		}
		hash, err := base64.RawURLEncoding.DecodeString(state[37:])
		if err != nil || len(hash) != 32 || state != of+"."+base64.RawURLEncoding.EncodeToString(hash) || len(of) != 36 {
			t.Fatalf("%q is taken", state)
		}
	})
}

// FuzzCheckValue holds that every value is judged, and one that is good gives what a
// user can have or nothing.
func FuzzCheckValue(f *testing.F) {
	for _, v := range []string{"", "a", "${", "${}", "${providerAttributes.a}", "${providerAttributes.a.b}x${providerAttributes.sub}", "${providerAttributes.${providerAttributes.a}}", "\xff"} {
		f.Add(v)
	}
	s, key := newScript()
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA"}`)) + "." + base64.RawURLEncoding.EncodeToString(
		[]byte(`{"iss":"https://h.example","aud":"c","sub":"s","nonce":"n","iat":1700000000,"exp":1700000300,"a":{"b":"c","":"d"}}`))
	token := text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(text)))
	answer := string(marshalled(map[string]any{"token_type": "bearer", "access_token": "t", "id_token": token}))
	f.Fuzz(func(t *testing.T, value string) {
		s.p.Mappings = []federation.Mapping{{Name: "title", Value: value}}
		wrong := federation.CheckValue(value)
		who, ok := s.exchanged(t, answer, `{"sub":"s"}`)
		if !ok {
			t.Fatal("the token is good")
		}
		if title := who.Attributes["title"]; wrong == nil && !strings.Contains(value, "${") && title != "" && title != value {
			t.Fatalf("%q gives %q", value, title)
		}
	})
}
