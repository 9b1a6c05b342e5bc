# A picture that is damaged or missing ends the training and is named; with --skip-bad its clip is
# left out and counted. Nothing of it depends on the number of workers.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d prepare mine v data --split v/split.csv --size 0 --quiet >/dev/null
jpg=data/rgb/mine/jpg
options="--video-path $jpg --annotation-path data/rgb/mine/annotation/mine_1.json --resize 0
    --train-sample-duration 8 --spatial-size 32 --batch-size 2 --num-epochs 2 --optimizer sgd
    --threads 1 --no-eval"

# The same batches, and so the same bits, for 1 and 8 workers.
i3d train $options --num-workers 1 --save-dir one --quiet >/dev/null
i3d train $options --num-workers 8 --save-dir eight --quiet >/dev/null
cmp one/checkpoints/i3d-2_2.ckpt eight/checkpoints/i3d-2_2.ckpt

head -c 200 $jpg/up/up_g01_c02/image_00005.jpg >cut.jpg
mv cut.jpg $jpg/up/up_g01_c02/image_00005.jpg
fails 1 "up_g01_c02/image_00005.jpg" i3d train $options --save-dir cut
rm $jpg/up/up_g01_c02/image_00005.jpg
fails 1 "up_g01_c02/image_00005.jpg" i3d train $options --save-dir gone

i3d train $options --skip-bad --save-dir skip >/dev/null 2>stderr
same 2 "$(grep -c 'left out a clip: .*up_g01_c02/image_00005.jpg' stderr)"
grep -q '"event": "epoch", "epoch": 2, .*"clips_left_out": 2' skip/log.jsonl
same 6 "$(sed -n 's/.*"clips": \([0-9]*\).*/\1/p' skip/log.jsonl | awk '{ all += $1 } END { print all }')"
i3d eval --subset training --rgb skip/checkpoints/i3d-2_2.ckpt --video-path $jpg --skip-bad \
    --annotation-path data/rgb/mine/annotation/mine_1.json >stdout 2>stderr
grep -q '^1 clips were left out$' stderr
grep -q '^rgb videos: 3$' stdout

# An epoch has as many steps as batches, also where a batch has lost all of its clips.
i3d train $options --batch-size 1 --skip-bad --save-dir single >stdout 2>stderr
grep -q '^steps: 8$' stdout
same 8 "$(grep -c '"event": "step"' single/log.jsonl)"
same 2 "$(grep -c '"event": "step".*"loss": null.*"clips": 0' single/log.jsonl)"
same 2 "$(grep -c 'all clips were left out$' stderr)"
[ -e single/checkpoints/i3d-2_4.ckpt ]
