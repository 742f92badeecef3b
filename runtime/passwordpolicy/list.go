package passwordpolicy

import (
	_ "embed" // for the list
	"strings"
)

//go:generate list/generate.sh

// passwords are the commonly used ones, composed and in lower case, one a line,
// sorted by their bytes. It lies in the binary as it is and is never unpacked.
//
//go:embed list/passwords.txt
var passwords string

// commonlyUsed looks a word up in the list, by halves.
func commonlyUsed(folded string) bool {
	low, high := 0, len(passwords) // both at the start of a line
	for low < high {
		middle := low + (high-low)/2
		start := low + strings.LastIndexByte(passwords[low:middle], '\n') + 1
		end := start + strings.IndexByte(passwords[start:], '\n')
		switch line := passwords[start:end]; {
		case line == folded:
			return true
		case line < folded:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
