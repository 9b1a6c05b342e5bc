# A run that is killed leaves no clips where others look for them, and the next makes all of them.
i3d synth v --classes 2 --videos-per-class 4 --frames 40 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
preprocess="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet
    --test-sample-duration 16 --spatial-size 32 --batch-size 1 --dataset s --num-val-samples 200"
side=one/preprocess_Result/data/s/.rgb.part

# stop SIGNAL STATUS
stop() {
    "$I3D" preprocess $preprocess --root one >stdout 2>stderr &
    while [ ! -e $side/s_bsrgb_20.bin ]; do sleep .01; done
    kill -s $1 $!
    status=0
    wait $! || status=$?
    same $2 $status
    [ ! -e one/preprocess_Result/data/s/rgb ]
}
stop TERM 1
[ ! -e $side ]
stop KILL 137
[ -e $side ]
i3d preprocess $preprocess --root one >stdout
i3d preprocess $preprocess --root two >stdout
same "files: 800 clips: 800 frames: 16 size: 32 " "$(tr '\n' ' ' <stdout)"
diff -r one two
