// Package client is the other end of the device protocol: what an app on a phone does,
// for `doorward device` and for those who want to see it done. docs/devices.md
// describes the protocol.
package client

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"doorward/devices/proof"
)

// Doer sends requests.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Client is one device, paired or about to be.
type Client struct {
	Environment string // base address, with the environment's id and no slash at the end
	ID          string // empty: not paired
	Key         crypto.Signer
	HTTP        Doer
	Now         func() time.Time
	Random      io.Reader

	ahead time.Duration // of the server's clock before ours
}

// Problem is an answer that refuses.
type Problem struct {
	Status  int
	Code    string
	Message string
}

func (p *Problem) Error() string { return p.Message }

// Removed reports whether an error says that the device is not paired, or not any more.
func Removed(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusUnauthorized
}

// Registration is what the server knows of the device.
type Registration struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Name        string `json:"name"`
	Nickname    string `json:"nickname"`
	Environment struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"environment"`
	User        Person       `json:"user"`
	Application *Application `json:"application"`
	Blocked     bool         `json:"blocked"`
	LockedUntil time.Time    `json:"lockedUntil"`
	PairedAt    time.Time    `json:"pairedAt"`
	OTP         *Codes       `json:"otp"` // nil: the device computes none
}

// Person is whose device it is, and who wants to sign on.
type Person struct {
	Username string `json:"username"`
}

// Application is what somebody wants to sign on to.
type Application struct {
	Name string `json:"name"`
}

// Push is a sign-on that waits for an answer.
type Push struct {
	ID          string       `json:"id"`
	User        Person       `json:"user"`
	Application *Application `json:"application"`
	From        struct {
		Address string `json:"address"`
		Browser string `json:"browser"`
	} `json:"from"`
	Numbers   []string  `json:"numbers"` // one of which the sign-on shows; none: there is nothing to choose
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Listing are the pushes that wait, and by which mark that is known.
type Listing struct {
	Pushes []Push `json:"pushes"`
	Known  string `json:"known"`
}

// Verdict is what has become of a push.
type Verdict struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

// Pair uses a pairing key up; the client then is a device. alert may be empty.
func (c *Client) Pair(ctx context.Context, code, name, alert string) (Registration, error) {
	body := map[string]string{"code": code, "name": name}
	if alert != "" {
		body["alertToken"] = alert
	}
	c.ID = ""
	var r Registration
	if err := c.ask(ctx, http.MethodPost, "/pairings", body, &r); err != nil {
		return r, err
	}
	c.ID = r.ID
	return r, nil
}

// Show asks what the server knows of the device.
func (c *Client) Show(ctx context.Context) (Registration, error) {
	var r Registration
	return r, c.ask(ctx, http.MethodGet, "/device", nil, &r)
}

// Unpair removes the device.
func (c *Client) Unpair(ctx context.Context) error {
	return c.ask(ctx, http.MethodDelete, "/device", nil, nil)
}

// Pushes asks which sign-ons wait. It is answered when that is no longer what is known
// by the mark, and after wait at the latest; whole seconds, at most 25.
func (c *Client) Pushes(ctx context.Context, known string, wait time.Duration) (Listing, error) {
	query := url.Values{"known": {known}, "wait": {strconv.Itoa(int(wait / time.Second))}}
	var l Listing
	return l, c.ask(ctx, http.MethodGet, "/pushes?"+query.Encode(), nil, &l)
}

// Answer approves a push or rejects it. number is the one that was chosen; empty: none.
func (c *Client) Answer(ctx context.Context, id string, approve bool, number string) (Verdict, error) {
	body := map[string]string{"answer": "REJECT"}
	if approve {
		body["answer"] = "APPROVE"
		if number != "" {
			body["number"] = number
		}
	}
	var v Verdict
	return v, c.ask(ctx, http.MethodPost, "/pushes/"+url.PathEscape(id), body, &v)
}

// ask sends one request. Where the clocks are too far apart it goes by the server's,
// and asks again.
func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	for again := true; ; again = false {
		date, err := c.send(ctx, method, path, body, into)
		if !again || !Removed(err) || date.IsZero() {
			return err
		}
		ahead := date.Sub(c.Now())
		if off := ahead - c.ahead; off > -proof.Leeway/2 && off < proof.Leeway/2 {
			return err
		}
		c.ahead = ahead
	}
}

// longest is how much of an answer is read, in bytes.
const longest = 1 << 20

// send sends one request as it is, and returns what time the server says it is.
func (c *Client) send(ctx context.Context, method, path string, body, into any) (date time.Time, err error) {
	var sent []byte
	if body != nil {
		if sent, err = json.Marshal(body); err != nil {
			return date, err
		}
	}
	address := c.Environment + "/devices/v1" + path
	signed, err := proof.Sign(c.Key, c.ID, proof.Request{Method: method, URL: address, Body: sent}, c.Now().Add(c.ahead), c.Random)
	if err != nil {
		return date, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(sent))
	if err != nil {
		return date, err
	}
	r.Header.Set("Authorization", "Device "+signed)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(r)
	if err != nil {
		return date, err
	}
	defer func() { _ = res.Body.Close() }()
	date, _ = http.ParseTime(res.Header.Get("Date")) // zero: it does not say
	got, err := io.ReadAll(io.LimitReader(res.Body, longest))
	switch {
	case err != nil:
		return date, err
	case res.StatusCode >= http.StatusMultipleChoices:
		return date, problem(res.StatusCode, got)
	case into == nil:
		return date, nil
	}
	if err := json.Unmarshal(got, into); err != nil {
		return date, fmt.Errorf("the answer is not of this protocol: %w", err)
	}
	return date, nil
}

// problem reads an error body; what is none says its status.
func problem(status int, body []byte) error {
	var b struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Message string `json:"message"`
		} `json:"details"`
	}
	if json.Unmarshal(body, &b) != nil || b.Message == "" {
		return &Problem{Status: status, Message: fmt.Sprintf("the server answered with status %d", status)}
	}
	if len(b.Details) > 0 && b.Details[0].Message != "" {
		b.Message = b.Details[0].Message
	}
	return &Problem{Status: status, Code: b.Code, Message: b.Message}
}
