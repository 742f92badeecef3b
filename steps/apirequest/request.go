package apirequest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/placeholder"
)

// What a request may come to, in bytes.
const (
	maxURL  = 8 << 10
	maxBody = 64 << 10
)

// request makes one of an input with its placeholders filled in. The Failure has
// a detail for every value that cannot be sent where it stands.
func (m method) request(in map[string]any) (Request, *flow.Failure) {
	r := Request{Method: string(m), Header: http.Header{}}
	var wrong []flow.Detail
	text, _ := in["url"].(string)
	query, _ := in["query"].(map[string]any)
	if a, complaint := external.ReadAddress(withQuery(text, query)); complaint != "" || len(a.String()) > maxURL {
		wrong = append(wrong, unfit("url", "The URL cannot be made of the values that are to stand in it."))
	} else {
		r.URL, r.Origin = a.String(), a.Origin
	}
	headers, _ := in["headers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := placeholder.Text(headers[name])
		if external.HeaderFault(name) != "" || external.ValueFault(value) != "" {
			wrong = append(wrong, unfit("headers."+name, "The header cannot have the value that is to stand in it."))
			continue
		}
		r.Header.Set(name, value)
	}
	if body, ok := in["body"].(string); ok {
		r.Body = []byte(body)
		defaults(r.Header, "Content-Type")
	}
	defaults(r.Header, "Accept")
	if len(r.Body) > maxBody {
		wrong = append(wrong, flow.Detail{Code: flow.SizeLimitExceeded, Target: "body", Message: "The body is too long.", Inner: map[string]any{"maximumValue": maxBody}})
	}
	if len(wrong) > 0 {
		return Request{}, &flow.Failure{Code: string(flow.InvalidData), Message: flow.InvalidMessage, Details: wrong}
	}
	return r, nil
}

func unfit(target, message string) flow.Detail {
	return flow.Detail{Code: flow.InvalidValue, Target: target, Message: message}
}

// defaults sets a header that is not there: API_REQUEST speaks JSON.
func defaults(h http.Header, name string) {
	if h.Get(name) == "" {
		h.Set(name, "application/json")
	}
}

// withQuery adds parameters to a URL, each with one value.
func withQuery(address string, query map[string]any) string {
	if len(query) == 0 || address == "" {
		return address
	}
	values := url.Values{}
	for name, v := range query {
		values.Set(name, placeholder.Text(v))
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + values.Encode()
}
