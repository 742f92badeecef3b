package devices

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/wire"
)

const (
	// longestWait is how long a request may wait for news, in seconds: less than
	// proxies let a connection be silent for.
	longestWait = 25
	readTime    = 10 * time.Second // of what is done before and after
)

// list shows the pushes that wait for the device. With known, the mark of what it has
// been shown, and wait, it is not answered before there is something else to show.
func (f *Face) list(c *call) (*answer, error) {
	if err := blocked(c); err != nil {
		return nil, err
	}
	query, wait, err := waiting(c.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	username, err := f.Names.Username(c.Context(), c.env, c.device.UserID)
	if err != nil {
		return nil, flow.Unserved(err)
	}
	// The deadline of other requests is shorter than the wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), wait+readTime)
	defer cancel()
	bell, leave, entered := f.waiters.wait(place{c.env, c.device.ID})
	if !entered {
		return nil, &flow.Fault{Code: flow.Unavailable, RetryAfter: 10 * time.Second, Message: "Too many devices wait here. Ask again in the seconds that Retry-After names."}
	}
	defer leave()
	over := time.NewTimer(wait)
	defer over.Stop()
	for news := false; ; {
		pushes, err := f.Pushes.Pushes(ctx, c.env, c.device.ID)
		if err != nil {
			return nil, flow.Unserved(err)
		}
		mark := markOf(pushes)
		if wait == 0 || mark != query.Get("known") || news {
			return &answer{http.StatusOK, f.listed(pushes, mark, username)}, nil
		}
		select {
		case <-bell:
		case <-over.C:
			news = true
		case <-f.Stopping:
			news = true
		}
	}
}

// waiting reads the query of list.
func waiting(raw string) (url.Values, time.Duration, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, 0, parameter("", "The query is not well-formed.")
	}
	for name, values := range query {
		if name != "known" && name != "wait" || len(values) > 1 {
			return nil, 0, parameter("", "This address takes the query parameters known and wait, each once.")
		}
	}
	if !query.Has("wait") {
		return query, 0, nil
	}
	n, err := strconv.Atoi(query.Get("wait"))
	if err != nil || n < 0 || n > longestWait {
		return nil, 0, parameter("wait", "wait takes 0 to 25 seconds.")
	}
	return query, time.Duration(n) * time.Second, nil
}

func parameter(name, message string) *flow.Fault {
	return &flow.Fault{
		Code: flow.InvalidRequest, Message: "The request could not be completed. The request was malformed or invalid.",
		Details: []flow.Detail{{Code: flow.InvalidParameter, Target: name, Message: message}},
	}
}

// markOf tells one list of pushes from another.
func markOf(pushes []device.Push) string {
	h := sha256.New()
	for i := range pushes {
		_, _ = h.Write([]byte(pushes[i].ID)) // never fails; see hash.Hash
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// listing is the answer of list.
type listing struct {
	Pushes []shownPush `json:"pushes"`
	Known  string      `json:"known"`
}

// shownPush is what a person sees of a sign-on before they answer.
type shownPush struct {
	ID          string       `json:"id"`
	User        person       `json:"user"`
	Application *application `json:"application,omitempty"`
	From        origin       `json:"from"`
	Numbers     []string     `json:"numbers,omitempty"`
	CreatedAt   string       `json:"createdAt"`
	ExpiresAt   string       `json:"expiresAt"`
}

// origin is where a sign-on comes from.
type origin struct {
	Address string `json:"address,omitempty"`
	Browser string `json:"browser"`
}

func (f *Face) listed(pushes []device.Push, mark, username string) listing {
	out := listing{Pushes: make([]shownPush, len(pushes)), Known: mark}
	for i := range pushes {
		p := &pushes[i]
		address, agent := p.From()
		out.Pushes[i] = shownPush{
			ID: p.ID, User: person{username}, From: origin{address, browserOf(agent)}, Numbers: f.numbers(p),
			CreatedAt: wire.Timestamp(p.CreatedAt), ExpiresAt: wire.Timestamp(p.ExpiresAt),
		}
		if p.Application != "" {
			out.Pushes[i].Application = &application{p.Application}
		}
	}
	return out
}

// The answers to a push.
const (
	approve = "APPROVE"
	reject  = "REJECT"
)

// reply is what a device says to a push.
type reply struct {
	Answer string `json:"answer" required:"true" max:"16"`
	Number string `json:"number" max:"16"`
}

// verdict is what has become of a push.
type verdict struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"` // WRONG_NUMBER, or none
}

// answer takes what the person says. A push is answered once; the same answer again is
// told what the first was.
func (f *Face) answer(c *call) (*answer, error) {
	in, err := input[reply](c)
	if err != nil {
		return nil, err
	}
	if in.Answer != approve && in.Answer != reject {
		return nil, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "answer", Message: "answer takes APPROVE or REJECT.", Inner: map[string]any{"allowedValues": []string{approve, reject}},
		})
	}
	if err := f.mayAnswer(c, in.Answer == approve); err != nil {
		return nil, err
	}
	id := c.PathValue("id")
	none := &flow.Fault{Code: flow.NotFound, Message: "No sign-on of this id waits for this device. Ask for the list again."}
	if !isID(id) {
		return nil, none
	}
	p, err := f.Pushes.Push(c.Context(), c.env, c.device.ID, id)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return nil, none
	case err != nil:
		return nil, flow.Unserved(err)
	}
	return f.answered(c, p, in)
}

// answered is the answer to a push of the device's own.
func (f *Face) answered(c *call, p device.Push, in reply) (*answer, error) {
	yes, reason := in.Answer == approve, ""
	if yes && p.Number != "" {
		if in.Number == "" && p.State == device.PushPending {
			return nil, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "number", Message: "Send the number that the person has chosen: one of numbers."})
		}
		if subtle.ConstantTimeCompare([]byte(in.Number), []byte(p.Number)) != 1 {
			yes, reason = false, "WRONG_NUMBER"
		}
	}
	if p.State == device.PushPending {
		var err error
		if p, err = f.Pushes.AnswerPush(c.Context(), c.env, c.device.ID, p.ID, yes); err != nil {
			return nil, flow.Unserved(err)
		}
		if !yes && p.State == device.PushRejected {
			f.record(c, flow.Event{Type: flow.PushRejected, Flow: p.Flow, Application: c.device.Application, Reason: reason})
		}
	}
	switch {
	case yes && p.State == device.PushApproved, !yes && p.State == device.PushRejected:
		return &answer{http.StatusOK, verdict{p.ID, string(p.State), reason}}, nil
	case p.State == device.PushPending: // blocked meanwhile
		return nil, blockedFault()
	case p.State == device.PushGone:
		return nil, &flow.Fault{Code: flow.Conflict, Message: "The sign-on no longer waits: it has timed out or was given up. Nothing was changed."}
	}
	return nil, &flow.Fault{Code: flow.Conflict, Message: "The sign-on has been answered, and otherwise. Nothing was changed."}
}

// mayAnswer refuses a device that may not vouch for anybody; one that is locked may
// still say no.
func (f *Face) mayAnswer(c *call, yes bool) error {
	if err := blocked(c); err != nil {
		return err
	}
	if until := c.device.LockedUntil; yes && until.After(f.Now()) {
		return &flow.Fault{
			Code: flow.AccessFailed, Message: "The device is locked after too many wrong answers. Wait until " + wire.Timestamp(until) + ", or sign on in another way.",
		}
	}
	return nil
}

// blocked refuses a device that somebody has blocked.
func blocked(c *call) error {
	if c.device.BlockedAt.IsZero() {
		return nil
	}
	return blockedFault()
}

func blockedFault() *flow.Fault {
	return &flow.Fault{Code: flow.AccessFailed, Message: "The device is blocked. Ask your administrator to unblock it."}
}
