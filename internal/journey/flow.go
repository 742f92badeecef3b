package journey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// App is an application as it is registered.
type App struct {
	Env, ID     string
	Secret      string // empty: public
	RedirectURI string
	PiFlow      bool // asks with response_mode=pi.flow
}

// Ask is an authorization request with what its answer must match.
type Ask struct {
	App      App
	Verifier string
	Query    url.Values
}

// Ask makes a request with a new state, nonce and PKCE pair. set are parameters
// and values in turn; an empty value takes a parameter out.
func (a App) Ask(set ...string) Ask {
	verifier := random()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {a.RedirectURI}, "scope": {"openid profile"},
		"state": {random()}, "nonce": {random()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if a.PiFlow {
		q.Set("response_mode", "pi.flow")
	}
	for i := 0; i < len(set); i += 2 {
		q.Set(set[i], set[i+1])
		if set[i+1] == "" {
			q.Del(set[i])
		}
	}
	return Ask{App: a, Verifier: verifier, Query: q}
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// Authorize sends the request.
func (c *Client) Authorize(ask Ask) *Answer {
	c.tb.Helper()
	c.trail.Secret("code_verifier", ask.Verifier)
	return c.Send(http.MethodGet, "/"+ask.App.Env+"/as/authorize?"+ask.Query.Encode(), nil, nil)
}

// Flow is one visitor's view of one flow.
type Flow struct {
	ID  string
	Ask Ask
	*Client

	experience bool // an execution of a flow definition, not a sign-on
}

// Start sends the request, which must lead to a flow that asks something.
func (c *Client) Start(ask Ask) *Flow {
	c.tb.Helper()
	a := c.Authorize(ask)
	f := &Flow{Ask: ask, Client: c}
	if a.Status == http.StatusOK {
		f.ID = a.Flow().ID
		return f
	}
	f.ID = a.Is(http.StatusFound).Location().Query().Get("flowId")
	if uuid.FindString(f.ID) != f.ID || f.ID == "" {
		c.tb.Fatalf("%s: no flow\n%s", a.request, a.text())
	}
	return f
}

// As is the same flow as another visitor meets it.
func (f *Flow) As(c *Client) *Flow {
	return &Flow{ID: f.ID, Ask: f.Ask, Client: c, experience: f.experience}
}

// Via is the same flow and visitor by way of one node.
func (f *Flow) Via(node int) *Flow { return f.As(f.Client.Via(node)) }

// Path is where the flow is read and moved.
func (f *Flow) Path() string {
	if f.experience {
		return "/" + f.Ask.App.Env + "/flowExecutions/" + f.ID
	}
	return "/" + f.Ask.App.Env + "/flows/" + f.ID
}

// Page is its hosted page.
func (f *Flow) Page() string { return "/" + f.Ask.App.Env + "/signon/?flowId=" + f.ID }

// Get reads the flow.
func (f *Flow) Get() *Answer {
	f.tb.Helper()
	return f.Send(http.MethodGet, f.Path(), nil, nil)
}

// Act submits an action. values is what is sent as JSON; text is sent as it is,
// nil is no body. header are names and values in turn.
func (f *Flow) Act(action string, values any, header ...string) *Answer {
	f.tb.Helper()
	h := Header(header...)
	h["Content-Type"] = []string{ContentType(action)}
	return f.Send(http.MethodPost, f.Path(), h, f.body(values))
}

// Password submits a username and a password; an empty username is left out.
func (f *Flow) Password(username, password string, header ...string) *Answer {
	f.tb.Helper()
	values := map[string]string{"password": password}
	if username != "" {
		values["username"] = username
	}
	return f.Act("usernamePassword.check", values, header...)
}

// Resume goes on where the flow says to go on.
func (f *Flow) Resume() *Answer {
	f.tb.Helper()
	return f.Send(http.MethodGet, "/"+f.Ask.App.Env+"/as/resume?flowId="+f.ID, nil, nil)
}

// Redeem trades the code of the flow's request. set are parameters and values in
// turn; an empty value takes a parameter out.
func (c *Client) Redeem(ask Ask, code string, set ...string) *Answer {
	c.tb.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {ask.Verifier}}
	if uri := ask.Query.Get("redirect_uri"); uri != "" {
		form.Set("redirect_uri", uri)
	}
	h := Header("Content-Type", "application/x-www-form-urlencoded")
	if ask.App.Secret == "" {
		form.Set("client_id", ask.App.ID)
	} else {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(ask.App.ID+":"+url.QueryEscape(ask.App.Secret))))
	}
	for i := 0; i < len(set); i += 2 {
		form.Set(set[i], set[i+1])
		if set[i+1] == "" {
			form.Del(set[i])
		}
	}
	return c.Send(http.MethodPost, "/"+ask.App.Env+"/as/token", h, []byte(form.Encode()))
}

// UserInfo asks with an access token.
func (c *Client) UserInfo(env, token string) *Answer {
	c.tb.Helper()
	return c.Send(http.MethodGet, "/"+env+"/as/userinfo", Header("Authorization", "Bearer "+token), nil)
}

// Standing is what of a flow must not change when a submit is refused.
type Standing struct {
	Status string
	Links  []string
	User   string
	ETag   string // moves with every submit that was evaluated
	ST     string
}

// Standing reads where the flow stands for this visitor.
func (f *Flow) Standing() Standing {
	f.tb.Helper()
	a := f.Get()
	r := a.Flow()
	return Standing{r.Status, slices.Sorted(maps.Keys(r.Links)), r.Embedded.User.Username, a.Header.Get("ETag"), f.ST(f.Ask.App.Env)}
}
