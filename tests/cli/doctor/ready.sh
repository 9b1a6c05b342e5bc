# The program has settled how OpenMP's threads wait, unless the user has.
i3d doctor >text || true
grep -q '^openmp waits: asleep' text
OMP_WAIT_POLICY=active i3d doctor >text || true
grep -q '^openmp waits: active' text

# Where the program has FFmpeg and TurboJPEG the whole job can be done, and doctor ends with 0;
# where it lacks one, it ends with 1 and names what to install.
code=0
i3d doctor >text || code=$?
if grep -q '^video: FFmpeg' text && grep -q '^image: TurboJPEG' text; then
    same 0 "$code"
    grep -q '^ready: yes' text
    grep -q '^codecs: .*h264 .*mpeg4 ' text
else
    same 1 "$code"
    grep -q '^ready: no' text
    grep -q '  - .*install .*-dev' text
fi
