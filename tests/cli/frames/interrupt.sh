# Ctrl-C leaves whole folders only; the next run does the rest.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
i3d synth made --classes 2 --videos-per-class 6 --frames 60 --size 120
"$I3D" frames made rgb --size 480 --jobs 1 >out 2>&1 &
run=$!
while kill -0 $run 2>/dev/null && [ -z "$(ls rgb/down 2>/dev/null)" ]; do sleep .02; done
kill -INT $run
code=0
wait $run || code=$?
[ "$code" != 0 ]
grep -q 'stopped' out
for folder in rgb/*/*/; do
    same 60 "$(find "$folder" -name '*.jpg' | wc -l)"
done
same '' "$(find rgb -name '*.part')"
[ "$(find rgb -name n_frames | wc -l)" -lt 12 ]
i3d frames made rgb --size 480
same 12 "$(find rgb -name n_frames | wc -l)"
