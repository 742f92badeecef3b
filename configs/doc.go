// Package configs is configuration as documents. Every kind of resource is declared
// once, in kinds.go, and from that follow the files, the management API, the checks
// and what is served as immutable Bundles, one per environment.
//
//	Kind ──┬─ Load, Check, Apply   a directory of files ──▶ store
//	       ├─ Editor               one resource at a time ─▶ store
//	       └─ Registry             store ─▶ Bundles, within a second on every node
//
//	<dir>/<environment>/environment.json
//	                    recaptchaV2Config.json     with its secretKey
//	                    notificationsSettings.json
//	                    mfaSettings.json
//	                    passwordPolicies/*.json
//	                    populations/*.json
//	                    agreements/*.json          with their languages and revisions
//	                    forms/*.json
//	                    externalServices/*.json    with their secrets
//	                    fido2Policies/*.json
//	                    deviceAuthenticationPolicies/*.json
//	                    identityProviders/*.json   with their clientSecret and attributes
//	                    flowDefinitions/*.json
//	                    signOnPolicies/*.json      with their actions
//	                    applications/*.json        with their secret and assignments
//	                    users/*.json               seeds, with their password
//
// Files and changes are judged by one check of the whole environment as it would
// be, and every fault is said at once. Bodies are strict: names in exact case, no
// unknown and no double members; members that a client was shown and that are not
// kept, such as createdAt, may be sent back. "{base}" in an address is the
// deployment's own base URL. Files whose names begin with a dot are skipped. The
// password of a user is its value, or an object of value, forceChange and
// changedAt; the value is in clear, and then judged by the password policy, or in a
// form that directory/hash reads.
//
// Parts, such as the actions of a policy, lie in the document that they are parts
// of. One that a file gives no id has one that follows from its place.
//
// An environment with "managed": true is owned by its files: what they do not name
// is removed, and the Editor leaves it alone. One with "managed": false is only
// seeded, once. Source: reference/management.md 2.2, 3.2, 3.6, 4.1 to 4.3, 5.1 to 5.10.
package configs

import "embed"

// Demo is the configuration that the demo runs on: one environment with three
// applications, and with users whose password is in order (ada), must be changed
// (grace) and has expired (alan); all secrets are known to everybody.
//
//go:embed demo
var Demo embed.FS
