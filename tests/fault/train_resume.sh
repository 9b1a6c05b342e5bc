# A training that is asked to stop, and then killed again and again, ends with the bytes of one that
# never was.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --threads 1
    --train-sample-duration 8 --spatial-size 32 --batch-size 2 --num-workers 1 --quiet"
# Fine-tuning, so that checkpoints are small.
i3d train $options --num-epochs 1 --save-dir start --optimizer sgd >/dev/null
options="$options --num-epochs 5 --checkpoint-path start/checkpoints/best.ckpt
    --finetune-prefixes logits,Mixed_5c"
i3d train $options --save-dir whole >/dev/null

steps() {
    grep -c '"event": "step"' broken/log.jsonl 2>/dev/null || true
}

# start_and_stop SIGNAL DELAY: begins or goes on, and so long after the next step sends the signal.
start_and_stop() {
    go_on="$options --save-dir broken"
    ls broken/checkpoints/i3d-*.ckpt >/dev/null 2>&1 && go_on="--resume broken --quiet"
    before=$(steps)
    "$I3D" train $go_on >/dev/null 2>stderr &
    while kill -0 $! 2>/dev/null && [ "$(steps)" = "$before" ]; do sleep .02; done
    sleep "$2"
    kill -s "$1" $! 2>/dev/null || true
    status=0
    wait $! || status=$?
}

start_and_stop TERM 0
same 1 $status
grep -q "stopped as asked at epoch .* go on with --resume 'broken'" stderr
killed=0
for delay in 0 .3 .1 .2 .05 .15; do
    start_and_stop KILL $delay
    [ $status = 137 ] && killed=$((killed + 1))
done
[ $killed -gt 2 ]
i3d train --resume broken --quiet >/dev/null

cmp whole/checkpoints/i3d-5_2.ckpt broken/checkpoints/i3d-5_2.ckpt
cmp whole/checkpoints/best.ckpt broken/checkpoints/best.ckpt
[ -z "$(find broken -name '*.part')" ]
