package wire

import (
	"strings"

	"doorward/runtime/flow"
)

// The media types of what we send.
const (
	// HAL is the type of a flow resource.
	HAL = "application/hal+json;charset=UTF-8"
	// JSON is the type of an error body. Source: reference/flows.md 6.1.
	JSON = "application/json;charset=UTF-8"
)

const (
	mediaPrefix = "application/vnd.pingidentity."
	mediaSuffix = "+json"
	// suffixless is the one action that is also taken without +json, since
	// the published table lists it so. Source: reference/flows.md 0 rule 11.
	suffixless = "password.sendRecoveryCode"
)

// MediaType is the content type that submits an action.
func MediaType(action string) string { return mediaPrefix + action + mediaSuffix }

// ActionOf returns the action that the Content-Type field lines of a request
// name, in the spelling of the client: media types compare without case. The
// only parameter it takes is charset=utf-8. No line or another type is
// UnsupportedMedia, two lines are InvalidRequest.
//
// Source: reference/flows.md 5.1; RFC 9110 8.3.
func ActionOf(contentType []string) (string, error) {
	switch len(contentType) {
	case 0:
		return "", unsupported("The content type is missing; it names the action.")
	case 1:
	default:
		return "", &flow.Fault{Code: flow.InvalidRequest, Message: "The request has more than one content type."}
	}
	media, ok := bareType(contentType[0])
	if !ok || !hasPrefixFold(media, mediaPrefix) {
		return "", unsupported("The content type names no action.")
	}
	action := media[len(mediaPrefix):]
	if n := len(action) - len(mediaSuffix); n > 0 && strings.EqualFold(action[n:], mediaSuffix) {
		action = action[:n]
	} else if !strings.EqualFold(action, suffixless) {
		return "", unsupported("The content type names no action.")
	}
	if !isName(action) {
		return "", unsupported("The content type names no action.")
	}
	return action, nil
}

// IsForm reports whether the Content-Type field lines are those of an HTML form,
// application/x-www-form-urlencoded, by the same rules as ActionOf.
func IsForm(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	media, ok := bareType(contentType[0])
	return ok && strings.EqualFold(media, "application/x-www-form-urlencoded")
}

// TypeOf is the media type that the Content-Type field lines of a request name,
// in lower case and without its charset, by the same rules as ActionOf.
func TypeOf(contentType []string) (string, error) {
	switch len(contentType) {
	case 0:
		return "", unsupported("The content type is missing.")
	case 1:
	default:
		return "", &flow.Fault{Code: flow.InvalidRequest, Message: "The request has more than one content type."}
	}
	media, ok := bareType(contentType[0])
	if !ok {
		return "", unsupported("The content type has a parameter that is not taken; charset=utf-8 is the only one.")
	}
	return strings.ToLower(media), nil
}

func unsupported(message string) *flow.Fault {
	return &flow.Fault{Code: flow.UnsupportedMedia, Message: message}
}

// bareType cuts off the parameters, of which there may be one charset=utf-8.
func bareType(s string) (string, bool) {
	media, params, more := strings.Cut(s, ";")
	if more {
		name, value, _ := strings.Cut(strings.Trim(params, " \t"), "=")
		if !strings.EqualFold(name, "charset") || !strings.EqualFold(strings.Trim(value, `"`), "utf-8") {
			return "", false
		}
	}
	return strings.Trim(media, " \t"), true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// isName reports whether s has the shape of an action name: letters, digits,
// dots and hyphens, at most 64 of them.
func isName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
