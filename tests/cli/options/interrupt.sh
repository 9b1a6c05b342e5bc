# A signal stops the work at its next safe point: status 1, the way to go on, nothing half-written.
i3d doctor >doctor || skip 'this program cannot write videos'
"$I3D" synth videos --videos-per-class 1000 --frames 1000 2>stderr &
sleep 0.5
kill -TERM $!
code=0
wait $! || code=$?
same 1 "$code"
same 'i3d: stopped on request; run the same command again to go on' "$(cat stderr)"
[ ! -e videos ]
