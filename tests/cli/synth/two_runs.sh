# Of two runs that make the same folder the second is refused, and the first is not disturbed.
i3d doctor >doctor || skip 'this program cannot write videos'
"$I3D" synth videos --classes 2 --videos-per-class 20 --frames 60 --jobs 1 >out 2>&1 &
run=$!
while [ ! -e .videos.part ]; do sleep .01; done
fails 1 "another run is writing 'videos'" i3d synth videos --classes 2
wait $run
same 40 "$(find videos -name '*.avi' | wc -l)"
