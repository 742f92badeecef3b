package management

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"doorward/runtime/flow"
	"doorward/wire"
)

// bodyLimit is the largest body, in bytes.
const bodyLimit = 1 << 20

// The media types. Source: reference/management.md 7.1.
const (
	jsonType   = "application/json"
	halType    = "application/hal+json;charset=UTF-8"
	vendor     = "application/vnd.pingidentity."
	ours       = "application/vnd.doorward."
	jsonSuffix = "+json"
)

// action are the media types of a vendor's action; some clients leave out +json.
// Source: reference/management.md 10.
func action(name string) []string { return []string{vendor + name + jsonSuffix, vendor + name} }

// choose takes, of the operations of a method, the one whose media type the
// request has, and reads the body.
func (c *call) choose(fit []operation, h http.Header) (operation, error) {
	i := slices.IndexFunc(fit, func(o operation) bool { return len(o.types) == 0 })
	if i >= 0 && c.ContentLength == 0 {
		return fit[i], nil
	}
	var taken []string
	for _, o := range fit {
		taken = append(taken, o.types...)
	}
	if len(taken) == 0 {
		return operation{}, invalidRequest(flow.Detail{Code: flow.InvalidValue, Message: "The request takes no body."})
	}
	media, err := wire.TypeOf(c.Header.Values("Content-Type"))
	if err == nil {
		for _, o := range fit {
			if slices.ContainsFunc(o.types, func(t string) bool { return strings.ToLower(t) == media }) {
				c.media = media
				return o, c.readBody()
			}
		}
		err = &flow.Fault{Code: flow.UnsupportedMedia}
	}
	if f := flow.AsFault(err); f.Code == flow.UnsupportedMedia {
		h.Set("Accept", strings.Join(taken, ", "))
		err = &flow.Fault{Code: flow.UnsupportedMedia, Message: "The body's content type is not taken here. Send one of " + strings.Join(taken, ", ") + "."}
	}
	return operation{}, err
}

func (c *call) readBody() error {
	b, err := io.ReadAll(io.LimitReader(c.Body, bodyLimit+1))
	if err != nil {
		return &flow.Fault{Code: flow.InvalidRequest, Message: "The body could not be read; send it again, whole.", Err: err}
	}
	if len(b) > bodyLimit {
		return &flow.Fault{Code: flow.TooLarge, Message: "The body is over 1 MiB; send a smaller one."}
	}
	c.body = b
	return nil
}

// document is the body as one JSON object. Source: reference/management.md 7.1.
func (c *call) document() (flow.Values, error) {
	if len(c.body) == 0 {
		return nil, &flow.Fault{Code: flow.InvalidRequest, Message: "The body must be one JSON object."}
	}
	return wire.DecodeValues(c.body)
}

// input reads the small body of an action. An empty one is an object without
// members.
func input[In any](c *call) (In, error) {
	var in In
	v, err := wire.DecodeValues(c.body)
	if err != nil {
		return in, err
	}
	if f := flow.Bind(v, flow.FieldsOf[In](), &in); f != nil {
		for i := range f.Details {
			f.Details[i].Pointer = pointer(f.Details[i].Target)
		}
		return in, f
	}
	return in, nil
}

// pointer is where a member with a dotted name stands. Source: RFC 6901.
func pointer(dotted string) string {
	return "/" + strings.ReplaceAll(escaped(dotted), ".", "/")
}

// escaped is a name as a JSON Pointer writes it. Source: RFC 6901 3.
func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// readParams takes the query parameters that the operation knows, each once, and
// no others.
func (c *call) readParams(known []string) error {
	query, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return invalidRequest(flow.Detail{Code: flow.InvalidParameter, Message: "The query is not well-formed."})
	}
	c.params = map[string]string{}
	var details []flow.Detail
	for name, values := range query {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			details = append(details, flow.Detail{Code: flow.InvalidParameter, Target: printable(name), Message: "This address takes no query parameters."})
		case !slices.Contains(known, name):
			details = append(details, flow.Detail{Code: flow.InvalidParameter, Target: printable(name), Message: "This address does not take the query parameter; it takes " + strings.Join(known, ", ") + "."})
		case len(values) > 1:
			details = append(details, flow.Detail{Code: flow.InvalidParameter, Target: name, Message: "The query parameter was sent more than once."})
		default:
			c.params[name] = values[0]
		}
	}
	if len(details) > 0 {
		slices.SortFunc(details, func(a, b flow.Detail) int { return strings.Compare(a.Target, b.Target) })
		return invalidRequest(details[:min(len(details), 10)]...)
	}
	return nil
}

// param is a query parameter, and whether it was sent.
func (c *call) param(name string) (string, bool) {
	v, sent := c.params[name]
	return v, sent
}

// pageSize is the parameter limit: what is more than there is on a page is all
// of it. Source: reference/management.md 7.3.
func (c *call) pageSize() (int, error) {
	text, sent := c.param("limit")
	if !sent {
		return pageMax, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange) && text[0] != '-':
		return pageMax, nil
	case err != nil || n < 1:
		return 0, parameter("limit", "limit takes a whole number from 1.")
	}
	return min(n, pageMax), nil
}

// oneOf is a parameter that has one or several of a closed list of values,
// divided by commas.
func (c *call) oneOf(name string, values ...string) ([]string, error) {
	text, sent := c.param(name)
	if !sent || text == "" {
		return nil, nil
	}
	got := strings.Split(text, ",")
	for _, v := range got {
		if !slices.Contains(values, v) {
			return nil, parameter(name, name+" takes "+strings.Join(values, ", ")+".")
		}
	}
	return got, nil
}

// printable is a name of the sender's as it may be repeated.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "")
	}
	return name
}
