package forms

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Languages are those that pages are written in, sorted.
func (p *Pages) Languages() []string { return slices.Sorted(maps.Keys(p.words)) }

// Language chooses among allowed, of which the first is for those whom none
// suits; without any all are allowed, and English is the first. wanted are lists
// in the syntax of Accept-Language, of which an earlier one goes before every
// later one. What cannot be read counts as not said. Source: RFC 9110 12.5.4.
func (p *Pages) Language(allowed []string, wanted ...string) string {
	c := p.chooser(allowed)
	if len(c.names) == 1 {
		return c.names[0]
	}
	_, i := language.MatchStrings(c.matcher, wanted...)
	return c.names[i]
}

// chooser finds the best of a list of languages. Making one takes longer than
// drawing a page, and there are no more than environments ask for.
type chooser struct {
	names   []string
	matcher language.Matcher
}

func (p *Pages) chooser(allowed []string) *chooser {
	key := strings.Join(allowed, " ")
	if c, ok := p.choosers.Load(key); ok {
		return c.(*chooser) // nothing else is stored
	}
	c := &chooser{names: slices.DeleteFunc(slices.Clone(allowed), func(name string) bool { return p.words[name] == nil })}
	if len(c.names) == 0 {
		others := slices.DeleteFunc(p.Languages(), func(name string) bool { return name == English })
		c.names = append([]string{English}, others...)
	}
	var tags []language.Tag
	for _, name := range c.names {
		tags = append(tags, p.words[name].Tag)
	}
	c.matcher = language.NewMatcher(tags)
	p.choosers.Store(key, c)
	return c
}
