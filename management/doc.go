// Package management is the REST API over configuration and users, under
// /v1/environments.
//
// The resources of configuration are declared in package configs, once for files
// and for this API: routes, links, collections and timestamps are derived from
// the declarations, and no kind is named here but where it has something of its
// own. Users are rows of package directory; attributes.go, userread.go and
// userdoc.go are the one place that knows how they look on the wire.
//
// Every request is by a worker application, with a bearer token of its own and
// one of the roles that package configs names, and every change is recorded.
// Answers are HAL; a refusal says every fault at once.
//
// Source: reference/management.md 0.3, 2.1, 2.7, 5, 7, 8.
package management
