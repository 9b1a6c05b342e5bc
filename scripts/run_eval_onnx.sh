#!/bin/sh
# Evaluates .onnx files in ONNX Runtime, with the original's arguments; a copy of what it says goes
# to MODE_onnx_eval.log. DEVICE_TARGET is CPU, or GPU: then the card DEVICE_ID of a library with
# CUDA. For files that the original exported: I3D_OPTIONS="--compat mindspore".
set -eu
. "$(dirname "$0")/program.sh"
case ${1:-} in
joint)
    usage 10 "joint DEVICE_TARGET DEVICE_ID DATASET VIDEO_PATH VIDEO_PATH_JOINT_FLOW \
ANNOTATION_PATH ANNOTATION_PATH_JOINT_FLOW RGB_PATH FLOW_PATH" $#
    ;;
*) usage 7 "rgb|flow DEVICE_TARGET DEVICE_ID DATASET VIDEO_PATH ANNOTATION_PATH ONNX_PATH" $# ;;
esac
mode=$1 target=$2 device=$3 dataset=$4
shift 4
case $target in
CPU) engine=onnxruntime-cpu ;;
GPU) engine=onnxruntime-cuda CUDA_VISIBLE_DEVICES=$device && export CUDA_VISIBLE_DEVICES ;;
*)
    echo "$(basename "$0"): DEVICE_TARGET is CPU or GPU, not '$target'" >&2
    exit 2
    ;;
esac
if [ "$mode" = joint ]; then
    set -- --video-path "$1" --video-path-joint-flow "$2" --annotation-path "$3" \
        --annotation-path-joint-flow "$4" --rgb "$5" --flow "$6"
else
    set -- --video-path "$1" --annotation-path "$2" "--$mode" "$3"
fi
# shellcheck disable=SC2086 # options are meant to be split
i3d eval --onnx --engine "$engine" --mode "$mode" --device-id "$device" --dataset "$dataset" "$@" \
    ${I3D_OPTIONS:-} >"${mode}_onnx_eval.log" || exit 1
cat "${mode}_onnx_eval.log"
