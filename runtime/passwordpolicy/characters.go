package passwordpolicy

import "strings"

func (p Policy) lacksCharacters(w word) bool {
	for alphabet, least := range p.MinCharacters {
		n := 0
		for _, c := range w.chars {
			if strings.ContainsRune(alphabet, c) {
				n++
			}
		}
		if n < least {
			return true
		}
	}
	return false
}

// repeated is how often at most one character follows on itself, counted from 1.
func (w word) repeated() int {
	most, run := 0, 0
	for i, c := range w.chars {
		if run++; i == 0 || c != w.chars[i-1] {
			run = 1
		}
		most = max(most, run)
	}
	return most
}

func (w word) unique() int {
	seen := map[rune]bool{}
	for _, c := range w.chars {
		seen[c] = true
	}
	return len(seen)
}

// guessesPerDay is the attacker of the haystack: 1e11 guesses a second.
const guessesPerDay = 1e11 * 86400

// outlasts reports whether trying every string that is no longer than the word,
// over the kinds of characters it has, takes at least so many days. Each power
// is at most 256 times what was still too little, so nothing overflows.
// Source: reference/flows.md 2.3.
func (w word) outlasts(days int) bool {
	depth, sum, power := w.depth(), 0.0, 1.0
	for range w.chars {
		power *= depth
		if sum += power; sum >= guessesPerDay*float64(days) {
			return true
		}
	}
	return false
}

// depth is how many characters an attacker must try at each place: those of the
// kinds that the word has, or 256 when it has one outside printable ASCII.
func (w word) depth() float64 {
	var upper, lower, digit, other bool
	for _, c := range w.chars {
		switch {
		case c < ' ' || c > '~':
			return 256
		case c >= 'A' && c <= 'Z':
			upper = true
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= '0' && c <= '9':
			digit = true
		default:
			other = true
		}
	}
	depth := 0.0
	for _, kind := range []struct {
		there bool
		size  float64
	}{{upper, 26}, {lower, 26}, {digit, 10}, {other, 33}} {
		if kind.there {
			depth += kind.size
		}
	}
	return depth
}

// longer reports whether the word has a run of more than most neighbours of one
// row, all in one direction: "bcd" and "dcb" are runs of three. A most of 0 is
// no rule.
func longer(w word, most int, rows ...string) bool {
	for _, row := range rows {
		if most > 0 && longestRun(w.folded, row) > most {
			return true
		}
	}
	return false
}

// longestRun is the length of the longest run; 1 for characters of the row that
// stand alone.
func longestRun(s, row string) int {
	most, run, step, last := 0, 0, 0, -1
	for _, c := range s {
		at := strings.IndexRune(row, c)
		next := at - last
		switch {
		case at < 0:
			run, step = 0, 0
		case last < 0 || next != 1 && next != -1:
			run, step = 1, 0
		case next == step:
			run++
		default: // a run begins, or turns round at the character before
			run, step = 2, next
		}
		last = at
		most = max(most, run)
	}
	return most
}
