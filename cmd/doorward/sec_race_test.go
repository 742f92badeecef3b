//go:build race

package main_test

// slack is how much longer things may take under the race detector.
const slack = 5
