package wire

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// StatusOf is the one mapping from fault codes to HTTP statuses.
// Source: reference/flows.md 6.2.
func StatusOf(c flow.Code) int {
	switch c {
	case flow.InvalidData, flow.InvalidRequest, flow.RequestFailed:
		return http.StatusBadRequest
	case flow.InvalidToken:
		return http.StatusUnauthorized
	case flow.AccessFailed:
		return http.StatusForbidden
	case flow.NotFound:
		return http.StatusNotFound
	case flow.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case flow.Conflict:
		return http.StatusConflict
	case flow.TooLarge:
		return http.StatusRequestEntityTooLarge
	case flow.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case flow.Misdirected:
		return http.StatusMisdirectedRequest
	case flow.Limited:
		return http.StatusTooManyRequests
	case flow.Unavailable:
		return http.StatusServiceUnavailable
	case flow.Unexpected:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Problem writes a fault as the error body {id, code, message, details, _links}
// with its status and header fields. id is a UUID that the log line of the
// failure carries too. _links holds what may be done next: start again, or the
// execution with the actions it offers; a conflict embeds the execution itself.
// The fault's Err stays inside.
//
// Source: reference/flows.md 6.1, 6.4. _links, _embedded and pointer are ours.
func Problem(f *flow.Fault, id string, p Place) (status int, body []byte, header map[string]string) {
	b := make([]byte, 0, 1024)
	b = appendMember(b, `{"id":`, id)
	b = appendMember(b, `,"code":`, string(f.Code))
	b = appendMember(b, `,"message":`, f.Message)
	b = appendDetails(b, f.Details)
	b = appendNext(b, f, p)
	if f.Code == flow.Conflict && f.View != nil {
		b = append(b, `,"_embedded":{"flow":`...)
		b = append(append(b, Encode(*f.View, p)...), '}')
	}
	return StatusOf(f.Code), append(b, '}'), problemHeader(f)
}

func problemHeader(f *flow.Fault) map[string]string {
	h := map[string]string{"Content-Type": JSON, "Cache-Control": "no-store"}
	if f.Code == flow.Limited || f.Code == flow.Unavailable {
		h["Retry-After"] = strconv.FormatInt(max(1, int64((f.RetryAfter+time.Second-1)/time.Second)), 10)
	}
	if f.Code == flow.UnsupportedMedia && f.View != nil {
		types := make([]string, len(f.View.Offers))
		for i, o := range f.View.Offers {
			types[i] = MediaType(o.Name)
		}
		h["Accept"] = strings.Join(types, ", ")
	}
	return h
}

func appendNext(b []byte, f *flow.Fault, p Place) []byte {
	b = append(b, ',')
	switch {
	case f.View != nil:
		return appendLinks(b, f.View, p)
	case f.Restart && p.Restart != "":
		return append(appendLink(append(b, `"_links":{`...), "restart", p.Restart), '}')
	case !f.Restart && p.Self != "":
		return append(appendLink(append(b, `"_links":{`...), "self", p.Self), '}')
	}
	return append(b, `"_links":{}`...)
}

// appendDetails writes the member details, if there are any.
func appendDetails(b []byte, list []flow.Detail) []byte {
	lead := `,"details":[`
	for i := range list {
		b = appendDetail(append(b, lead...), &list[i])
		lead = ","
	}
	if len(list) > 0 {
		b = append(b, ']')
	}
	return b
}

func appendDetail(b []byte, d *flow.Detail) []byte {
	b = appendMember(b, `{"code":`, d.Code)
	if d.Target != "" {
		b = appendMember(b, `,"target":`, d.Target)
	}
	if d.Pointer != "" {
		b = appendMember(b, `,"pointer":`, d.Pointer)
	}
	b = appendMember(b, `,"message":`, d.Message)
	lead := `,"innerError":{`
	for _, name := range slices.Sorted(maps.Keys(d.Inner)) {
		b = append(appendMember(b, lead, name), ':')
		b = appendInner(b, d.Inner[name])
		lead = ","
	}
	if len(d.Inner) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendInner writes what innerError members are made of: numbers, texts, lists
// of texts. Source: reference/flows.md 6.4.
func appendInner(b []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return appendInt(b, v)
	case int64: // as a store gives it back
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	case string:
		return appendString(b, v)
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.Type().Elem().Kind() == reflect.String { // of a type of its own
		texts := make([]string, list.Len())
		for i := range texts {
			texts[i] = list.Index(i).String()
		}
		return appendInner(b, texts)
	}
	return appendString(b, fmt.Sprint(v))
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
