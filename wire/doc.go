// Package wire is the one exit and the one entrance of the house: it decides how
// an execution, an error and a cookie look outside, which HTTP status a fault
// has, and what outside JSON and media types are taken. It speaks HTTP's words
// and knows no HTTP library.
//
// Source: reference/flows.md 2 (resource), 5.1 (media types), 6 (errors);
// draft-kelly-json-hal; HAL-FORMS (mamund.github.io/docs/hal-forms).
package wire
