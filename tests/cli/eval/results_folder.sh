# Whether the results can be written is asked before the work, not after it.
mkdir -p jpg/run/a jpg/sit/b result
printf 8 | tee jpg/run/a/n_frames >jpg/sit/b/n_frames
printf '%s\n' video,class,subset a,run,training b,sit,validation >split.csv
i3d annotate folder jpg set.json --split split.csv >report
data='--rgb none.ckpt --video-path jpg --annotation-path set.json'
# shellcheck disable=SC2086 # the options are meant to be split
fails 1 '/proc/result' i3d eval $data --save-dir /proc/result
command -v flock >/dev/null || skip 'flock is not installed: two runs at once were not tried'
code=0
# shellcheck disable=SC2086
flock result/.lock "$I3D" eval $data --save-dir result 2>said || code=$?
same 1 "$code"
grep -q "another run is writing to 'result'" said
