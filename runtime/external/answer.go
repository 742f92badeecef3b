package external

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"doorward/runtime/document"
)

// ParseAnswer reads the body of an answer: one JSON value in UTF-8 with each name
// once, at most 32 levels deep, its numbers, which a double can come near to, as
// json.Number. No body is nil, and so is one of another media type whose status is
// 400 or more: servers in trouble answer with pages.
func ParseAnswer(status int, header http.Header, body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if said := header.Get("Content-Type"); said != "" && !isJSON(said) {
		if status >= http.StatusBadRequest {
			return nil, nil
		}
		return nil, fmt.Errorf("media type %q is not JSON", said)
	}
	return decode(body)
}

func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	return err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) &&
		(charset == "" || strings.EqualFold(charset, "utf-8"))
}

// AnswerValue is an answer as expressions see it: status, headers by their names in
// lower case, and body. Source: reference/management.md 1.4.
func AnswerValue(status int, header http.Header, body any) map[string]any {
	headers := make(map[string]any, len(header))
	for name, values := range header {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	return map[string]any{"status": int64(status), "headers": headers, "body": body}
}

// decode reads one JSON value.
func decode(text []byte) (any, error) { return document.Decode(text, document.Number) }
