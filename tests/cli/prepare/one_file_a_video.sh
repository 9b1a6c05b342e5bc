# --store mkv: what frames and flow write, byte for byte; kill -9 leaves nothing half-made and loses
# at most the videos in hand.
i3d synth v --classes 2 --videos-per-class 3 --frames 8 --size 64 >report 2>&1 ||
    skip "built without FFmpeg"
i3d prepare set v data --split v/split.csv --size 48 --store mkv >report
same 6 "$(ls data/rgb/set/jpg/*/*.mkv | wc -l)"
same 6 "$(ls data/flow/set/jpg/*/*.mkv | wc -l)"
i3d nframes data/flow/set/jpg --rgb data/rgb/set/jpg >report
grep -q "frames: 48" report

i3d frames v rgb --size 48 --store mkv >report
i3d frames v jpg --size 48 >report
i3d flow --from-videos v flow --size 48 --store mkv >report
diff -r -x .lock rgb data/rgb/set/jpg
diff -r -x .lock flow data/flow/set/jpg
# The frames of a file are those of a folder, so the flow is too.
i3d flow rgb flow_of_mkv --store mkv --codec ffv1 >report
i3d flow jpg flow_of_jpg --store mkv --codec ffv1 >report
diff -r -x .lock flow_of_mkv flow_of_jpg
i3d annotate folder jpg jpg.json --split v/split.csv >report
i3d annotate folder rgb mkv.json --split v/split.csv >report
cmp jpg.json mkv.json
cmp jpg.json data/flow/set/annotation/set_1.json

for moment in 0.02 0.05 0.1 0.2; do
    find killed -name '*.mkv' >before 2>/dev/null || true
    timeout -s KILL $moment "$I3D" prepare set v killed --split v/split.csv --size 48 \
        --store mkv --jobs 2 >report 2>&1 || true
    find killed -name '*.mkv' ! -name '.*' >after 2>/dev/null || true
    for file in $(cat before after | grep -v '/\.' || true); do
        cmp "$file" "data${file#killed}"
    done
done
i3d prepare set v killed --split v/split.csv --size 48 --store mkv >report
diff -r -x .lock data killed

fails 2 "--codec ffv1 needs --store mkv" i3d frames v x --codec ffv1
fails 2 "--flo files need a folder" i3d flow rgb x --store mkv --flo
