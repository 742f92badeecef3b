package authentications

import (
	"net/http"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/wire"
)

// read looks at one. What waits for a phone is looked at anew.
func (f *Face) read(c *call) (answer, error) {
	v, err := f.Engine.View(c.Context(), c.ref, c.caller)
	return answer{http.StatusOK, v}, err
}

// act submits the action that the content type names.
func (f *Face) act(c *call) (answer, error) {
	action, err := f.action(c)
	if err != nil {
		return answer{}, f.seen(c, err)
	}
	values, err := wire.DecodeValues(c.body)
	if err != nil {
		return answer{}, f.seen(c, err)
	}
	v, err := f.Engine.Act(c.Context(), c.ref, c.caller, flow.Submit{
		Action: action, Values: values, Token: wire.TokenOf(c.Header.Get("If-Match")), Key: c.Header.Get("Idempotency-Key"),
	})
	return answer{http.StatusOK, v}, err
}

// action is the one that is asked for, as its kind writes it.
func (f *Face) action(c *call) (string, error) {
	sent, err := wire.ActionOf(c.Header.Values("Content-Type"))
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(actions(), func(name string) bool { return strings.EqualFold(name, sent) })
	if i < 0 {
		return "", &flow.Fault{
			Code: flow.InvalidRequest, Message: "The action is not offered here. Send one of those in _links.",
			Details: []flow.Detail{{Code: flow.ActionNotOffered, Target: "Content-Type", Message: "A device authentication takes no such action.", Inner: map[string]any{"allowedValues": actions()}}},
		}
	}
	return actions()[i], nil
}

// seen adds to a fault of the request's form what is offered now. Whose it is not
// learns nothing.
func (f *Face) seen(c *call, err error) error {
	fault := *flow.AsFault(err)
	v, err := f.Engine.View(c.Context(), c.ref, c.caller)
	if err != nil {
		return err
	}
	fault.View = &v
	return &fault
}
