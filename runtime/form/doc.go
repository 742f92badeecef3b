// Package form is a form as data: the document in which an administrator says
// what a page asks, made into fields that are drawn, described to clients, and
// judged when they come back.
//
// Compile checks a document once and for all, and reports every fault with its
// path. A Form never changes afterwards; what it draws as, what it takes and what
// it puts out follow from the same fields.
//
// Source: reference/management.md 3.2 to 3.4.
package form
