package filter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/filter"
)

func text(attribute string, op filter.Op, value any) filter.Compare {
	return filter.Compare{Attribute: attribute, Op: op, Value: value}
}

func TestTextsAreReadIntoTrees(t *testing.T) {
	a, b, c := text("a", "eq", "1"), text("b", "eq", "2"), text("c", "eq", "3")
	for in, want := range map[string]filter.Expr{
		`username eq "ada"`:  text("username", "eq", "ada"),
		`name.family sw "S"`: text("name.family", "sw", "S"),
		" \t a\neq\r\"1\" ":  a,
		`a EQ "1"`:           a,
		`enabled eq true`:    text("enabled", "eq", true),
		`enabled eq false`:   text("enabled", "eq", false),
		`n gt -1.5e3`:        text("n", "gt", -1500.0),
		`n le 0`:             text("n", "le", 0.0),
		`a_b-c.d2 co "x"`:    text("a_b-c.d2", "co", "x"),
		`a ew ""`:            text("a", "ew", ""),
		`a eq "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é()and"`:              text("a", "eq", "\"\\/\b\f\n\r\t\u00e9\U0001F600é()and"),
		`a eq "1" and b eq "2" and c eq "3"`:                           filter.And{a, b, c},
		`a eq "1" or b eq "2" or c eq "3"`:                             filter.Or{a, b, c},
		`a eq "1" or b eq "2" and c eq "3"`:                            filter.Or{a, filter.And{b, c}},
		`a eq "1" and b eq "2" or c eq "3"`:                            filter.Or{filter.And{a, b}, c},
		`(a eq "1" OR b eq "2") And c eq "3"`:                          filter.And{filter.Or{a, b}, c},
		`a eq "1"and(b eq "2")or(c eq "3")`:                            filter.Or{filter.And{a, b}, c},
		`not (a eq "1")`:                                               filter.Not{Expr: a},
		`NOT(a eq "1") and b eq "2"`:                                   filter.And{filter.Not{Expr: a}, b},
		`not (not (a eq "1" or b eq "2"))`:                             filter.Not{Expr: filter.Not{Expr: filter.Or{a, b}}},
		`order eq "1"`:                                                 text("order", "eq", "1"),
		`android eq "1" and notes eq "2"`:                              filter.And{text("android", "eq", "1"), text("notes", "eq", "2")},
		strings.Repeat("(", 16) + `a eq "1"` + strings.Repeat(")", 16): a,
	} {
		t.Run(in, func(t *testing.T) {
			if got, err := filter.Parse(in); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%#v %v", got, err)
			}
		})
	}
}

func TestMistakesAreNamedWithTheirPosition(t *testing.T) {
	const attribute, value, operator = "an attribute", "a string in double quotes", "one of the operators eq, sw, ew, co, gt, ge, lt and le"
	for in, want := range map[string]struct {
		at       int
		expected string
	}{
		``:                                   {0, attribute},
		`  `:                                 {2, attribute},
		`a`:                                  {1, operator},
		`a pr`:                               {2, operator},
		`a ne "x"`:                           {2, operator},
		`a eq`:                               {4, value},
		`a eq x`:                             {5, value},
		`a eq 'x'`:                           {5, value},
		`a eq null`:                          {5, value},
		`a eq True`:                          {5, value},
		`a eq 01`:                            {5, value},
		`a eq +1`:                            {5, value},
		`a eq 1x`:                            {5, value},
		`a eq [1]`:                           {5, value},
		`a eq 1e999`:                         {5, "a number"},
		`a eq "x`:                            {7, `" after`},
		`a eq "x\"`:                          {9, `" after`},
		`a eq "\x"`:                          {5, "a string with the escapes"},
		"a eq \"\n\"":                        {5, "a string with the escapes"},
		`a eq "\u0000"`:                      {5, "a string with the escapes"},
		`a eq "\ud800"`:                      {5, "a string with the escapes"},
		`a eq "\ud800\u0041"`:                {5, "a string with the escapes"},
		`a eq "\udc00\ud800"`:                {5, "a string with the escapes"},
		`a eq "x" b`:                         {9, "and, or or the end"},
		`a eq "x" and`:                       {12, attribute},
		`a eq "x" or or`:                     {12, attribute},
		`and eq "x"`:                         {0, attribute},
		`not a eq "x"`:                       {4, "( after not"},
		`not`:                                {3, "( after not"},
		`(a eq "x"`:                          {9, "and, or or )"},
		`a eq "x")`:                          {8, "and, or or the end"},
		`()`:                                 {1, attribute},
		`a..b eq 1`:                          {0, attribute},
		`.a eq 1`:                            {0, attribute},
		`1a eq 1`:                            {0, attribute},
		`ä eq 1`:                             {0, attribute},
		`a[b eq 1] eq 1`:                     {0, attribute},
		`a sw 1`:                             {5, "a string after sw"},
		`a co true`:                          {5, "a string after co"},
		`a gt true`:                          {5, "a string or a number after gt"},
		"a eq \"\xff\"":                      {6, "UTF-8"},
		strings.Repeat("(", 17) + `a eq 1`:   {16, "at most 16"},
		`a eq "` + strings.Repeat("x", 2048): {2048, "at most 2048"},
	} {
		t.Run(in[:min(len(in), 40)], func(t *testing.T) {
			e, err := filter.Parse(in)
			var wrong *filter.SyntaxError
			if !errors.As(err, &wrong) || e != nil || wrong.Position != want.at || !strings.HasPrefix(wrong.Expected, want.expected) {
				t.Errorf("%v %v", e, err)
			}
		})
	}
}

func TestWhatACollectionDoesNotKnowIsNamed(t *testing.T) {
	allowed := map[string][]filter.Op{"name": {"sw", "eq"}, "id": {"eq"}, "at": {"gt"}}
	for in, want := range map[string]*filter.Unsupported{
		`name eq "x" and (id eq "y" or not (at gt "z"))`: nil,
		`name eq "x" and not (id sw "y")`:                {Attribute: "id", Op: "sw", Operators: []filter.Op{"eq"}},
		`name ew "x"`:                                    {Attribute: "name", Op: "ew", Operators: []filter.Op{"eq", "sw"}},
		`id eq "x" or Name eq "y" or other eq "z"`:       {Attribute: "Name", Op: "eq", Operators: []filter.Op{"eq", "sw", "gt"}},
	} {
		e, err := filter.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		err = filter.Check(e, allowed)
		if want == nil {
			if err != nil {
				t.Errorf("%s: %v", in, err)
			}
			continue
		}
		want.Attributes = []string{"at", "id", "name"}
		var got *filter.Unsupported
		if !errors.As(err, &got) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", in, err)
		}
	}
	e, _ := filter.Parse(`id sw "y"`)
	if err := filter.Check(e, allowed); err == nil || err.Error() != "id does not take sw, but eq" {
		t.Error(err)
	}
}

func TestDocumentsAreJudged(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal([]byte(`{"name":"Straße","enabled":true,"count":10,"at":"2026-01-02T03:04:05.5+01:00",
		"trigger":{"type":"SIGN_ON"},"tags":["Red","green"],"items":[{"id":"a","n":1},{"id":"b","n":2}],"list":[[1],[2,[3]]],"none":null}`), &doc); err != nil {
		t.Fatal(err)
	}
	doc["int"], doc["int64"], doc["number"] = 7, int64(7), json.Number("7")
	for in, want := range map[string]bool{
		`name eq "STRAßE"`: true, `name eq "strasse"`: false, `name sw "sTr"`: true, `name ew "SSE"`: false, `name ew "ẞE"`: true, `name co "ra"`: true,
		`name co "%"`: false, `name sw ""`: true, `name gt "str"`: true, `name lt "STS"`: true, `name eq "x"`: false, `name eq 1`: false,
		`enabled eq true`: true, `enabled eq false`: false, `enabled eq "true"`: false,
		`count eq 10`: true, `count gt 9.5`: true, `count ge 10`: true, `count lt 10`: false, `count le 10`: true, `count eq "10"`: false, `count gt "9"`: false,
		`int eq 7`: true, `int64 eq 7`: true, `number lt 8`: true,
		`at gt "2026-01-02T02:04:05Z"`: true, `at lt "2026-01-02T02:04:06Z"`: true, `at gt "2026-01-02T03:00:00Z"`: false,
		`trigger.type eq "sign_on"`: true, `trigger eq "SIGN_ON"`: false, `trigger.type.more eq "x"`: false, `trigger.none eq "x"`: false,
		`tags eq "red"`: true, `tags eq "blue"`: false, `tags sw "GR" and tags sw "re"`: true, `not (tags eq "red")`: false,
		`items.id eq "B"`: true, `items.n gt 1`: true, `items.n gt 2`: false, `items eq "a"`: false, `list eq 3`: true, `list eq 4`: false,
		`none eq "x"`: false, `other eq "x"`: false, `not (other eq "x")`: true,
		`name eq "x" or count eq 10`: true, `name eq "x" and count eq 10`: false,
	} {
		e, err := filter.Parse(in)
		if err != nil {
			t.Fatal(in, err)
		}
		if got := filter.Match(e, doc); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

// written is a condition as it could have been typed.
func written(e filter.Expr) string {
	join := func(list []filter.Expr, word string) string {
		var parts []string
		for _, one := range list {
			parts = append(parts, written(one))
		}
		return "(" + strings.Join(parts, " "+word+" ") + ")"
	}
	switch e := e.(type) {
	case filter.And:
		return join(e, "and")
	case filter.Or:
		return join(e, "or")
	case filter.Not:
		return "not (" + written(e.Expr) + ")"
	case filter.Compare:
		value, _ := json.Marshal(e.Value)
		return fmt.Sprintf("%s %s %s", e.Attribute, e.Op, value)
	}
	return ""
}

// FuzzParse holds that a text is refused at one of its positions or is a tree
// within the caps, that what is written of a tree is read as the same tree, and
// that any tree can be judged.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a", `a eq`, `a eq "`, `a eq "\`, `a eq "\u`, `a eq "\ud83d\ude00"`, `not(`, `a eq 1 and`, `a eq 1 or (b sw "x" and not (c le -2))`,
		`name.family eq "Smith" and name.given sw "W"`, `a eq ""and`, "a eq \"\xff\"", `((((((((((((((((a eq 1))))))))))))))))`, `a.b.c EQ tRue`, `not not (a eq 1)`,
	} {
		f.Add(seed)
	}
	doc := map[string]any{"a": []any{"x", 1.0, true, nil, map[string]any{"b": "y"}}, "name": map[string]any{"family": "Smith"}}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := filter.Parse(s)
		if err != nil {
			var wrong *filter.SyntaxError
			if !errors.As(err, &wrong) || wrong.Position < 0 || wrong.Position > len(s) || wrong.Expected == "" {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		filter.Match(e, doc)
		n := len(slices.Collect(filter.All(e)))
		if n == 0 || len(s) > filter.MaxLength {
			t.Fatalf("%q has %d comparisons", s, n)
		}
		out := written(e)
		if len(out) > filter.MaxLength || strings.Count(out, "(") > filter.MaxDepth {
			return
		}
		if again, err := filter.Parse(out); err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("%q is %q: %#v %v", s, out, again, err)
		}
	})
}
