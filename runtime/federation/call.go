package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// The most that is read, in bytes.
const (
	maxBody    = 256 << 10 // of an answer
	maxIDToken = 64 << 10
)

// answered is what an endpoint answered.
type answered struct {
	status int
	body   []byte
}

// errTooLong is in what an answer over maxBody unwraps to.
var errTooLong = errors.New("longer than 256 KiB")

// ask makes one call. A redirect is an answer like any other, and not followed: what
// is sent is for the endpoint alone. The error does not name the address.
func ask(client *http.Client, req *http.Request) (answered, error) {
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req.Header.Set("Accept", "application/json")
	res, err := still.Do(req) //nolint:gosec // the client guards where it goes
	if err != nil {
		if at := (*url.Error)(nil); errors.As(err, &at) {
			err = at.Err
		}
		return answered{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return answered{}, err
	case len(body) > maxBody:
		return answered{}, errTooLong
	}
	return answered{res.StatusCode, body}, nil
}

// unreachable is the Refusal of an endpoint that did not answer, unless it is the
// caller that has gone.
func unreachable(gone error, endpoint string, err error) error {
	if errors.Is(gone, context.Canceled) {
		return gone
	}
	return &Refusal{Reason: Unreachable, detail: "the " + endpoint + " endpoint did not answer", cause: err}
}

// object reads a JSON object strictly: no name twice, at most 32 levels deep, and
// nothing behind it. A number is a json.Number.
func object(text []byte) (map[string]any, bool) {
	v, err := document.Decode(text, func(number string) (any, error) { return json.Number(number), nil })
	o, ok := v.(map[string]any)
	return o, ok && err == nil
}

// tokens are what a code is exchanged for.
type tokens struct{ id, access string }

// exchanged has the token endpoint exchange the code. Source: RFC 6749 4.1.3, 2.3.1;
// RFC 7636 4.5; OpenID Connect Core 3.1.3.
func exchanged(ctx context.Context, client *http.Client, p *Provider, a *Answer) (tokens, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {a.Code}, "redirect_uri": {a.RedirectURI}}
	if p.PKCE {
		form.Set("code_verifier", a.Leg.Verifier)
	}
	switch p.AuthMethod {
	case SecretPost:
		form.Set("client_secret", p.ClientSecret)
		form.Set("client_id", p.ClientID)
	case NoSecret:
		form.Set("client_id", p.ClientID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, errors.New("the address of the token endpoint is none")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.AuthMethod == SecretBasic {
		req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret))
	}
	got, err := ask(client, req)
	if err != nil {
		return tokens{}, unreachable(ctx.Err(), "token", err)
	}
	return got.tokens()
}

// tokens reads the answer of a token endpoint. Source: OpenID Connect Core 3.1.3.3.
func (a answered) tokens() (tokens, error) {
	o, ok := object(a.body)
	switch {
	case a.status >= 400 && a.status < 500:
		return tokens{}, refuse(TokenRefused, refusedWith(a.status, o))
	case a.status != http.StatusOK:
		return tokens{}, refuse(Unreachable, fmt.Sprintf("the token endpoint answers with status %d", a.status))
	case !ok:
		return tokens{}, refuse(BadTokenAnswer, "it is not one JSON object")
	}
	var t tokens
	kind, _ := o["token_type"].(string)
	t.id, _ = o["id_token"].(string)
	t.access, _ = o["access_token"].(string)
	switch {
	case !strings.EqualFold(kind, "Bearer"):
		return tokens{}, refuse(BadTokenAnswer, "token_type is not Bearer")
	case t.id == "":
		return tokens{}, refuse(BadTokenAnswer, "there is no ID token")
	case len(t.id) > maxIDToken:
		return tokens{}, refuse(BadIDToken, "it is longer than 64 KiB")
	case t.access == "" || strings.ContainsFunc(t.access, func(r rune) bool { return r <= ' ' || r > '~' }):
		return tokens{}, refuse(BadTokenAnswer, "there is no access token that can be sent")
	}
	return t, nil
}

// refusedWith tells what a token endpoint refuses with, as far as it is one of the
// codes that there are. Source: RFC 6749 5.2.
func refusedWith(status int, answer map[string]any) string {
	code, _ := answer["error"].(string)
	if !slices.Contains([]string{
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	}, code) {
		return fmt.Sprintf("status %d", status)
	}
	return fmt.Sprintf("status %d, %s", status, code)
}

// userInfo asks the userinfo endpoint for the claims of the subject.
// Source: OpenID Connect Core 5.3.
func userInfo(ctx context.Context, client *http.Client, p *Provider, access, subject string) (map[string]any, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserInfoEndpoint, http.NoBody)
	if err != nil {
		return nil, errors.New("the address of the userinfo endpoint is none")
	}
	req.Header.Set("Authorization", "Bearer "+access)
	got, err := ask(client, req)
	if err != nil {
		return nil, unreachable(ctx.Err(), "userinfo", err)
	}
	if got.status != http.StatusOK {
		return nil, refuse(BadUserInfo, fmt.Sprintf("status %d", got.status))
	}
	claims, ok := object(got.body)
	if !ok {
		return nil, refuse(BadUserInfo, "it is not one JSON object")
	}
	if claims["sub"] != subject {
		return nil, refuse(WrongSubject, "the userinfo endpoint tells of somebody else")
	}
	return claims, nil
}

// keysOnly is what fetches keys: an answer is nothing but status 200 with a strict JSON
// object, and anything else an error.
type keysOnly struct{ client func() *http.Client }

// RoundTrip fetches keys.
func (k keysOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), flow.CallTimeout)
	defer cancel()
	got, err := ask(k.client(), req.Clone(ctx))
	if err != nil {
		return nil, err
	}
	if got.status != http.StatusOK {
		return nil, fmt.Errorf("status %d", got.status)
	}
	if _, ok := object(got.body); !ok {
		return nil, errors.New("not one JSON object")
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(got.body)),
		ContentLength: int64(len(got.body)), Request: req,
	}, nil
}
