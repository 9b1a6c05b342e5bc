# rgb, flow and both: each video once, the numbers of the tables are those that are printed, and pairs
# are by name.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d prepare mine v data --split v/split.csv --size 0 --quiet >/dev/null
for mode in rgb flow; do
    i3d train --mode $mode --dataset mine --video-path data/$mode/mine/jpg \
        --annotation-path data/$mode/mine/annotation/mine_1.json --save-dir $mode --resize 0 \
        --train-sample-duration 8 --spatial-size 32 --batch-size 4 --num-epochs 2 --threads 1 \
        --optimizer sgd --quiet >/dev/null
done
paths="--video-path data/rgb/mine/jpg --video-path-joint-flow data/flow/mine/jpg
    --annotation-path data/rgb/mine/annotation/mine_1.json"
networks="--rgb rgb/checkpoints/best.ckpt --flow flow/checkpoints/best.ckpt --threads 1"
i3d eval $networks $paths --save-dir result >stdout

# value NAME FILE: of a "name: value" line.
value() {
    sed -n "s/^$1: //p" "$2"
}
for mode in rgb flow joint; do
    same 4 "$(value "$mode videos" stdout)"
    same result/$mode "$(value $mode stdout)"
    same 5 "$(wc -l <result/$mode/videos.csv)"
    same "$(value "$mode accuracy" stdout)" \
        "$(awk -F, 'NR > 1 { right += $4 } END { printf "%.6g", right / (NR - 1) }' \
            result/$mode/videos.csv)"
    # The diagonal of the confusion is what is right, its sum all videos.
    same "$(value "$mode accuracy" stdout) 4" \
        "$(awk -F, 'NR > 1 { right += $NR; for (i = 2; i <= NF; i++) all += $i }
            END { printf "%.6g %d", right / all, all }' result/$mode/confusion.csv)"
    grep -q '^down,2,' result/$mode/classes.csv
    grep -q '^<svg' result/$mode/confusion.svg
done

# score NETWORK VIDEO CLASS: from a table.
score() {
    awk -F, -v video="$2" -v class="$3" \
        '$1 == video { for (i = 5; i < NF; i += 2) if ($i == class) print $(i + 1) }' \
        "$1/videos.csv"
}
# near A B: equal but for the digits that a table has.
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; m = a < 0 ? -a : a;
        exit !(a != "" && b != "" && (d < 0 ? -d : d) <= 1e-5 * (m + 1)) }' && return
    echo "$1 is not $2" >&2
    return 1
}
video=up_g02_c01
sum=$(echo "$(score result/rgb $video up) $(score result/flow $video up)" | awk '{ print $1 + $2 }')
near "$sum" "$(score result/joint $video up)"

# Weights; and probabilities instead of logits.
i3d eval $networks $paths --save-dir weighed --rgb-weight 0.5 --flow-weight 3 --quiet >/dev/null
sum=$(echo "$(score result/rgb $video up) $(score result/flow $video up)" |
    awk '{ print .5 * $1 + 3 * $2 }')
near "$sum" "$(score weighed/joint $video up)"
i3d eval $networks $paths --save-dir soft --fusion softmax --quiet >/dev/null
sum=$(for stream in rgb flow; do
    echo "$(score result/$stream $video up) $(score result/$stream $video down)"
done | awk '{ sum += 1 / (1 + exp($2 - $1)) } END { print sum }')
near "$sum" "$(score soft/joint $video up)"

# A video without flow has no joint score, and shifts no other.
mkdir fewer
cp -r data/flow/mine/jpg fewer
rm -r fewer/jpg/down/down_g02_c01
i3d eval $networks --video-path data/rgb/mine/jpg --video-path-joint-flow fewer/jpg \
    --annotation-path data/rgb/mine/annotation/mine_1.json --save-dir fewer >stdout 2>stderr
same 3 "$(value 'joint videos' stdout)"
grep -q '1 videos are in one stream only' stderr
same "$(grep ^up result/joint/videos.csv)" "$(grep ^up fewer/joint/videos.csv)"

# Exactly n clips a video, averaged; JSON; the original's names of options; the training videos.
i3d eval $networks $paths --num-val-samples 3 --save-dir three --quiet >/dev/null
same "3 3 3 3" "$(awk -F, 'NR > 1 { print $3 }' three/joint/videos.csv | xargs)"
i3d eval --test_mode rgb --rgb_path rgb/checkpoints/best.ckpt $paths --subset training --json \
    --num_classes 51 --context gr 2>stderr | grep -q '"rgb_videos": 4'
grep -q -- '--context means nothing here' stderr
