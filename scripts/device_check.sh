#!/bin/sh
# Everything that wants an NVIDIA card, in one command of less than 8 minutes:
#
#     scripts/device_check.sh [OUT]
#
# Builds what is not built (the CUDA toolkit, CMake and cuDNN 9 are all it takes), then checks every
# kernel and the whole engine against plain C, runs a training step under compute-sanitizer, and sets
# our times beside PyTorch's where python3 has it. OUT, by default build/device/results, gets a table
# and results.json. BUILD names another build folder. Ends with 1 if a check failed.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/device}
out=${1:-$build/results}
result=0
mkdir -p "$out"

# cuDNN of the Python package, where the toolkit has none.
cudnn=$(python3 -c 'import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])' 2>/dev/null)
if [ -n "$cudnn" ]; then
    export CUDNN_PATH="$cudnn"
    export LD_LIBRARY_PATH="$cudnn/lib:${LD_LIBRARY_PATH:-}"
fi
if [ ! -x "$build/bench/device_bench" ]; then
    cmake -S "$root" -B "$build" -DI3D_NETWORK_ONLY=ON -DI3D_TESTS=OFF -DI3D_ONEDNN=OFF \
        -DI3D_CUDA=ON >"$out/build.txt" 2>&1 &&
        cmake --build "$build" -j --target device_bench >>"$out/build.txt" 2>&1 ||
        { tail -20 "$out/build.txt"; exit 1; }
fi
kernels=$build/check
if [ ! -x "$kernels/check" ]; then
    make -j -C "$root/src/engine/cuda/check" OUT="$kernels" all >"$out/build_check.txt" 2>&1 ||
        { tail -20 "$out/build_check.txt"; exit 1; }
fi
export I3D_CUDA_CHOICES="$out/choices"

part() {
    name=$1
    seconds=$2
    shift 2
    echo "== $name"
    timeout "$seconds" "$@" >"$out/$name.txt" 2>&1
    status=$?
    [ $status = 0 ] || { result=1; echo "$name ended with $status"; }
    grep -v '^JSON' "$out/$name.txt" | tail -60
}

part kernels 45 "$kernels/check" "$kernels/twins.so"
part check 110 env I3D_CUDA_TRIES=3 "$build/bench/device_bench" check steps
part time 100 "$build/bench/device_bench" time
if command -v compute-sanitizer >/dev/null; then
    part sanitizer 70 env I3D_CUDA_TRIES=1 compute-sanitizer --error-exitcode 3 "$build/bench/device_bench" once
    part races 35 compute-sanitizer --tool racecheck --error-exitcode 3 "$kernels/check" -c "$kernels/twins.so"
fi
if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    part torch 90 python3 "$root/bench/device_torch.py"
fi
cat "$out/time.txt" "$out/check.txt" >"$out/ours.txt"
[ -f "$out/torch.txt" ] || : >"$out/torch.txt"
python3 "$root/bench/device.py" "$out/ours.txt" "$out/torch.txt" --json "$out/results.json" |
    tee "$out/table.txt"
exit $result
