#!/bin/sh
# run.sh PROGRAM CASE.sh: a case of tests/cli/run.sh, with what mpirun.sh has.
. "$(dirname "$0")/mpirun.sh"
here=$(cd "$(dirname "$0")" && pwd)
case=$(mktemp)
trap 'rm -f "$case"' EXIT
cat "$here/mpirun.sh" "$2" >"$case"
"$here/../cli/run.sh" "$1" "$case"
