package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deeply the JSON of an answer, and of inputs, may nest.
const maxDepth = 32

// ParseAnswer reads the body of an answer: one JSON value in UTF-8 with each name
// once, at most 32 levels deep, its numbers as json.Number. No body is nil, and so
// is one of another media type whose status is 400 or more: servers in trouble
// answer with pages.
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

var errDepth = errors.New("nested deeper than 32")

// decode reads one JSON value.
func decode(text []byte) (any, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	v, err := value(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func value(d *jsontext.Decoder) (any, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.StackDepth() > maxDepth {
		return nil, errDepth
	}
	switch t.Kind() {
	case '{':
		return fields(d)
	case '[':
		return items(d)
	case '"':
		return t.String(), nil
	case '0':
		return json.Number(t.String()), nil
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil // null
}

func fields(d *jsontext.Decoder) (any, error) {
	m := map[string]any{}
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := t.String()
		if m[name], err = value(d); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return m, err
}

func items(d *jsontext.Decoder) (any, error) {
	a := []any{}
	for d.PeekKind() != ']' {
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.ReadToken()
	return a, err
}
