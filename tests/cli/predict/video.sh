# A prediction is that of the evaluation: the same class and probabilities, from the file alone.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --threads 1"
for mode in rgb flow; do
    i3d train --mode $mode $data --save-dir $mode --train-sample-duration 8 --spatial-size 32 \
        --resize 0 --batch-size 4 --num-epochs 1 --optimizer sgd --no-eval --quiet >/dev/null
done
rgb=rgb/checkpoints/i3d-1_1.ckpt flow=flow/checkpoints/i3d-1_1.ckpt
cp v/up/up_g02_c01.avi 'a video (1).avi'

# best FILE: the first class and its probability.
best() {
    awk '/^ +[01]\.[0-9]+ / { print $2, $1; exit }' "$1"
}
for mode in rgb flow; do
    network="--$mode $mode/checkpoints/i3d-1_1.ckpt"
    i3d eval $data $network --flow-preset fast --save-dir result --quiet >/dev/null
    i3d predict 'a video (1).avi' --size 0 --threads 1 $network --flow-preset fast >stdout
    grep -q '^  *video: a video (1).avi$' stdout
    same "$(awk -F, '$1 == "up_g02_c01" { printf "%s %.4f", $5, 1 / (1 + exp($8 - $6)) }' \
        result/$mode/videos.csv)" "$(best stdout)"
done

# Both networks; names of one's own; JSON; more classes asked for than there are.
echo '["going down", "going up"]' >names.json
i3d predict 'a video (1).avi' --size 0 --rgb $rgb --flow $flow --labels names.json --json --top 9 \
    >stdout
grep -q '"class": "going up"' stdout
same 2 "$(grep -c '"probability"' stdout)"
i3d predict 'a video (1).avi' --size 0 --rgb $rgb --labels a.json >stdout
grep -q ' up$' stdout

# A bad file does not stop the others.
echo text >text.avi
fails 1 "1 of 2 videos failed" i3d predict text.avi 'a video (1).avi' --size 0 --rgb $rgb
grep -q "text.avi" stderr
grep -q '^  *video: a video (1).avi$' stdout
fails 1 "'none.avi'" i3d predict none.avi --rgb $rgb
fails 1 "3 labels, the network 2 classes" sh -c \
    "echo '[\"a\", \"b\", \"c\"]' >three.json && '$I3D' predict 'a video (1).avi' --rgb $rgb --labels three.json"
fails 1 "neither an annotation nor an array" sh -c \
    "echo '{}' >none.json && '$I3D' predict 'a video (1).avi' --rgb $rgb --labels none.json"
