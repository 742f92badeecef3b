package rehearsal

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strconv"

	"doorward/runtime/form"
)

// variableName is what a code may be called.
const variableName = `[A-Za-z_][A-Za-z0-9_]*`

// solved stands for the answer to the challenge of a form, where that is work that
// a program can do.
const solved = "${captcha}"

// filled is a value with the codes of mails in the place of ${...}.
func (p *play) filled(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			x, err := p.filled(inner)
			if err != nil {
				return nil, err
			}
			out[name] = x
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			x, err := p.filled(inner)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case string:
		return p.filledText(v)
	}
	return v, nil
}

func (p *play) filledText(text string) (string, error) {
	var missing error
	out := regexp.MustCompile(`\$\{`+variableName+`\}`).ReplaceAllStringFunc(text, func(found string) string {
		code, ok := p.codes[found[2:len(found)-1]]
		if !ok && found == solved {
			code, ok = p.solve()
		}
		if !ok {
			missing = fmt.Errorf("there is no %s; a mail step with as gives it, and there are %v", found, slices.Sorted(maps.Keys(p.codes)))
		}
		return code
	})
	return out, missing
}

// solve works out the challenge of the form that waits; not ok when it has none.
func (p *play) solve() (answer string, ok bool) {
	for _, v := range p.view.Values {
		if c, is := v.(form.Challenge); is && c.Provider == form.ProofOfWork {
			return proofOfWork(c.Data, c.Bits), true
		}
	}
	return "", false
}

// proofOfWork is the least number that the challenge takes. See form.Challenge.
func proofOfWork(data string, zeros int) string {
	for n := 0; ; n++ {
		answer := strconv.Itoa(n)
		sum := sha256.Sum256([]byte(data + "." + answer))
		found := 0
		for _, b := range sum {
			found += bits.LeadingZeros8(b)
			if b != 0 {
				break
			}
		}
		if found >= zeros {
			return answer
		}
	}
}
