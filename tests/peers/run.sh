#!/bin/sh
# run.sh LIBI3D DATA FOLDER: comparisons with this year's libraries, in virtual environments under
# FOLDER that stay for the next time. Ends with 1 if one fails.
set -eu
library=$(realpath "$1") data=$2 folder=$3 here=$(dirname "$(realpath "$0")")

# environment NAME PACKAGE...: prints its python.
environment()
{
    name=$1
    shift
    [ -x "$folder/$name/bin/python" ] || python3 -m venv "$folder/$name"
    "$folder/$name/bin/pip" -q install "$@"
    echo "$folder/$name/bin/python"
}

python=$(environment opencv5 numpy==2.2.6 opencv-contrib-python-headless==5.0.0.93)
"$python" "$here/../oracle/compare_flow.py" "$library" "$data/flow"
