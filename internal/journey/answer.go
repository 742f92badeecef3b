package journey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Answer is what came back.
type Answer struct {
	Node   int // which one answered
	Status int
	Header http.Header
	Body   []byte

	tb      testing.TB
	request string
	path    string
}

// Is ends the test unless the status is the one expected.
func (a *Answer) Is(status int) *Answer {
	a.tb.Helper()
	if a.Status != status {
		a.tb.Fatalf("%s: %d, want %d\n%s", a.request, a.Status, status, a.text())
	}
	return a
}

func (a *Answer) text() []byte {
	if len(a.Body) > 2000 {
		return a.Body[:2000]
	}
	if location := a.Header.Get("Location"); len(a.Body) == 0 && location != "" {
		return []byte("Location: " + location)
	}
	return a.Body
}

// Location is where a redirect leads.
func (a *Answer) Location() *url.URL {
	a.tb.Helper()
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Header.Get("Location") == "" {
		a.tb.Fatalf("%s: %d leads nowhere: %v\n%s", a.request, a.Status, err, a.text())
	}
	return u
}

// Code is the authorization code that was issued; empty when none was.
func (a *Answer) Code() string {
	if u, err := url.Parse(a.Header.Get("Location")); err == nil && u.Query().Get("code") != "" {
		return u.Query().Get("code")
	}
	var r struct {
		AuthorizeResponse struct {
			Code string `json:"code"`
		} `json:"authorizeResponse"`
	}
	_ = json.Unmarshal(a.Body, &r)
	return r.AuthorizeResponse.Code
}

// Refusal is the OAuth error of a redirect or of a token answer.
func (a *Answer) Refusal() string {
	if u, err := url.Parse(a.Header.Get("Location")); err == nil && u.Query().Get("error") != "" {
		return u.Query().Get("error")
	}
	var r struct {
		Error any `json:"error"`
	}
	_ = json.Unmarshal(a.Body, &r)
	s, _ := r.Error.(string)
	return s
}

// ST is the session cookie that the answer sets.
func (a *Answer) ST() (value string, set bool) {
	for _, k := range (&http.Response{Header: a.Header}).Cookies() {
		if k.Name == "ST" {
			return k.Value, true
		}
	}
	return "", false
}

// Link is a link of HAL.
type Link struct {
	Href string `json:"href"`
}

// Property is an input that a template asks for.
type Property struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Required     bool   `json:"required"`
	MaxLength    int    `json:"maxLength"`
	Autocomplete string `json:"autocomplete"`
	Prompt       string `json:"prompt"`
	Regex        string `json:"regex"`
	Value        any    `json:"value"`
	Options      struct {
		Inline []struct {
			Prompt string `json:"prompt"`
			Value  string `json:"value"`
		} `json:"inline"`
		MaxItems int `json:"maxItems"` // of a choice of several; 0: of one
	} `json:"options"`
}

// Template is a form of HAL-FORMS.
type Template struct {
	Title       string     `json:"title"`
	Method      string     `json:"method"`
	ContentType string     `json:"contentType"`
	Properties  []Property `json:"properties"`
}

// Resource is a flow as its owner sees it. It has every member that there is.
type Resource struct {
	Values      map[string]json.RawMessage `json:"-"` // members that a form's own names make
	Links       map[string]Link            `json:"_links"`
	Templates   map[string]Template        `json:"_templates"`
	ID          string                     `json:"id"`
	Environment struct {
		ID string `json:"id"`
	} `json:"environment"`
	FlowDefinition struct {
		ID string `json:"id"`
	} `json:"flowDefinition"`
	Form struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"form"`
	Session struct {
		ID string `json:"id"`
	} `json:"session"`
	ResumeURL string   `json:"resumeUrl"`
	Status    string   `json:"status"`
	CreatedAt string   `json:"createdAt"`
	ExpiresAt string   `json:"expiresAt"`
	AMR       []string `json:"amr"`
	Error     struct {
		Code    string   `json:"code"`
		Message string   `json:"message"`
		Details []Detail `json:"details"`
	} `json:"error"`
	AuthorizeResponse struct {
		Code  string `json:"code"`
		State string `json:"state"`
		Iss   string `json:"iss"`
	} `json:"authorizeResponse"`
	Factors
	Embedded struct {
		Devices []Device `json:"devices"`
		User    struct {
			ID       string `json:"id"`
			Username string `json:"username"`
			Name     struct {
				Given  string `json:"given"`
				Family string `json:"family"`
			} `json:"name"`
		} `json:"user"`
		Application struct {
			Name string `json:"name"`
		} `json:"application"`
		PasswordPolicy json.RawMessage `json:"passwordPolicy"`
		Agreement      json.RawMessage `json:"agreement"`

		IdentityProvider struct {
			ID    string          `json:"id"`
			Name  string          `json:"name"`
			Type  string          `json:"type"`
			Links map[string]Link `json:"_links"`
		} `json:"identityProvider"`
	} `json:"_embedded"`
}

// UnmarshalJSON takes the members that a form is filled with apart: they have the
// names of its fields, up to the first dot. Every other one must be known.
func (r *Resource) UnmarshalJSON(b []byte) error {
	type known Resource
	var head struct {
		Templates map[string]Template `json:"_templates"`
	}
	var all map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(b, &head), json.Unmarshal(b, &all)); err != nil {
		return err
	}
	values := map[string]json.RawMessage{}
	for _, p := range head.Templates["form.submit"].Properties {
		name, _, _ := strings.Cut(p.Name, ".")
		if v, is := all[name]; is && name != "form" {
			values[name] = v
			delete(all, name)
		}
	}
	rest, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := strict(rest, (*known)(r)); err != nil {
		return err
	}
	r.Values = values
	return nil
}

// Flow reads the answer as a flow, of which every member must be known.
func (a *Answer) Flow() Resource {
	a.tb.Helper()
	return a.Is(http.StatusOK).Resource()
}

// Resource is Flow whatever the status is.
func (a *Answer) Resource() Resource {
	a.tb.Helper()
	var r Resource
	if err := strict(a.Body, &r); err != nil {
		a.tb.Fatalf("%s: no flow: %v\n%s", a.request, err, a.text())
	}
	return r
}

// Detail narrows a Problem to one input.
type Detail struct {
	Code       string         `json:"code"`
	Target     string         `json:"target"`
	Pointer    string         `json:"pointer"`
	Message    string         `json:"message"`
	InnerError map[string]any `json:"innerError"`
}

// Problem is the one error body.
type Problem struct {
	ID       string          `json:"id"`
	Code     string          `json:"code"`
	Message  string          `json:"message"`
	Details  []Detail        `json:"details"`
	Links    map[string]Link `json:"_links"`
	Embedded struct {
		Flow *Resource `json:"flow"`
	} `json:"_embedded"`
}

// Problem reads the answer as the error body.
func (a *Answer) Problem() Problem {
	a.tb.Helper()
	var p Problem
	if err := strict(a.Body, &p); err != nil {
		a.tb.Fatalf("%s: %d without an error body: %v\n%s", a.request, a.Status, err, a.text())
	}
	return p
}

// Refused ends the test unless the answer is that status and code, with that
// "CODE@target" as its details; "CODE" alone stands for any target.
func (a *Answer) Refused(status int, code string, details ...string) Problem {
	a.tb.Helper()
	p := a.Is(status).Problem()
	var got []string
	for i, d := range p.Details {
		s := d.Code
		if i >= len(details) || strings.Contains(details[i], "@") {
			s += "@" + d.Target
		}
		got = append(got, s)
	}
	if p.Code != code || len(details) > 0 && !slices.Equal(details, got) {
		a.tb.Fatalf("%s: %d %s %v, want %s %v\n%s", a.request, a.Status, p.Code, got, code, details, a.text())
	}
	return p
}

// Tokens are what a code was redeemed for.
type Tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`
	Scope       string `json:"scope"`
	ExpiresIn   int    `json:"expires_in"`
}

// Tokens reads the answer of the token endpoint.
func (a *Answer) Tokens() Tokens {
	a.tb.Helper()
	a.Is(http.StatusOK)
	var t Tokens
	if err := strict(a.Body, &t); err != nil {
		a.tb.Fatalf("%s: no tokens: %v\n%s", a.request, err, a.text())
	}
	return t
}

// Claims are those of the ID token, not verified.
func (t Tokens) Claims(tb testing.TB) map[string]any {
	tb.Helper()
	parts := strings.Split(t.IDToken, ".")
	if len(parts) != 3 {
		tb.Fatalf("ID token of %d parts", len(parts))
	}
	var claims map[string]any
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(b, &claims)
	}
	if err != nil {
		tb.Fatal("ID token:", err)
	}
	return claims
}

func strict(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

var (
	uuid    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	tag     = regexp.MustCompile(`"?[A-Za-z0-9_-]{43,64}"?`)
	instant = regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`)
	wait    = regexp.MustCompile(`(Retry-After: |"secondsUntilUnlock":)(\d+)`)
	asked   = regexp.MustCompile(`challenge(\\?"|&#34;):((?:\\?"|&#34;)[A-Za-z0-9_-]{43}|\[[-0-9,]+\])`) // to be signed, as JSON, in JSON and on pages
)

// Shape is the answer without ids, secrets, times and challenges: what two answers
// must have in common that are not to be told apart. Waits in it are rounded up to
// whole minutes, because the answers are not given at the same moment.
func (a *Answer) Shape() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if name == "Date" || name == "Content-Length" {
			continue
		}
		for _, v := range slices.Sorted(slices.Values(a.Header[name])) {
			v = instant.ReplaceAllString(uuid.ReplaceAllString(tag.ReplaceAllString(v, "(secret)"), "(id)"), "(time)")
			b.WriteString(name + ": " + v + "\n")
		}
	}
	body := uuid.ReplaceAll(a.Body, []byte("(id)"))
	body = asked.ReplaceAll(instant.ReplaceAll(body, []byte("(time)")), []byte("(challenge)"))
	return wait.ReplaceAllStringFunc(http.StatusText(a.Status)+"\n"+b.String()+string(body), func(s string) string {
		parts := wait.FindStringSubmatch(s)
		seconds, _ := strconv.Atoi(parts[2])
		return parts[1] + strconv.Itoa((seconds+59)/60*60)
	})
}
