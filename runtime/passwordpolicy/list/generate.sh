#!/usr/bin/env bash
# Makes passwords.txt of the published list that README.md names. Needs npm, jq
# and the package registry.
set -euo pipefail
cd "$(dirname "$0")"

version=4.1.3
digest=f422773d94d630f27e08b26d7017e847bb1feb2a84809340e9c0b0c47b33e3f1

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
npm pack --silent --pack-destination "$work" "@zxcvbn-ts/language-common@$version" >/dev/null
tar xzf "$work/zxcvbn-ts-language-common-$version.tgz" -C "$work"
cd "$work/package"
echo "$digest  src/passwords.json" | sha256sum --check --quiet
cp LICENSE.txt "$OLDPWD/LICENSE"
# 8 is the least that length.min may be. The entries are ASCII, so that lower
# case is all there is to fold; a test would miss others.
jq -r '.[] | ascii_downcase | select(length >= 8)' src/passwords.json | LC_ALL=C sort -u >"$OLDPWD/passwords.txt"
