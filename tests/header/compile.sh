#!/bin/sh
# compile.sh COMPILER c|c++ INCLUDE_FOLDER HEADER
set -eu
command -v "$1" >/dev/null || {
    echo "skipped: there is no $2 compiler"
    exit 77
}
printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$4" "$4" |
    "$1" -x "$2" -std="$2"11 -Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only -I "$3" -
