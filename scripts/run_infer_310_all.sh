#!/bin/sh
# run_infer_310.sh for HMDB51 and UCF101, rgb and flow, with the original's arguments.
set -eu
. "$(dirname "$0")/program.sh"
usage 5 "MINDIR_PATH_HMDB51_RGB MINDIR_PATH_HMDB51_FLOW MINDIR_PATH_UCF101_RGB \
MINDIR_PATH_UCF101_FLOW DEVICE_ID" $#
infer=$(dirname "$0")/run_infer_310.sh
sh "$infer" "$1" hmdb51 "$5" rgb
sh "$infer" "$2" hmdb51 "$5" flow
sh "$infer" "$3" ucf101 "$5" rgb
sh "$infer" "$4" ucf101 "$5" flow
