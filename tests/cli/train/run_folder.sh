# What a training leaves: options, log, checkpoints, the best; and lines as the original's.

i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
i3d train --mode rgb --dataset mine --source video --size 0 --video_path v --annotation_path a.json \
    --train_sample_duration 8 --spatial_size 32 --resize 0 --batch_size 2 --num_epochs=3 \
    --checkpoints_num_keep 2 --optimizer SGD --threads 1 --save_dir run --distributed=True \
    --context gr >stdout 2>stderr

grep -q '^folder: run$' stdout
grep -q '^steps: 6$' stdout
grep -q '^step size per epoch: 2$' stderr
grep -Eq '^epoch: 3 step: 2, loss is [0-9.]+$' stderr
grep -Eq '^epoch time: [0-9.]+ ms, per step time: [0-9.]+ ms$' stderr
grep -Eq '^total_time: [0-9.]+$' stderr
grep -q '^Finished training.$' stderr
grep -q -- '--context means nothing here' stderr
same "best.ckpt i3d-2_2.ckpt i3d-3_2.ckpt" "$(ls run/checkpoints | tr '\n' ' ' | sed 's/ $//')"
grep -q '"batch-size": 2' run/config.json
same 6 "$(grep -c '"event": "step"' run/log.jsonl)"
same 3 "$(grep -c '"event": "validation"' run/log.jsonl)"

# The folder is another run's now; with its own options it goes on, here for one epoch more.
fails 1 "go on with it by --resume" \
    i3d train --source video --video-path v --annotation-path a.json --save-dir run
i3d train --resume run --num-epochs 4 --quiet >stdout
grep -q '^steps: 8$' stdout
[ -e run/checkpoints/i3d-4_2.ckpt ]
fails 1 "the run began with seed 2022" i3d train --resume run --seed 3 --num-epochs 5
fails 1 "holds no checkpoint" sh -c "mkdir -p empty/checkpoints && cp run/config.json empty &&
    '$I3D' train --resume empty"

# Without --save-dir the folder's name has the original's form.
i3d train --mode rgb --dataset mine --source video --size 0 --video-path v --annotation-path a.json \
    --train-sample-duration 8 --spatial-size 32 --resize 0 --batch-size 8 --num-epochs 1 --no-eval \
    --optimizer sgd --threads 1 --device-id 3 --quiet >stdout
ls output_standalone | grep -Eq '^[0-9]{8}_[0-9]{4}_mine_rgb_device3$'
[ ! -e output_standalone/*/checkpoints/best.ckpt ]
