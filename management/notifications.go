package management

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// notificationsKind is the name of the kind that says how SMS and calls are sent.
const notificationsKind = "notificationsSettings"

// Phones says by which channels messages of an environment leave.
type Phones interface {
	Reaches(env string, channel flow.Channel) bool
}

const (
	// testLife is how long a test message is worth sending.
	testLife = 5 * time.Minute

	// How many test messages go to one number, and from one environment, until there
	// was none for an hour: they cost money, and may reach whom nobody has asked.
	testsANumber       = 3
	testsAnEnvironment = 20
)

// testMessage is what is sent for a test. The media type is ours, since the
// reference has no such request.
func testMessage() operation {
	return operation{method: http.MethodPost, access: secrets, types: []string{ours + "notification.test" + jsonSuffix}, run: sendTest}
}

// testRoute is what has become of one.
func testRoute() route {
	return route{environmentPath + "/notificationsSettings/tests/:id", []operation{{method: http.MethodGet, access: reading, run: readTest}}}
}

// addressee is the body of a test: whom to send it to, and how.
type addressee struct {
	DeliveryMethod string `json:"deliveryMethod" required:"true"`
	To             string `json:"to" required:"true"`
	Locale         string `json:"locale" max:"64"`
}

func (in addressee) channel() (flow.Channel, error) {
	channels := []flow.Channel{flow.SMS, flow.Voice}
	channel := flow.Channel(in.DeliveryMethod)
	switch {
	case !slices.Contains(channels, channel):
		return "", flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "deliveryMethod", Pointer: "/deliveryMethod", Message: "deliveryMethod takes SMS or VOICE.",
			Inner: map[string]any{"allowedValues": channels},
		})
	case !flow.E164(in.To):
		return "", flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "to", Pointer: "/to",
			Message: "to takes a number with a plus and its country's code, of digits alone: +15125551111.",
		})
	}
	return channel, nil
}

// sendTest puts a message into the outbox that leaves as every other one does.
func sendTest(c *call) (*answer, error) {
	in, err := input[addressee](c)
	if err != nil {
		return nil, err
	}
	channel, err := in.channel()
	if err != nil {
		return nil, err
	}
	if !c.api.Phones.Reaches(c.env, channel) {
		return nil, failed(flow.Detail{
			Code: flow.ConstraintViolation, Target: "deliveryMethod", Pointer: "/deliveryMethod",
			Message: fmt.Sprintf("Nothing says how %s is sent: put the request of an external service into notificationsSettings first.", channel),
		})
	}
	code, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	id, err := c.api.Outbox.Post(c.Context(), directory.Posting{
		Message: flow.Message{
			Env: c.env, Channel: channel, Template: flow.TestMessage, To: in.To, Locales: in.Locale,
			Params: map[string]string{"code": fmt.Sprintf("%06d", code)}, ExpiresAt: c.api.Now().Add(testLife),
		},
		Limits: []directory.Most{{Kind: "test", Of: in.To, Number: testsANumber}, {Kind: "tests", Of: c.env, Number: testsAnEnvironment}},
	})
	if err != nil {
		return nil, unserved(err)
	}
	if id == "" {
		c.api.record(c, flow.Event{Type: flow.RequestLimited, Reason: notificationsKind})
		return nil, &flow.Fault{
			Code: flow.Limited, RetryAfter: time.Hour,
			Message: fmt.Sprintf("That number has got %d test messages of late, or the environment has sent %d. Wait an hour.", testsANumber, testsAnEnvironment),
		}
	}
	c.api.record(c, flow.Event{Type: flow.ManagementInvoked, Reason: notificationsKind + " " + string(channel)})
	c.api.Posted()
	shown, err := c.test(id)
	if err != nil {
		return nil, err
	}
	return created(c.testURL(id), shown)
}

func readTest(c *call) (*answer, error) {
	shown, err := c.test(c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return ok(shown)
}

func (c *call) testURL(id string) string { return c.base() + "/notificationsSettings/tests/" + id }

// test shows what has become of a test message, and neither its number nor its code.
func (c *call) test(id string) (object, error) {
	d, err := c.api.Outbox.Delivery(c.Context(), c.env, flow.TestMessage, id)
	if errors.Is(err, flow.ErrUnknown) {
		return nil, notFound()
	}
	if err != nil {
		return nil, unserved(err)
	}
	status := "WAITING"
	switch {
	case d.Sent:
		status = "SENT"
	case d.Done:
		status = "DROPPED"
	}
	l := links("self", c.testURL(id), "environment", c.base(), notificationsKind, c.base()+"/notificationsSettings")
	o := object{{"_links", l}, {"id", id}, {"environment", relation(c.env)}, {"deliveryMethod", d.Channel}, {"status", status}, {"tries", d.Tries}}
	if d.Reason != "" {
		o = o.with("reason", d.Reason)
	}
	return o.time("createdAt", d.CreatedAt).time("completedAt", d.DoneAt).time("expiresAt", d.ExpiresAt), nil
}
