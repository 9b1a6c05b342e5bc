#!/bin/sh
# Runs a network over the clips of run_preprocess.sh and measures its accuracy, with the original's
# arguments. What is said goes to infer_DATASET_MODE.log and acc_DATASET_MODE.log too. MINDIR_PATH
# may be a .mindir, an .onnx or a checkpoint; for one of the original: I3D_OPTIONS="--compat
# mindspore". DEVICE_ID must be 0: the network runs on this machine's processors.
set -eu
. "$(dirname "$0")/program.sh"
usage 4 "MINDIR_PATH DATASET DEVICE_ID MODE" $#
if [ "$3" != 0 ]; then
    echo "run_infer_310.sh: there is no device '$3': give 0, this machine's processors" >&2
    exit 2
fi
# shellcheck disable=SC2086 # options are meant to be split
i3d infer --model "$1" --mode "$4" "preprocess_Result/data/$2/$4" ${I3D_OPTIONS:-} \
    >"infer_$2_$4.log"
cat "infer_$2_$4.log"
i3d postprocess --dataset "$2" --mode "$4" >"acc_$2_$4.log"
cat "acc_$2_$4.log"
