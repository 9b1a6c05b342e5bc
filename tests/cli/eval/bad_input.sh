# Options that are missing or contradict each other are 2; what the files hold is 1, and is named.

fails 2 "--rgb says which checkpoint" i3d eval
fails 2 "--video-path says where the rgb is" i3d eval --rgb a.ckpt
fails 2 "--flow says which checkpoint" i3d eval --mode flow --rgb a.ckpt
fails 2 "two checkpoints" i3d eval --mode joint --rgb a.ckpt
fails 2 "--from and --to are epochs of --checkpoints" i3d eval --rgb a.ckpt --from 3
fails 2 "leave out --rgb" i3d eval --checkpoints run --rgb a.ckpt
fails 2 "one stream" i3d eval --checkpoints run --mode joint
fails 2 "--from 40 is behind --to 33" i3d eval --checkpoints run --from 40 --to 33
fails 2 "--rgb, --flow or both" i3d predict a.mp4

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--source video --size 0 --video-path v --annotation-path a.json --threads 1"
i3d train $data --save-dir run --train-sample-duration 8 --spatial-size 32 --resize 0 --batch-size 4 \
    --num-epochs 1 --optimizer sgd --no-eval --quiet >/dev/null
mv run/checkpoints/i3d-1_1.ckpt a.ckpt

fails 2 "--video-path-joint-flow says where the flow is" i3d eval $data --rgb a.ckpt --flow a.ckpt
fails 1 "cannot open 'none.ckpt'" i3d eval $data --rgb none.ckpt
fails 1 "'a.ckpt': it has 3 input channels, but the flow stream has 2" i3d eval $data --flow a.ckpt
head -c 3000000 a.ckpt >cut.ckpt
fails 1 "cut.ckpt" i3d eval $data --rgb cut.ckpt
sed 's/"labels": \[/&"one more", /' a.json >three.json
fails 1 "the data set has 3 classes, the network only 2" \
    i3d eval $data --rgb a.ckpt --annotation-path three.json
fails 1 "cannot open 'none.json'" i3d eval $data --rgb a.ckpt --annotation-path none.json
fails 1 "'v/split.csv' is not whole JSON" i3d eval $data --rgb a.ckpt --annotation-path v/split.csv
fails 1 "a crop of 64 x 64 does not fit" i3d eval $data --rgb a.ckpt --spatial-size 64 --resize 0
fails 2 "--test-sample-duration is" i3d eval $data --rgb a.ckpt --test-sample-duration 7
fails 2 "--spatial-size is" i3d eval $data --rgb a.ckpt --spatial-size 31

# Videos of the annotation that are not there: told and left out, or with --strict an error; none at
# all is an error.
mv v/up/up_g02_c01.avi kept.avi
i3d eval $data --rgb a.ckpt >stdout 2>stderr
grep -q 'up/up_g02_c01' stderr
grep -q '^rgb videos: 3$' stdout
fails 1 "up/up_g02_c01" i3d eval $data --rgb a.ckpt --strict
mkdir empty
fails 1 "'empty'" i3d eval $data --rgb a.ckpt --video-path empty
same "" "$(find . -name '*.part' -o -name summary.txt)"
