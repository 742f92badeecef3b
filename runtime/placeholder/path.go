package placeholder

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of one placeholder.
const (
	maxSegments = 32
	maxPath     = 512 // bytes
)

// roots is what a path of another beginning is told.
const roots = "there are flow.id, flow.definition.id, flow.context.user.ATTRIBUTE, flow.inputs.parameters.NAME, flow.inputs.headers.NAME, flow.request.http.remoteIp, steps.KEY.outputs, steps.KEY.error.code, steps.KEY.error.message and user.ATTRIBUTE"

// part is a piece of text, or what a placeholder in it stands for.
type part struct {
	text string
	path []string // nil: text
}

// parse cuts text at its placeholders. The error says where, in characters from 1.
func parse(text string) ([]part, error) {
	var parts []part
	for at := 0; ; {
		i := strings.Index(text[at:], "${")
		if i < 0 {
			if at < len(text) {
				parts = append(parts, part{text: text[at:]})
			}
			return parts, nil
		}
		if i > 0 {
			parts = append(parts, part{text: text[at : at+i]})
		}
		at += i
		position := utf8.RuneCountInString(text[:at]) + 1
		length := strings.IndexByte(text[at:], '}')
		if length < 0 {
			return nil, fmt.Errorf("the ${ at character %d has no }", position)
		}
		path, err := lex(text[at+2 : at+length])
		if err != nil {
			return nil, fmt.Errorf("the placeholder at character %d %w", position, err)
		}
		parts = append(parts, part{path: path})
		at += length + 1
	}
}

// lex reads what stands between the braces.
func lex(inside string) ([]string, error) {
	if len(inside) > maxPath {
		return nil, fmt.Errorf("is longer than %d bytes", maxPath)
	}
	path := strings.Split(inside, ".")
	if len(path) > maxSegments {
		return nil, fmt.Errorf("has more than %d segments", maxSegments)
	}
	for _, segment := range path {
		if segment == "" || strings.ContainsFunc(segment, foreign) {
			return nil, errors.New("takes segments of letters, digits, _ and -, with a dot between two, such as ${steps.form.outputs.formData}")
		}
	}
	if !known(path) {
		return nil, fmt.Errorf("is ${%s}, which is not known; %s", inside, roots)
	}
	return path, nil
}

// foreign reports whether a segment cannot hold r. Source:
// reference/management.md 2.2, 2.4.
func foreign(r rune) bool {
	return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
}

// known reports whether the path begins as one of the roots does and is long
// enough to stand for something.
func known(path []string) bool {
	begins := func(least, most int, segments ...string) bool {
		return len(path) >= least && len(path) <= most && slices.Equal(path[:len(segments)], segments)
	}
	switch path[0] {
	case "user":
		return len(path) > 1
	case "steps":
		return len(path) > 2 && (path[2] == "outputs" ||
			path[2] == "error" && len(path) == 4 && (path[3] == "code" || path[3] == "message"))
	case "flow":
		return begins(2, 2, "flow", "id") || begins(3, 3, "flow", "definition", "id") ||
			begins(4, maxSegments, "flow", "context", "user") ||
			begins(3, maxSegments, "flow", "inputs", "parameters") ||
			begins(4, 4, "flow", "inputs", "headers") && (path[3] == "user-agent" || path[3] == "accept-language") ||
			begins(4, 4, "flow", "request", "http", "remoteIp")
	}
	return false
}
