# From frames and from the videos themselves: one flow a frame, the first at rest; a second run does
# only what is missing; a killed run leaves nothing half.
i3d synth videos --classes 2 --videos-per-class 2 --frames 12 --size 48 2>log
rm -f videos/split.csv
i3d frames videos rgb --size 48 2>>log
i3d flow rgb flow --preset fast >out 2>>log
same 'frames: 48' "$(grep '^frames:' out)"
for folder in flow/*/*; do
    same 12 "$(cat "$folder/n_frames")"
    same 25 "$(ls "$folder" | wc -l)"
    [ -s "$folder/image_00012y.jpg" ]
done

i3d flow --from-videos videos direct --size 48 --preset fast --flo >out 2>>log
same "$(cd flow && ls ./*/*/*.jpg)" "$(cd direct && ls ./*/*/*.jpg)"
same 48 "$(find direct -name '*.flo' | wc -l)"

gone=$(find flow -mindepth 2 -maxdepth 2 -type d | sort | head -n 1)
rm -r "$gone"
i3d flow rgb flow --preset fast >out 2>>log
same 'finished before: 3' "$(grep '^finished' out)"
same 'frames: 12' "$(grep '^frames:' out)"

"$I3D" flow rgb killed 2>>log >out &
run=$!
sleep .05
kill -9 $run || true # it may have been faster
wait $run || true
for folder in killed/*/*; do
    [ ! -d "$folder" ] || same 25 "$(ls "$folder" | wc -l)"
done
i3d flow rgb killed >out 2>>log
same 4 "$(find killed -name n_frames | wc -l)"
same '' "$(find killed -name '.*.part')"
