// Package keys owns the deployment's key ring and makes signing keys.
//
// A Ring holds one or two generations of one 32-byte secret. The first makes,
// every one checks and opens, so that what was made before a rotation is good
// until the rotation after it. From each secret HKDF-SHA256 derives one key for
// each purpose, and no key serves two:
//
//   - "hash/<purpose>": HMAC-SHA256 of what is derived instead of stored (cookie
//     values, step tokens, authorization codes, repeat marks);
//   - "seal": AES-256-GCM of what must be readable again (client secrets, signing
//     keys), bound to its environment and column.
//
// Nodes that share stores share the ring. To rotate without a moment in which one
// node cannot check what another made, put the new generation second everywhere,
// then first everywhere, then drop the old one.
package keys
