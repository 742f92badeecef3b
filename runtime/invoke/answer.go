package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// take reads an answer whole or refuses it.
func (s *sending) take(res *http.Response) (*Answer, *Error) {
	defer res.Body.Close()
	if res.StatusCode < 200 {
		return nil, s.refuse(res, fmt.Errorf("status %d", res.StatusCode))
	}
	if s.method == http.MethodHead {
		return &Answer{Status: res.StatusCode, Header: res.Header}, nil
	}
	if e := res.Header.Values("Content-Encoding"); len(e) > 1 || len(e) == 1 && !strings.EqualFold(e[0], "identity") {
		return nil, s.refuse(res, fmt.Errorf("content encoding %q", e))
	}
	if res.ContentLength > MaxBody {
		return nil, s.refuse(res, fmt.Errorf("body of %d bytes", res.ContentLength))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	if err != nil {
		return nil, failed(s.gone, fmt.Errorf("read the answer: %w", err))
	}
	if len(body) > MaxBody {
		return nil, s.refuse(res, fmt.Errorf("body over %d bytes", MaxBody))
	}
	if s.json && len(body) > 0 {
		if err := oneJSON(res.Header.Get("Content-Type"), body); err != nil {
			return nil, s.refuse(res, err)
		}
	}
	return &Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// refuse is for an answer that is not taken. A person's input may have made it so,
// which is why only a 5xx is the target's fault.
func (s *sending) refuse(res *http.Response, reason error) *Error {
	e := &Error{Code: NoResponse, reason: reason, blame: nobodys, status: res.StatusCode, retryAfter: res.Header.Get("Retry-After")}
	if res.StatusCode >= 500 {
		e.blame = targets
	}
	return e
}

// oneJSON reports why a body is not one JSON value that is safe to decode.
func oneJSON(contentType string, body []byte) error {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %w", contentType, err)
	}
	if media != "application/json" && (!strings.HasPrefix(media, "application/") || !strings.HasSuffix(media, "+json")) {
		return fmt.Errorf("content type %q is not JSON", media)
	}
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return fmt.Errorf("charset %q", c)
	}
	switch {
	case !utf8.Valid(body):
		return errors.New("JSON is not UTF-8")
	case depth(body) > maxDepth:
		return fmt.Errorf("JSON is deeper than %d", maxDepth)
	case !json.Valid(body):
		return errors.New("body is not one JSON value")
	}
	return nil
}

// depth is how deep the brackets of a JSON text go.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}
