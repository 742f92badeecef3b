//go:build !race

package nodetest

// Race says whether the race detector watches, which slows most things down.
const Race = false
