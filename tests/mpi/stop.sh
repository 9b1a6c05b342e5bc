# A training of two processes that is asked to stop, killed in part or as a whole, or runs into a
# full disk or a bad picture: it ends by itself and leaves no process, says why once, and ends after
# --resume with the bytes of one that never was stopped. Each is tried at two moments, or at
# I3D_MOMENTS of them, spread over a step and more.

moments=${I3D_MOMENTS:-2}
every() {
    awk "BEGIN { for (i = 0; i < $moments; i++) print .4 * i / $moments }"
}

i3d synth v --classes 2 --videos-per-class 5 --frames 10 --size 48 --quiet >/dev/null
i3d frames v jpg --size 0 --quiet >/dev/null
i3d annotate folder jpg a.json --split v/split.csv --quiet >/dev/null
options="--video-path jpg --annotation-path a.json --resize 0 --threads 1 --num-workers 1
    --train-sample-duration 8 --spatial-size 32 --batch-size 2"
i3d train $options --num-epochs 1 --save-dir start --optimizer sgd --quiet >/dev/null
# Fine-tuning, so that checkpoints are small; and one after each step.
options="$options --num-epochs $((4 * moments)) --checkpoint-path start/checkpoints/best.ckpt
    --finetune-prefixes logits,Mixed_5c --checkpoint-minutes .0001 --checkpoints-num-keep 1"
mpi 2 train $options --save-dir "$PWD/whole" --quiet >/dev/null

moment=0
steps() {
    cat "$run/log.jsonl" 2>/dev/null | grep -c '"event": "step"' || true
}

# begin DELAY: begins or goes on in $run, and returns so long after its next step; $job is mpirun.
begin() {
    go_on="$options --save-dir $run"
    ls "$run"/checkpoints/i3d-*.ckpt >/dev/null 2>&1 && go_on="--resume $run"
    before=$(steps)
    # shellcheck disable=SC2086 # options are meant to be split
    mpirun $MPIRUN -n 2 "$I3D" train $go_on >out 2>err &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(steps)" = "$before" ]; do sleep .02; done
    sleep "$1"
    moment=$((moment + 1))
}

# ended CODES WORDS: the job ended by itself with one of CODES and said WORDS, and nobody is left.
ended() {
    (sleep 60 && kill -9 $job) 2>/dev/null & # only guards the test
    watchdog=$!
    code=0
    wait $job || code=$?
    kill $watchdog 2>/dev/null || true
    case " $1 " in
    *" $code "*) ;;
    *)
        echo "exit status $code, not one of $1" >&2
        cat err >&2
        return 1
        ;;
    esac
    [ -z "$2" ] || same 1 "$(grep -c "$2" err)"
    tries=0
    while pgrep -f "train .*$run" >/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep .1
    done
}

rank() {
    pgrep -P $job | sed -n "$(($1 + 1))p"
}

# finish: what is left to train, and the bytes.
finish() {
    go_on="$options --save-dir $run"
    ls "$run"/checkpoints/i3d-*.ckpt >/dev/null 2>&1 && go_on="--resume $run"
    mpi 2 train $go_on --quiet >/dev/null
    last=checkpoints/i3d-$((4 * moments))_2.ckpt
    cmp "whole/$last" "$run/$last"
    [ -z "$(find "$run" -name '*.part' -o -name stop)" ]
}

# Asked: the step is finished, saved and said; a second signal changes nothing.
run=$PWD/asked
for delay in $(every); do
    begin $delay
    kill -USR1 $job
    kill -USR1 $job 2>/dev/null || true
    ended 0 "^stopped as asked at epoch .* go on with: mpirun -n 2 i3d train --resume '$run'$"
done
begin 0
touch "$run/stop"
ended 0 "^stopped as asked at epoch "
finish

run=$PWD/killed
which=0
for delay in $(every); do
    begin $delay
    kill -9 "$(rank $which)"
    which=$((1 - which))
    ended 137 'exited on signal 9 (Killed)'
done
finish

run=$PWD/orphaned
for delay in $(every); do
    begin $delay
    kill -9 $job
    ended 137 ''
done
finish

run=$PWD/terminated
for delay in $(every); do
    begin $delay
    kill -TERM $job
    ended '1 143' ''
done
finish

run=$PWD/picture
for delay in $(every); do
    begin $delay
    find jpg -name image_00004.jpg | while read -r file; do
        mv "$file" "$file.kept"
        head -c 100 "$file.kept" >"$file"
    done
    ended 1 '^i3d: .*training stopped\|^i3d: .*image_00004.jpg'
    find jpg -name image_00004.jpg.kept | while read -r file; do mv "$file" "${file%.kept}"; done
done
finish

mkdir small
mount -t tmpfs -o size=400m tmpfs small 2>/dev/null || exit 0 # only root can
trap 'umount small' EXIT
run=$PWD/small/run
for delay in $(every); do
    begin $delay
    dd if=/dev/zero of=small/filling bs=64k 2>/dev/null || true
    ended 1 'No space left on device; free some space'
    rm small/filling
done
finish
echo "$moment moments, each ended by itself and went on to the same bytes"
