#!/usr/bin/env bash
# Installs the programs that the tests start, those that are missing only, with
# apt-get. Needs root or sudo when something is missing, and nothing otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
need() { # need PROGRAM PACKAGE REASON
	command -v "$1" >/dev/null && return
	echo "install-test-programs: $2, for $3"
	packages+=("$2")
}

need redis-server redis-server "the tests of the session store: one server, a cluster, Sentinel"
if ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then # kept out of PATH by Debian
	need postgres postgresql "the tests of the directory on PostgreSQL"
fi
need pgrep procps "the tests that kill a PostgreSQL server"
need chromium chromium "the tests that drive a browser"

locks=$(git ls-files '*package-lock.json' 2>/dev/null || true)
if [ -n "$locks" ]; then
	need node nodejs "the test clients written in JavaScript"
	need npm npm "the test clients written in JavaScript"
fi

if [ ${#packages[@]} -gt 0 ]; then
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		sudo=sudo
	fi
	export DEBIAN_FRONTEND=noninteractive
	$sudo apt-get update -q
	if [[ " ${packages[*]} " == *" postgresql "* ]]; then
		# The tests start servers of their own: the package need not start one.
		$sudo apt-get install -q -y --no-install-recommends postgresql-common
		$sudo sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	fi
	$sudo apt-get install -q -y --no-install-recommends "${packages[@]}"
fi

for lock in $locks; do
	dir=$(dirname "$lock")
	if [ ! -d "$dir/node_modules" ] || [ "$lock" -nt "$dir/node_modules" ]; then
		echo "install-test-programs: npm ci in $dir"
		(cd "$dir" && npm ci --no-audit --no-fund && touch node_modules)
	fi
done
