# Training by several processes: the log says where they are and what a step takes, the first one
# alone writes, a checkpoint of the same number has the same bits, and another number goes on.

i3d synth v --classes 2 --videos-per-class 5 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --num-workers 1
    --train-sample-duration 8 --spatial-size 32"

mpi 2 train $options --batch-size 3 --num-epochs 1 --save-dir a >a.out 2>a.err
grep -q '^process 0 of 2 on .*: may use .* cores, .* threads$' a.err
grep -q '^process 1 of 2 on .*: may use .* cores, .* threads$' a.err
grep -q '^a step takes 6 clips: 2 processes, 3 a batch, 1 batches$' a.err
same 1 "$(grep -c '^epoch: 1 step: 2, loss is' a.err)" # 8 clips: the second has none of the last
same 1 "$(grep -c '^Finished training' a.err)"
same 1 "$(grep -c '^folder: a$' a.out)"
same 2 "$(grep -c '"event": "step"' a/log.jsonl)"
grep -q '"event": "validation", "epoch": 1, "videos": 2,' a/log.jsonl

mpi 2 train $options --batch-size 3 --num-epochs 1 --save-dir b --quiet >/dev/null
cmp a/checkpoints/i3d-1_2.ckpt b/checkpoints/i3d-1_2.ckpt
cmp a/checkpoints/best.ckpt b/checkpoints/best.ckpt

# The validation of two is that of one: the same weights have the same score in the log.
share=$(sed -n 's/.*"epoch": 1, "videos": 2, "top1": \([0-9.]*\).*/\1/p' a/log.jsonl)
i3d eval --rgb a/checkpoints/i3d-1_2.ckpt --source video --size 0 --video-path v \
    --annotation-path a.json --quiet >eval
same "rgb accuracy: $(echo "$share" | sed 's/0*$//; s/\.$//')" "$(grep '^rgb accuracy' eval)"

# Three go on with what two began, if a step has as many clips; nobody else does.
fails 1 'its steps have 6 clips, these 3' i3d train --resume b --num-epochs 2
mpi 3 train --resume b --num-epochs 2 --batch-size 2 >/dev/null 2>c.err
grep -q '^3 processes go on with what 2 began; the clips of a step are the same$' c.err
[ -e b/checkpoints/i3d-2_2.ckpt ]

# A step of accumulated batches is one of the log.
i3d train $options --batch-size 3 --accumulate 2 --num-epochs 1 --save-dir d >/dev/null 2>d.err
grep -q '^step size per epoch: 2$' d.err
same 2 "$(grep -c '"event": "step"' d/log.jsonl)"
