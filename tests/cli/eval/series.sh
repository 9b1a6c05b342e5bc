# Many checkpoints of a run: a table of them, the best first and marked.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --threads 1"
i3d train $data --save-dir run --train-sample-duration 8 --spatial-size 32 --resize 0 --batch-size 4 \
    --num-epochs 3 --optimizer sgd --no-eval --quiet >/dev/null
same "" "$(find run -name best.ckpt)"

i3d eval --mode rgb $data --checkpoints run/checkpoints >stdout
grep -q '^summary: run/checkpoints/summary.txt$' stdout
same 3 "$(grep -c 'rgb accuracy: ' stdout)"
same 3 "$(grep -c 'checkpoint: run/checkpoints/i3d-' stdout)"
grep '\.ckpt$' run/checkpoints/summary.txt >table
same 3 "$(wc -l <table)"
same 1 "$(grep -c '^\*' table)"
head -n 1 table | grep -q '^\*'
same "$(awk '{ print $(NF - 2) }' table)" "$(awk '{ print $(NF - 2) }' table | sort -rn)"
# The table says of each what an evaluation of it alone does.
while read -r line; do
    file=${line##* }
    accuracy=$(i3d eval $data --rgb "$file" --quiet | sed -n 's/^rgb accuracy: //p')
    echo "$line" | awk -v a="$accuracy" '{ exit !($(NF - 2) == a) }'
done <table

i3d eval --mode rgb $data --checkpoints run/checkpoints --from 2 --to 2 --save-dir two --quiet \
    >/dev/null
same 1 "$(grep -c '\.ckpt$' two/summary.txt)"
grep -q 'i3d-2_1.ckpt' two/summary.txt
fails 1 "holds no i3d-EPOCH_STEP.ckpt of epochs 33 to 40" \
    i3d eval --mode rgb $data --checkpoints run/checkpoints --from 33 --to 40
