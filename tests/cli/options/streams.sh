# A standard stream that was closed never becomes a data file; a limit on the size of files and a
# reader that left are errors, and leave nothing.
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --threads 1 --resize 0
    --train-sample-duration 8 --spatial-size 32 --batch-size 4 --num-epochs 1 --optimizer sgd"
i3d train $options --save-dir run <&- >/dev/null 2>&-
grep -q '^{"event"' run/log.jsonl
! grep -qv '^{"event"' run/log.jsonl
fails 1 'cannot write to the standard output' sh -c '"$I3D" inspect run/checkpoints/best.ckpt >&-'
same 1 "$(i3d inspect run/checkpoints/best.ckpt | head -1 | wc -l)"

(
    ulimit -f 2000 # blocks of 512 bytes
    fails 1 'File too large' i3d convert run/checkpoints/best.ckpt x.safetensors
    fails 1 'File too large' i3d train $options --save-dir other
)
[ ! -e x.safetensors ]
same '' "$(find . -name '*.part')"
same '' "$(ls other/checkpoints)"
