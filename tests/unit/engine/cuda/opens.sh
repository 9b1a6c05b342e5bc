#!/bin/sh
# The plug-in opens, also where there is neither a card nor a driver, and doctor has a line about it:
# opens.sh I3D FOLDER
set -eu
said=$(I3D_PLUGIN_PATH=$2 "$1" doctor 2>&1) || true
if echo "$said" | grep -q 'left out a plug-in'; then
    echo "$said"
    exit 1
fi
echo "$said" | grep -Eq '^ *cuda: (NVIDIA cards|cannot run here: .*--device cpu)'
