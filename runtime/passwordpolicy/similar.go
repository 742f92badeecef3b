package passwordpolicy

// minDifference is how many characters must be inserted, removed or replaced to
// get from the current password to the new one: fewer is similar. The reference
// names the measure and no number. It is ours: with three, another digit at the
// end, or the next year's last two, are no new password.
// Source: reference/management.md 5.5 (Levenshtein).
const minDifference = 3

// similar reports whether the Levenshtein distance of a and b is less than
// minDifference. It looks only at the band of the table in which it can be, so
// that it is linear in the length.
func similar(a, b string) bool {
	const width = minDifference - 1
	from, to := []rune(a), []rune(b)
	if d := len(to) - len(from); d > width || -d > width {
		return false
	}
	// row[1+width+d] is the distance of the first i characters of from to the
	// first i+d of to, and minDifference for whatever is not less; so are its ends,
	// which lie outside the band.
	row := make([]int, 2*width+3)
	for k := range row {
		row[k] = minDifference
		if d := k - 1 - width; d >= 0 {
			row[k] = min(d, minDifference)
		}
	}
	for i := 1; i <= len(from); i++ {
		for k := 1; k < len(row)-1; k++ {
			j := i + k - 1 - width
			least := minDifference
			switch {
			case j == 0:
				least = min(least, i)
			case j > 0 && j <= len(to):
				replaced := row[k]
				if from[i-1] != to[j-1] {
					replaced++
				}
				least = min(least, replaced, row[k+1]+1, row[k-1]+1)
			}
			row[k] = least
		}
	}
	return row[1+width+len(to)-len(from)] < minDifference
}
