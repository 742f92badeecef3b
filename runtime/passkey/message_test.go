package passkey_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"doorward/runtime/passkey"
)

// TestStructure is the list of what no server may take. Source: FIDO2 conformance,
// Server-ServerAuthenticatorAttestationResponse-Resp-1,
// Server-ServerAuthenticatorAssertionResponse-Resp-1.
func TestStructure(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	attestation, ass := a.registered(t), a.asserted(t)
	for name, change := range map[string]func(m, response map[string]any){
		"no id":                       func(m, _ map[string]any) { delete(m, "id") },
		"no rawId":                    func(m, _ map[string]any) { delete(m, "rawId") },
		"no type":                     func(m, _ map[string]any) { delete(m, "type") },
		"no response":                 func(m, _ map[string]any) { delete(m, "response") },
		"response is text":            func(m, _ map[string]any) { m["response"] = "{}" },
		"response is null":            func(m, _ map[string]any) { m["response"] = nil },
		"id is a number":              func(m, _ map[string]any) { m["id"] = 1 },
		"id is null":                  func(m, _ map[string]any) { m["id"] = nil },
		"id is empty":                 func(m, _ map[string]any) { m["id"], m["rawId"] = "", "" },
		"id is no base64":             func(m, _ map[string]any) { m["id"] = "a b!" },
		"id is padded":                func(m, _ map[string]any) { m["id"] = base64.URLEncoding.EncodeToString(a.id) },
		"id is in the other alphabet": func(m, _ map[string]any) { m["id"] = "++" + raw64(a.id)[2:] },
		"id is of somebody else":      func(m, _ map[string]any) { m["id"] = raw64([]byte("somebody else's")) },
		"rawId is of somebody else":   func(m, _ map[string]any) { m["rawId"] = raw64([]byte("somebody else's")) },
		"type is another":             func(m, _ map[string]any) { m["type"] = "password" },
		"type in upper case":          func(m, _ map[string]any) { m["type"] = "PUBLIC-KEY" },
		"type is null":                func(m, _ map[string]any) { m["type"] = nil },
		"members in upper case":       func(m, _ map[string]any) { m["ID"] = m["id"]; delete(m, "id") },
		"no client data":              func(_, r map[string]any) { delete(r, "clientDataJSON") },
		"client data is an object":    func(_, r map[string]any) { r["clientDataJSON"] = map[string]any{} },
		"client data is empty":        func(_, r map[string]any) { r["clientDataJSON"] = "" },
		"both alphabets":              func(_, r map[string]any) { r["clientDataJSON"] = "ab-/" },
		"padded in the middle":        func(_, r map[string]any) { r["clientDataJSON"] = "YQ==YQ==" },
		"padded too much":             func(_, r map[string]any) { r["clientDataJSON"] = "YWI==" },
		"padded too little":           func(_, r map[string]any) { r["clientDataJSON"] = "YQ=" },
		"bits to spare":               func(_, r map[string]any) { r["clientDataJSON"] = "YR" },
		"a line end":                  func(_, r map[string]any) { r["clientDataJSON"] = "YWJj\r\nYWJj" },
		"a blank":                     func(_, r map[string]any) { r["clientDataJSON"] = "YWJj " },
		"extensions are a list":       func(m, _ map[string]any) { m["clientExtensionResults"] = []any{} },
		"attachment is a number":      func(m, _ map[string]any) { m["authenticatorAttachment"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			alter := func(m map[string]any) {
				response, _ := m["response"].(map[string]any)
				change(m, response)
			}
			refusedBoth(t, a, edited(t, attestation, alter), edited(t, ass, alter), passkey.ReasonMessage)
		})
	}
	only(t, a, attestation, ass)
}

// only are the members that one ceremony has.
func only(t *testing.T, a authenticator, attestation, ass string) {
	t.Helper()
	for name, value := range map[string]any{
		"attestationObject": nil, "attestationObject ": 1, "transports": "usb", "transports ": []any{1}, "transports  ": []any{"USB stick"},
		"transports   ": []any{"a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a"},
	} {
		text := edited(t, attestation, func(m map[string]any) { m["response"].(map[string]any)[strings.TrimSpace(name)] = value })
		if _, err := passkey.Register(registration(text, policy(nil))); reason(t, err) != passkey.ReasonMessage {
			t.Errorf("%s %v: %v", name, value, err)
		}
	}
	for _, name := range []string{"authenticatorData", "signature", "userHandle"} {
		for _, value := range []any{1, true, []int{-128, 127}, []int{-129, 128}, map[string]any{"0": 1}, "a b", "YR"} {
			text := edited(t, ass, func(m map[string]any) { m["response"].(map[string]any)[name] = value })
			if _, err := passkey.Assert(assertion(text, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonMessage {
				t.Errorf("%s %v: %v", name, value, err)
			}
		}
	}
	long := edited(t, ass, func(m map[string]any) { m["response"].(map[string]any)["userHandle"] = raw64(make([]byte, 65)) })
	if _, err := passkey.Assert(assertion(long, policy(nil), a.stored(0))); reason(t, err) != passkey.ReasonMessage {
		t.Error(err)
	}
}

func refusedBoth(t *testing.T, a authenticator, attestation, ass, want string) {
	t.Helper()
	if _, err := passkey.Register(registration(attestation, policy(nil))); reason(t, err) != want {
		t.Errorf("attestation: %v", err)
	}
	if _, err := passkey.Assert(assertion(ass, policy(nil), a.stored(0))); reason(t, err) != want {
		t.Errorf("assertion: %v", err)
	}
}

// TestText is about JSON that is not exactly one object.
func TestText(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	attestation, ass := a.registered(t), a.asserted(t)
	for name, change := range map[string]func(string) string{
		"empty":            func(string) string { return "" },
		"a number":         func(string) string { return "1" },
		"null":             func(string) string { return "null" },
		"a list":           func(s string) string { return "[" + s + "]" },
		"cut off":          func(s string) string { return s[:len(s)-1] },
		"something behind": func(s string) string { return s + "{}" },
		"byte order mark":  func(s string) string { return "\ufeff" + s },
		"a name twice":     func(s string) string { return `{"type":"public-key",` + s[1:] },
		"not UTF-8":        func(s string) string { return `{"x":"` + "\xff" + `",` + s[1:] },
		"half a character": func(s string) string { return `{"x":"\ud800",` + s[1:] },
		"too deep": func(s string) string {
			return `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,` + s[1:]
		},
		"too long":          func(s string) string { return `{"x":"` + strings.Repeat("x", passkey.MaxMessage) + `",` + s[1:] },
		"text with JSON in": func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` },
	} {
		t.Run(name, func(t *testing.T) { refusedBoth(t, a, change(attestation), change(ass), passkey.ReasonMessage) })
	}
	t.Run("members that nobody knows", func(t *testing.T) {
		if _, err := passkey.Assert(assertion(`{"x":{"y":[1,null]},`+ass[1:], policy(nil), a.stored(0))); err != nil {
			t.Error(err)
		}
	})
}

// TestClientData is about the JSON that the client has signed over.
func TestClientData(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	ceremonies := map[string]func(clientText string) error{
		"create": func(s string) error {
			_, err := passkey.Register(registration(a.registered(t, func(p *parts) { p.clientText = []byte(s) }), policy(nil)))
			return err
		},
		"get": func(s string) error {
			_, err := passkey.Assert(assertion(a.asserted(t, func(p *parts) { p.clientText = []byte(s) }), policy(nil), a.stored(0)))
			return err
		},
	}
	for ceremony, judge := range ceremonies {
		right := `{"type":"webauthn.` + ceremony + `","challenge":"` + raw64(challenge(1)) + `","origin":"https://auth.example","crossOrigin":false}`
		for name, c := range map[string]struct{ text, want string }{
			"right":              {right, ""},
			"blanks":             {" " + strings.ReplaceAll(right, ",", ",\n ") + " ", ""},
			"more members":       {`{"other":{"a":[1,2]},` + right[1:], ""},
			"escaped":            {strings.Replace(right, "https:", `\u0068ttps:`, 1), ""},
			"byte order mark":    {"\ufeff" + right, passkey.ReasonClientData},
			"not UTF-8":          {`{"x":"` + "\xff" + `",` + right[1:], passkey.ReasonClientData},
			"not JSON":           {"type=webauthn." + ceremony, passkey.ReasonClientData},
			"two of them":        {right + right, passkey.ReasonClientData},
			"a list":             {"[" + right + "]", passkey.ReasonClientData},
			"origin twice":       {`{"origin":"https://evil.tld",` + right[1:], passkey.ReasonClientData},
			"other member twice": {`{"x":1,"x":1,` + right[1:], passkey.ReasonClientData},
			"type is a number":   {strings.Replace(right, `"webauthn.`+ceremony+`"`, "1", 1), passkey.ReasonClientData},
			"no type":            {strings.Replace(right, `"type"`, `"Type"`, 1), passkey.ReasonClientData},
			"no challenge":       {strings.Replace(right, `"challenge"`, `"x"`, 1), passkey.ReasonClientData},
			"challenge padded":   {strings.Replace(right, raw64(challenge(1)), raw64(challenge(1))+"=", 1), passkey.ReasonChallenge},
			"another challenge":  {strings.Replace(right, raw64(challenge(1)), "AAAA", 1), passkey.ReasonChallenge},
		} {
			t.Run(ceremony+" "+name, func(t *testing.T) {
				if err := judge(c.text); reason(t, err) != c.want {
					t.Errorf("%v, want %q", err, c.want)
				}
			})
		}
	}
}

// TestBothAlphabets is about how bytes may be written, beside the id.
func TestBothAlphabets(t *testing.T) {
	a := newAuthenticator(es256(t), 1)
	for name, e := range map[string]*base64.Encoding{
		"base64url": base64.RawURLEncoding, "base64url, padded": base64.URLEncoding,
		"base64": base64.StdEncoding, "base64, not padded": base64.RawStdEncoding,
	} {
		t.Run(name, func(t *testing.T) {
			again := func(m map[string]any) {
				response, _ := m["response"].(map[string]any)
				m["rawId"] = e.EncodeToString(a.id)
				for k, v := range response {
					if s, ok := v.(string); ok && k != "authenticatorData" || ok && response["signature"] != nil {
						b, err := base64.RawURLEncoding.DecodeString(s)
						if err != nil {
							t.Fatal(err)
						}
						response[k] = e.EncodeToString(b)
					}
				}
			}
			if _, err := passkey.Register(registration(edited(t, a.registered(t), again), policy(nil))); err != nil {
				t.Error(err)
			}
			if _, err := passkey.Assert(assertion(edited(t, a.asserted(t), again), policy(nil), a.stored(0))); err != nil {
				t.Error(err)
			}
		})
	}
}
