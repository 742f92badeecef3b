package federation_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorward/internal/optest"
	"doorward/runtime/federation"
)

// TestAnIDTokenThatIsNoGood is case LINK-IDTOKEN: each token but the first is refused,
// for its own reason, and nothing is fetched from where it says.
func TestAnIDTokenThatIsNoGood(t *testing.T) {
	var strayed atomic.Int32
	attacker := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(attacker.Close)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	before := r.browse().Leg.Nonce // of a sign-on that is over
	r.challenge[0]++
	claim := func(name string, v any) func(*optest.Token) { return func(tok *optest.Token) { tok.Claims[name] = v } }
	header := func(name string, v any) func(*optest.Token) { return func(tok *optest.Token) { tok.Header[name] = v } }
	without := func(name string) func(*optest.Token) { return func(tok *optest.Token) { delete(tok.Claims, name) } }
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, row := range map[string]struct {
		spoil  func(*optest.Token)
		reason string // empty: it is good
	}{
		"as it should be": {func(*optest.Token) {}, ""},

		"alg none":                    {func(tok *optest.Token) { tok.Header["alg"], tok.Key = "none", nil }, federation.BadIDToken},
		"alg None":                    {func(tok *optest.Token) { tok.Header["alg"], tok.Key = "None", nil }, federation.BadIDToken},
		"alg none with a signature":   {header("alg", "none"), federation.BadIDToken},
		"no alg":                      {func(tok *optest.Token) { delete(tok.Header, "alg") }, federation.BadIDToken},
		"no signature":                {func(tok *optest.Token) { tok.Key = nil }, federation.BadSignature},
		"HS256 with the public key":   {func(tok *optest.Token) { tok.Header["alg"], tok.Key = "HS256", public(t, r.op) }, federation.BadIDToken},
		"HS256 with the secret":       {func(tok *optest.Token) { tok.Header["alg"], tok.Key = "HS256", []byte(r.op.ClientSecret) }, federation.BadIDToken},
		"ES256 in name only":          {header("alg", "ES256"), federation.BadSignature},
		"a kid that is not known":     {func(tok *optest.Token) { tok.Header["kid"], tok.Key = "strange", stranger }, federation.BadSignature},
		"another key by a known kid":  {func(tok *optest.Token) { tok.Key = stranger }, federation.BadSignature},
		"another key without a kid":   {func(tok *optest.Token) { delete(tok.Header, "kid"); tok.Key = stranger }, federation.BadSignature},
		"jku":                         {header("jku", attacker.URL), federation.BadIDToken},
		"jku with the attacker's key": {func(tok *optest.Token) { tok.Header["jku"], tok.Key = attacker.URL, stranger }, federation.BadIDToken},
		"x5u":                         {func(tok *optest.Token) { tok.Header["x5u"], tok.Key = attacker.URL, stranger }, federation.BadIDToken},
		"jwk": {func(tok *optest.Token) {
			tok.Header["jwk"], tok.Key = jose.JSONWebKey{Key: stranger.Public()}, stranger
		}, federation.BadIDToken},
		"crit":                     {header("crit", []string{"exp"}), federation.BadIDToken},
		"an access token":          {header("typ", "at+jwt"), federation.BadIDToken},
		"a logout token":           {header("typ", "logout+jwt"), federation.BadIDToken},
		"an unencoded payload":     {func(tok *optest.Token) { tok.Header["b64"] = false }, federation.BadIDToken},
		"a type that is no string": {header("typ", 1), federation.BadIDToken},

		"another issuer":                {claim("iss", attacker.URL), federation.WrongIssuer},
		"the issuer with a slash":       {claim("iss", r.op.Issuer+"/"), federation.WrongIssuer},
		"the issuer in capitals":        {claim("iss", strings.ToUpper(r.op.Issuer)), federation.WrongIssuer},
		"no issuer":                     {without("iss"), federation.WrongIssuer},
		"another audience":              {claim("aud", "another"), federation.WrongAudience},
		"no audience":                   {without("aud"), federation.WrongAudience},
		"an audience that is an object": {claim("aud", map[string]any{"doorward": true}), federation.WrongAudience},
		"a list of other audiences":     {claim("aud", []any{"another", map[string]any{}}), federation.WrongAudience},
		"several audiences without azp": {claim("aud", []string{"doorward", "another"}), federation.WrongAudience},
		"azp of another client":         {claim("azp", "another"), federation.WrongAudience},
		"azp null":                      {claim("azp", nil), federation.WrongAudience},
		"azp of another of the audiences": {func(tok *optest.Token) {
			tok.Claims["aud"], tok.Claims["azp"] = []string{"doorward", "another"}, "another"
		}, federation.WrongAudience},
		"a list of this one audience": {claim("aud", []string{"doorward"}), ""},
		"several audiences, made for us": {func(tok *optest.Token) {
			tok.Claims["aud"], tok.Claims["azp"] = []string{"another", "doorward"}, "doorward"
		}, ""},
		"expired":                            {claim("exp", in(-time.Second)), federation.Expired},
		"no expiry":                          {without("exp"), federation.BadIDToken},
		"an expiry that is a string":         {claim("exp", "4102444800"), federation.BadIDToken},
		"an expiry beyond all time":          {claim("exp", 1e300), federation.BadIDToken},
		"an expiry before all time":          {claim("exp", -1), federation.BadIDToken},
		"issued in 10 minutes":               {claim("iat", in(10*time.Minute)), federation.NotYetIssued},
		"issued in 4 minutes":                {claim("iat", in(4*time.Minute)), ""},
		"not issued":                         {without("iat"), federation.BadIDToken},
		"not before 10 minutes from now":     {claim("nbf", in(10*time.Minute)), federation.NotYetIssued},
		"not before something":               {claim("nbf", "tomorrow"), federation.BadIDToken},
		"not before now":                     {claim("nbf", in(0)), ""},
		"no nonce":                           {without("nonce"), federation.WrongNonce},
		"another nonce":                      {claim("nonce", "n"), federation.WrongNonce},
		"an empty nonce":                     {claim("nonce", ""), federation.WrongNonce},
		"the nonce in a list":                {claim("nonce", []string{r.leg().Nonce}), federation.WrongNonce},
		"the nonce of an earlier sign-on":    {claim("nonce", before), federation.WrongNonce},
		"at_hash of another token":           {claim("at_hash", "LDktKdoQak3Pk0cnXxCltA"), federation.WrongHash},
		"at_hash of no type":                 {claim("at_hash", map[string]any{}), federation.WrongHash},
		"no at_hash":                         {without("at_hash"), ""},
		"c_hash of another code":             {claim("c_hash", "LDktKdoQak3Pk0cnXxCltA"), federation.WrongHash},
		"no subject":                         {without("sub"), federation.NoSubject},
		"an empty subject":                   {claim("sub", ""), federation.NoSubject},
		"a subject that is a number":         {claim("sub", 7), federation.NoSubject},
		"a subject of 255 characters":        {claim("sub", strings.Repeat("é", 255)), ""},
		"a subject of 256 characters":        {claim("sub", strings.Repeat("s", 256)), federation.NoSubject},
		"a subject with a control character": {claim("sub", "ada\x00"), federation.NoSubject},

		"a member twice":            {twice(`"sub":"eve"`), federation.BadIDToken},
		"the same member twice":     {twice(`"iss":"` + r.op.Issuer + `"`), federation.BadIDToken},
		"a member twice, escaped":   {twice(`"\u0073ub":"eve"`), federation.BadIDToken},
		"the subject in capitals":   {func(tok *optest.Token) { delete(tok.Claims, "sub"); tok.Claims["SUB"] = "ada" }, federation.NoSubject},
		"a payload of two values":   {func(tok *optest.Token) { tok.Payload = append(marshalled(tok.Claims), "{}"...) }, federation.BadIDToken},
		"a payload that is a list":  {func(tok *optest.Token) { tok.Payload = []byte("[]") }, federation.BadIDToken},
		"a payload that is no JSON": {func(tok *optest.Token) { tok.Payload = []byte("sub=ada") }, federation.BadIDToken},
		"a payload without a value": {func(tok *optest.Token) { tok.Payload = []byte{} }, federation.BadIDToken},
		"JWE":                       {func(tok *optest.Token) { tok.Raw = encrypted(t, r.op, tok) }, federation.BadIDToken},
		"a header of a JWE":         {header("enc", "A128GCM"), federation.BadIDToken},
		"JWS as JSON":               {func(tok *optest.Token) { tok.Raw = `{"payload":"e30","signature":"","protected":"e30"}` }, federation.BadIDToken},
		"one part":                  {func(tok *optest.Token) { tok.Raw = "x" }, federation.BadIDToken},
		"three parts of nothing":    {func(tok *optest.Token) { tok.Raw = ".." }, federation.BadIDToken},
		"65 KiB":                    {claim("more", strings.Repeat("x", 65<<10)), federation.BadIDToken},
		"1 MB":                      {claim("more", strings.Repeat("x", 1<<20)), federation.Unreachable},
		"40 KiB":                    {claim("more", strings.Repeat("x", 40<<10)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			r.op.Spoil(row.spoil)
			who, err := r.signOn()
			switch {
			case row.reason == "" && (err != nil || who.ID == ""):
				t.Fatalf("%+v, %v", who, err)
			case row.reason != "":
				refused(t, err, row.reason)
			}
			if n := strayed.Load(); n > 0 {
				t.Errorf("the attacker was asked %d times", n)
			}
			if n := len(r.op.Asked(optest.UserInfo)); n > 0 {
				t.Errorf("userinfo was asked %d times", n)
			}
		})
	}
}

// TestNothingIsAskedOnceTheTokenIsNoGood is what a bad token costs the provider.
func TestNothingIsAskedOnceTheTokenIsNoGood(t *testing.T) {
	r := newRig(t)
	r.p.UserInfoEndpoint = r.op.UserInfoEndpoint
	r.op.Spoil(func(tok *optest.Token) { tok.Claims["iss"] = "https://other.example" })
	_, err := r.signOn()
	refused(t, err, federation.WrongIssuer)
	if asked := r.op.Asked(optest.JWKS, optest.UserInfo); len(asked) > 0 {
		t.Errorf("asked %+v", asked)
	}
}

func TestWhenTheSignOnWas(t *testing.T) {
	now := time.Now()
	for name, row := range map[string]struct {
		since  time.Time
		told   any
		reason string
	}{
		"any time, and not told":        {time.Time{}, nil, ""},
		"any time":                      {time.Time{}, now.Add(-time.Hour).Unix(), ""},
		"just now":                      {now, now.Unix(), ""},
		"within what clocks may differ": {now, now.Add(-30 * time.Second).Unix(), ""},
		"too long ago":                  {now, now.Add(-2 * time.Minute).Unix(), federation.TooOld},
		"young enough":                  {now.Add(-time.Hour), now.Add(-50 * time.Minute).Unix(), ""},
		"not told":                      {now, nil, federation.TooOld},
		"told as a string":              {now, "now", federation.TooOld},
		"yet to be":                     {now, now.Add(time.Hour).Unix(), federation.TooOld},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.since = row.since
			r.op.Spoil(func(tok *optest.Token) {
				if tok.Claims["auth_time"] = row.told; row.told == nil {
					delete(tok.Claims, "auth_time")
				}
			})
			if _, err := r.signOn(); row.reason != "" {
				refused(t, err, row.reason)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// twice adds a member to a payload, whatever is in it.
func twice(member string) func(*optest.Token) {
	return func(tok *optest.Token) {
		tok.Payload = append(bytes.TrimSuffix(marshalled(tok.Claims), []byte("}")), ","+member+"}"...)
	}
}

func marshalled(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// public is the provider's public key, as it may be found.
func public(t *testing.T, op *optest.Provider) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(op.Key().Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// encrypted is the token for whoever has the provider's key.
func encrypted(t *testing.T, op *optest.Provider, tok *optest.Token) string {
	t.Helper()
	e, err := jose.NewEncrypter(jose.A128GCM, jose.Recipient{Algorithm: jose.RSA_OAEP, Key: op.Key().Public()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := e.Encrypt(marshalled(tok.Claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := sealed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
