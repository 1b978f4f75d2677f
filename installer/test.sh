#!/bin/sh
# Set up for development and run every check; the exit code says whether all of them passed.
#
#   sh installer/test.sh                     everything
#   sh installer/test.sh tests/core -k rect  only these tests (what follows goes to pytest)

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/installer/common.sh"
sh "$root/installer/setup.sh" --dev
cd "$root"

failed=

check() {
    name=$1
    shift
    say "" "== $name"
    "$python" -m "$@" || failed="$failed $name"
}

if [ $# -eq 0 ]; then
    check ruff ruff check
    check format ruff format --check
    check mypy mypy
    set -- -n 2
fi
export QT_QPA_PLATFORM=offscreen
check pytest pytest "$@"

[ -z "$failed" ] || fail "failed:$failed"
say "All checks passed."
