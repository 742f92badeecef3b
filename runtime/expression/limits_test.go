package expression_test

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/runtime/expression"
)

// bombs are expressions that would grow past every bound.
func bombs() map[string]string {
	doubling := strings.Repeat(".![#this + #this]", 40)
	nested := strings.Repeat(".![{#this, #this}]", 40)
	elements := "{" + strings.Repeat("1,", 99) + "1}"
	numbers := "{0"
	for i := range 600 {
		numbers += "," + strconv.Itoa(i)
	}
	numbers += "}"
	return map[string]string{
		"text that doubles":                   `{'xxxxxxxxxxxxxxxx'}` + doubling,
		"lists that double":                   `{1}` + nested,
		"lists that double, compared":         `({1}` + nested + `) == ({1}` + nested + `)`,
		"lists that double, as text":          `'' + {1}` + nested,
		"lists that double, searched":         `#data.containsAll({1}` + nested + `, {1}` + nested + `)`,
		"projections inside projections":      elements + `.![` + elements + `.![` + elements + `.![` + elements + `.![1]]]]`,
		"selections that choose nothing":      elements + `.?[` + elements + `.?[` + elements + `.?[` + elements + `.?[false] == null] == null] == null]`,
		"replacements that grow":              `#string.replace(inputs.long, 'a', inputs.long, -1)`,
		"replacements by pattern":             `#regex.replaceAll(inputs.text, 'a', inputs.long)`,
		"a width":                             `#string.format('%999999999d', 1)`,
		"a width past all numbers":            `#string.format('%99999999999999999999s', 1)`,
		"a precision":                         `#string.format('%.999999999f', 1.5)`,
		"widths in a row":                     `#string.format('` + strings.Repeat("%100000d", 20) + `',` + strings.Repeat("1,", 19) + `1)`,
		"powers of big integers":              `#string.asBigInt('9', 0) ^ 999999999`,
		"powers of powers":                    `#string.asBigInt('9', 0) ^ 1000 ^ 2`,
		"squares of big integers":             `{#string.asBigInt('99999999999999999999', 0)}` + strings.Repeat(".![#this * #this]", 30),
		"powers of decimals":                  `#string.asBigDecimal('1.1', 0) ^ 999999`,
		"squares of decimals":                 `{#string.asBigDecimal('1.000001', 0)}` + strings.Repeat(".![#this * #this]", 30),
		"an array":                            `new int[999999999]`,
		"an array of arrays":                  `new int[1000][1000]`,
		"joined":                              `#string.join({inputs.long, inputs.long, inputs.long, inputs.long}, inputs.long)`,
		"split":                               `#string.split(inputs.long + inputs.spaced, ' ')`,
		"encoded":                             `#string.asUrlEncoded(inputs.spaced + inputs.long)`,
		"union":                               `{{1,2,3,4,5,6,7,8,9,10}}` + strings.Repeat(".![#data.union(#this, #this)]", 20),
		"back and forth in a pattern":         `'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' matches '(?=(a|aa)+$)a+b'`,
		"back and forth in a search":          `#regex.findAllMatches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '(a+)+c')`,
		"back and forth in a computed search": `{1,2,3}.![#regex.replaceAll('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '(a+)+' + 'c', '')]`,
		"a pattern that is too long":          `'a' matches #string.replace(inputs.text, 'a', 'aaaaaaaaaa', -1)`,
		"a text that is too long to match":    `inputs.long matches '.*'`,
		"patterns that are compiled":          numbers + `.![#regex.findAllMatches('a', 'a' + #this)]`,
		"a result that is a bomb":             `{inputs.long, inputs.long, inputs.long, inputs.long, inputs.long}`,
		"brackets that are deep":              `{1}` + strings.Repeat(".![{#this}]", 100),
		"many zones":                          elements + `.![` + elements + `.![#datetime.toDateTimeInTimezone('2020-01-01Z', 'Europe/' + #this, null)]]`,
	}
}

func hostile() map[string]any {
	return map[string]any{"inputs": map[string]any{
		"id": "x", "long": strings.Repeat("a", 600_000), "text": strings.Repeat("a", 1000), "spaced": strings.Repeat(". ", 300_000),
	}}
}

func TestABombEndsAtALimit(t *testing.T) {
	for name, source := range bombs() {
		t.Run(name, func(t *testing.T) {
			p, err := expression.Compile(source)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := p.Eval(expression.Context{Root: hostile(), Now: clock})
			runtime.ReadMemStats(&after)
			var e *expression.Error
			if !errors.As(err, &e) || !e.Limit {
				t.Fatalf("%T, %v", v, err)
			}
			if made := after.TotalAlloc - before.TotalAlloc; made > 64<<20 {
				t.Errorf("%d bytes were allocated on the way to: %v", made, err)
			}
		})
	}
}

func TestAPatternThatGoesBackForeverIsStopped(t *testing.T) {
	p, err := expression.Compile(`{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20}.![#regex.findAllMatches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '(a|aa)+$')]`)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := p.Eval(expression.Context{}); err == nil {
		t.Error("it was not stopped")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("after %v", took)
	}
}

func TestAnErrorDoesNotQuoteValues(t *testing.T) {
	root := map[string]any{"secrets": map[string]any{"apiKey": "s3cr3t-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}}
	for _, source := range []string{
		`secrets.apiKey.x`, `secrets.apiKey - 1`, `secrets.apiKey ? 1 : 2`, `secrets.apiKey < 1`, `secrets.apiKey[99]`, `secrets.apiKey.?[true]`,
		`#data.size(secrets.apiKey)`, `#string.substring('a', secrets.apiKey, 1)`, `#regex.findAllMatches(secrets.apiKey, '(a+)+$')`, `'a' matches '(' + secrets.apiKey`,
		`#crypto.hmacHexDigest('a', 'b', secrets.apiKey)`, `#regex.replaceAll('a', 'a', '$' + secrets.apiKey)`, `new int[] {secrets.apiKey}`, `{a: 1}[secrets.apiKey].x.y - 1`,
	} {
		p, err := expression.Compile(source, "secrets")
		if err != nil {
			t.Fatal(err)
		}
		if v, err := p.Eval(expression.Context{Root: root}); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v, %v", source, v, err)
		}
	}
}

func TestWhatIsTooLargeToReadIsRefused(t *testing.T) {
	for name, source := range map[string]string{
		"a long text":       strings.Repeat(" ", 20_000) + "1",
		"deep brackets":     strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000),
		"deep lists":        strings.Repeat("{", 1000) + "1" + strings.Repeat("}", 1000),
		"deep indexes":      "a" + strings.Repeat("[a", 1000) + strings.Repeat("]", 1000),
		"many signs":        strings.Repeat("- ", 1000) + "1",
		"many nots":         strings.Repeat("!", 1000) + "true",
		"many word nots":    strings.Repeat("not ", 1000) + "true",
		"many powers":       "1" + strings.Repeat(" ^ 1", 1000),
		"many elvises":      "1" + strings.Repeat(" ?: 1", 1000),
		"many conditions":   strings.Repeat("true ? ", 1000) + "1" + strings.Repeat(" : 1", 1000),
		"many operators":    "1" + strings.Repeat(" + 1", 3000),
		"a pattern":         `'a' matches '` + strings.Repeat("a", 600) + `'`,
		"a pattern of many": `'a' matches '` + strings.Repeat("(a{1,100})", 30) + `'`,
	} {
		t.Run(name, func(t *testing.T) {
			var e *expression.Error
			if _, err := expression.Compile(source); !errors.As(err, &e) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAProgramIsSafeForConcurrentUse(t *testing.T) {
	root := decoded(t, root)
	for _, row := range values() {
		p, err := expression.Compile(row[0])
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := p.Eval(expression.Context{Root: root, Now: clock}); err != nil {
					t.Errorf("%s: %v", row[0], err)
				}
			})
		}
		all.Wait()
	}
}
