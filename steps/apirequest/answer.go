package apirequest

import (
	"strings"

	"doorward/runtime/external"
)

// outputs is an answer as later steps read it. Of a body that is not JSON nothing
// is kept; one that says it is and cannot be read is no answer. Cookies are the
// service's with whoever asks, which is nobody who reads this.
func (a Answer) outputs() (map[string]any, error) {
	body, err := external.ParseAnswer(a.Status, a.Header, a.Body)
	if err != nil && strings.Contains(strings.ToLower(a.Header.Get("Content-Type")), "json") {
		return nil, &external.Error{Code: external.NoResponse, Message: "The service answered with something else than one JSON value.", Reason: err}
	}
	header := a.Header.Clone()
	header.Del("Set-Cookie")
	out := external.AnswerValue(a.Status, header, body)
	if body == nil {
		delete(out, "body")
	}
	return out, nil
}
