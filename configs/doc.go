// Package configs is configuration as code: it loads a directory of JSON files,
// applies it to the store that is the truth at run time, and serves what the
// store holds as immutable Bundles, one per environment.
//
//	<dir>/<environment>/environment.json
//	                    populations/*.json
//	                    passwordPolicies/*.json
//	                    signOnPolicies/*.json      with their actions
//	                    applications/*.json        with their secret and assignments
//	                    users/*.json               seeds, with their password
//
// A file holds one resource as the management API shows it. Files are strict:
// names in exact case, no unknown and no double members, and every fault is
// reported at once. "{base}" in an address is the deployment's own base URL.
// Names that begin with a dot are skipped. The password of a user is its value,
// or an object of value, forceChange and changedAt; the value is in clear, and
// then judged by the password policy, or in a form that directory/hash reads.
//
// An environment with "managed": true owns its resources: what the files do not
// name is removed. One with "managed": false is only seeded, once.
// Source: reference/management.md 4.2, 5.1 to 5.7.
package configs

import "embed"

// Demo is the configuration that the demo runs on: one environment with three
// applications, and with users whose password is in order (ada), must be changed
// (grace) and has expired (alan); all secrets are known to everybody.
//
//go:embed demo
var Demo embed.FS
