package external

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorward/runtime/flow"
)

// How long an access token is used.
const (
	tokenLife   = 5 * time.Minute // where the answer does not say
	longestLife = 24 * time.Hour
	tokenMargin = 30 * time.Second // before its end, at most a tenth of its life
	maxTokens   = 4096             // kept at once
)

// tokens are the access tokens that are good. Each is asked for by one call at a
// time; the others wait for it.
type tokens struct {
	mu    sync.Mutex
	good  map[tokenKey]token
	asked map[tokenKey]*asking
}

func newTokens() *tokens {
	return &tokens{good: map[tokenKey]token{}, asked: map[tokenKey]*asking{}}
}

// tokenKey is what a token is good for. The digest is of everything that it is
// asked for with, so that another secret is another token.
type tokenKey struct {
	env, service, scheme string
	digest               [sha256.Size]byte
}

type token struct {
	value string
	until time.Time
}

// asking is a token on its way.
type asking struct {
	done  chan struct{}
	token token
	err   error
}

// grant is how a token is got.
type grant struct {
	key tokenKey
	now func() time.Time
	ask func(ctx context.Context) (token, error)
}

// get is a good token: one that is kept, or a new one.
func (t *tokens) get(ctx context.Context, g grant) (string, error) {
	t.mu.Lock()
	if kept, is := t.good[g.key]; is && g.now().Before(kept.until) {
		t.mu.Unlock()
		return kept.value, nil
	}
	a := t.asked[g.key]
	if a == nil {
		a = &asking{done: make(chan struct{})}
		t.asked[g.key] = a
		go t.ask(context.WithoutCancel(ctx), g, a)
	}
	t.mu.Unlock()
	select {
	case <-a.done:
		return a.token.value, a.err
	case <-ctx.Done():
		e := &Error{Code: Timeout, Message: "No access token was received from the token endpoint in the time allowed.", Reason: ctx.Err()}
		if errors.Is(ctx.Err(), context.Canceled) {
			e.Code, e.Message = InvocationFailed, "The call of the external service was given up."
		}
		return "", e
	}
}

// ask is for all who wait, and outlives the one who began it.
func (t *tokens) ask(ctx context.Context, g grant, a *asking) {
	ctx, cancel := context.WithTimeout(ctx, flow.CallTimeout)
	defer cancel()
	a.token, a.err = g.ask(ctx)
	t.mu.Lock()
	delete(t.asked, g.key)
	if a.err == nil {
		t.keep(g.key, a.token, g.now())
	}
	t.mu.Unlock()
	close(a.done)
}

// keep makes room first: what is over goes, and anything if that is not enough.
func (t *tokens) keep(key tokenKey, fresh token, now time.Time) {
	if len(t.good) >= maxTokens {
		for k, one := range t.good {
			if !now.Before(one.until) || len(t.good) >= maxTokens {
				delete(t.good, k)
			}
		}
	}
	t.good[key] = fresh
}

// drop forgets a token that was refused, unless there is another by now.
func (t *tokens) drop(key tokenKey, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.good[key].value == value {
		delete(t.good, key)
	}
}

// grant is that of a scheme and its secret of this minute.
func (s *Services) grant(in Invocation, of *scheme, secret string) grant {
	h := sha256.New()
	for _, part := range []string{of.endpoint.String(), of.user, secret, of.scope, strconv.FormatBool(of.posted)} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // cannot fail, here and below
		_, _ = h.Write([]byte(part))
	}
	g := grant{key: tokenKey{env: in.Env, service: in.ServiceID, scheme: of.name}, now: s.now}
	h.Sum(g.key.digest[:0])
	g.ask = func(ctx context.Context) (token, error) {
		answer, err := s.call(ctx, of.tokenRequest(in.Env, secret))
		if err != nil {
			return token{}, ofToken(err)
		}
		return readToken(answer, s.now())
	}
	return g
}

// tokenRequest asks for a token. Source: RFC 6749 4.4.2 and 2.3.1.
func (s *scheme) tokenRequest(env, secret string) Outbound {
	form := url.Values{"grant_type": {"client_credentials"}}
	if s.scope != "" {
		form.Set("scope", s.scope)
	}
	headers := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	if s.posted {
		form.Set("client_id", s.user)
		form.Set("client_secret", secret)
	} else {
		pair := url.QueryEscape(s.user) + ":" + url.QueryEscape(secret)
		headers.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return Outbound{
		Env: env, Target: s.endpoint.Origin, Origin: s.endpoint.Origin,
		Method: http.MethodPost, URL: s.endpoint.String(), Header: headers, Body: []byte(form.Encode()),
	}
}

// ofToken says that it was the token endpoint that failed.
func ofToken(err error) *Error {
	e := *asError(err)
	e.Message = "No access token: " + e.Message
	return &e
}

// readToken reads the answer of a token endpoint. What it says of an error stays in
// the log but for the code. Source: RFC 6749 5.1 and 5.2.
func readToken(answer Inbound, now time.Time) (token, error) {
	var said struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
		Life  any    `json:"expires_in"`
		Error string `json:"error"`
	}
	err := json.Unmarshal(answer.Body, &said)
	if answer.Status != http.StatusOK {
		e := misconfigured(fmt.Sprintf("No access token: the token endpoint answered with status %d.", answer.Status))
		if answer.Status == http.StatusTooManyRequests || answer.Status >= http.StatusInternalServerError {
			e.Code, e.RetryAfter = TooMany, retryAfter(answer.Header.Get("Retry-After"), now)
		}
		e.Reason = fmt.Errorf("token endpoint: status %d, error %.40q", answer.Status, said.Error)
		return token{}, e
	}
	usable := said.Token != "" && ValueFault(said.Token) == "" && !strings.ContainsAny(said.Token, " \t")
	if err != nil || !usable || said.Type != "" && !strings.EqualFold(said.Type, "Bearer") {
		return token{}, &Error{
			Code: InvocationError, Message: "No access token: the token endpoint answered with something else than a bearer token.", Reason: err,
		}
	}
	life := lifeOf(said.Life)
	return token{said.Token, now.Add(life - min(tokenMargin, life/10))}, nil
}

// retryAfter is at most an hour; 0: not said. Source: RFC 9110 10.2.3.
func retryAfter(said string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(said, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		wait = at.Sub(now)
	}
	return min(max(0, wait), time.Hour)
}

// lifeOf reads seconds, which some servers write as a string.
func lifeOf(v any) time.Duration {
	seconds, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	switch {
	case err != nil:
		return tokenLife
	case seconds <= 0:
		return 0
	case seconds >= longestLife.Seconds():
		return longestLife
	}
	return time.Duration(seconds * float64(time.Second))
}
