#!/usr/bin/env bash
# Runs go test with the arguments given. When something fails it says at the end which
# tests, and what they said: above, the logs of their nodes stand between.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test "$@" 2>&1 | tee "$log"
status=$?
if [ $status -ne 0 ]; then
	printf '\nFailed:\n'
	# A verdict, or the place and the first lines of what a test said; not its logs.
	awk '
		/^ *--- FAIL|^FAIL|^panic: |WARNING: DATA RACE|\[build failed\]|^# / { print; left = 0; next }
		/^ +[a-z0-9_]+\.go:[0-9]+: / { left = /log of node/ ? 0 : 12 }
		/^ *(---|===|ok|\?)/ { left = 0 }
		left-- > 0 { print substr($0, 1, 400) }
	' "$log"
fi
exit $status
