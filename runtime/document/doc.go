// Package document reads JSON that somebody else wrote: strictly, and with every
// fault at once, each with its place.
package document
