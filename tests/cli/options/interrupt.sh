# A signal stops the work at its next safe point: status 1, the way to go on, nothing half-written.
i3d doctor >doctor || skip 'this program cannot write videos'
: >stderr
there=$(ls -A | wc -l)
"$I3D" synth videos --videos-per-class 1000 --frames 1000 2>stderr &
run=$!
while kill -0 $run 2>/dev/null && [ "$(ls -A | wc -l)" -le "$there" ]; do sleep .05; done
kill -TERM $run
code=0
wait $run || code=$?
same 1 "$code"
same 'i3d: stopped on request; run the same command again to go on' "$(cat stderr)"
[ ! -e videos ]
