package expression

import (
	"regexp"
	"regexp/syntax"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// Limits of a regular expression.
const (
	maxPattern   = 512                   // bytes
	maxSubject   = 16 << 10              // bytes of the text that is searched
	maxProgram   = 2000                  // instructions that it compiles to, where Go matches it
	matchTimeout = 50 * time.Millisecond // for one match; the engine notices up to 0.2 s later
	patternSteps = 500                   // what compiling one during an evaluation costs
)

// pattern is a compiled regular expression. One of the two engines has it: Go's,
// which takes time in proportion to the text, for whole texts and patterns that it
// can match; for the rest one that tries and goes back, under a timeout. The latter
// keeps a clock, a goroutine that ends a second after the last match.
//
// The language is Java's, read by translate, with these differences: "$" and "\Z"
// are the very end of the text, not the place before a last line break; "." is all
// but "\n"; "\b" knows ASCII words; (?i) is of Unicode. Refused are "&&" and
// brackets inside of brackets, the flags d u x U, \G \R \X \N \h \v, blocks (\p{In…})
// and \p{java…}.
type pattern struct {
	linear *regexp.Regexp
	back   *regexp2.Regexp
}

// compilePattern compiles for the match of a whole text, or the search of parts.
func compilePattern(position int, source string, whole bool) (*pattern, error) {
	translated, backtracks, err := readPattern(position, source)
	if err != nil {
		return nil, err
	}
	if !whole {
		return backtracking(position, translated)
	}
	anchored := `\A(?:` + translated + `)\z`
	if backtracks {
		return backtracking(position, anchored)
	}
	tree, err := syntax.Parse(anchored, syntax.Perl)
	if err != nil {
		return nil, failed(position, "expected a regular expression; this one has a part that cannot be read")
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, failed(position, "expected a regular expression with fewer repetitions")
	}
	linear, err := regexp.Compile(anchored)
	if err != nil {
		return nil, failed(position, "expected a regular expression; this one has a part that cannot be read")
	}
	return &pattern{linear: linear}, nil
}

func readPattern(position int, source string) (translated string, backtracks bool, err error) {
	if len(source) > maxPattern {
		return "", false, limited(position, "has a regular expression of more than %d bytes", maxPattern)
	}
	t := translation{rest: source}
	t.translate()
	if t.problem != "" {
		return "", false, failed(position, "expected a regular expression; %s", t.problem)
	}
	return string(t.out), t.backtracks, nil
}

func backtracking(position int, translated string) (*pattern, error) {
	back, err := regexp2.Compile(translated, regexp2.RE2, regexp2.OptionMaintainCaptureOrder())
	if err != nil {
		return nil, failed(position, "expected a regular expression; this one has a part that cannot be read")
	}
	back.MatchTimeout = matchTimeout
	return &pattern{back: back}, nil
}

// patternKey is what a pattern is compiled from.
type patternKey struct {
	source string
	whole  bool
}

// pattern is one that is computed. Each is compiled once in an evaluation.
func (e *evaluation) pattern(position int, source string, whole bool) (*pattern, error) {
	key := patternKey{source, whole}
	if p := e.patterns[key]; p != nil {
		return p, nil
	}
	if err := e.visit(position, patternSteps); err != nil {
		return nil, err
	}
	p, err := compilePattern(position, source, whole)
	if err != nil {
		return nil, err
	}
	if e.patterns == nil {
		e.patterns = map[patternKey]*pattern{}
	}
	e.patterns[key] = p
	return p, nil
}

// whole reports whether the whole text is of the pattern.
func (e *evaluation) whole(position int, p *pattern, s string) (is bool, err error) {
	err = e.timed(position, s, func() error {
		if p.linear != nil {
			is = p.linear.MatchString(s)
			return nil
		}
		is, err = p.back.MatchString(s)
		return err
	})
	return is, err
}

// each goes through the matches in a text until found says no. It is told where
// they are, in bytes: beginning and end of the match and of each group; -1 for one
// that took no part.
func (e *evaluation) each(position int, p *pattern, s string, found func(bounds []int) bool) error {
	var m *regexp2.Match
	for {
		err := e.timed(position, s, func() (err error) {
			if m == nil {
				m, err = p.back.FindStringMatch(s)
			} else {
				m, err = p.back.FindNextMatch(m)
			}
			return err
		})
		if err != nil || m == nil {
			return err
		}
		if err := e.visit(position, 1+m.GroupCount()); err != nil {
			return err
		}
		bounds := make([]int, 0, 2*m.GroupCount())
		for _, g := range m.Groups() {
			if len(g.Captures) == 0 {
				bounds = append(bounds, -1, -1)
				continue
			}
			from, n := g.ByteRange()
			bounds = append(bounds, from, from+n)
		}
		if !found(bounds) {
			return nil
		}
	}
}

// timed runs one match, and looks whether the time is over. Its error never quotes
// the text.
func (e *evaluation) timed(position int, s string, match func() error) error {
	if len(s) > maxSubject {
		return limited(position, "matches a text of more than %d bytes", maxSubject)
	}
	if err := e.work(position, len(s)); err != nil {
		return err
	}
	if e.over == nil {
		e.over = time.NewTimer(maxTime) // nobody has to stop it
	}
	err := match()
	select {
	case <-e.over.C:
		e.late = true
	default:
	}
	if err != nil || e.late {
		return limited(position, "takes too long to match regular expressions")
	}
	return nil
}
