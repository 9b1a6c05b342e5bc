# What several processes cannot do is refused by one sentence, and no process stays.

i3d synth v --classes 2 --videos-per-class 2 --frames 8 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --ratio .5 --quiet >/dev/null
mkdir one two
cp -r v a.json one
cp -r v a.json two
mv two/v/up two/v/sideways
options="--source video --size 0 --video-path v --annotation-path a.json --resize 0
    --train-sample-duration 8 --spatial-size 32 --num-epochs 1"

# refused WORDS COMMAND...: exactly one of the processes says so.
refused() {
    words=$1
    shift
    fails 1 "$words" "$@"
    same 1 "$(grep -cF -- "$words" stderr)"
    same 1 "$(grep -c '^i3d: ' stderr)"
}
refused 'cannot open' mpi 2 train $options --annotation-path gone.json --save-dir run
refused "no engine 'abacus'" mpi 2 train $options --engine abacus --save-dir run
# Words that differ between processes.
each() {
    mpirun $MPIRUN -n 1 "$I3D" train $options --save-dir run $1 : \
        -n 1 "$I3D" train $options --save-dir run $2
}
refused "here '--lr: 0.02', there '--lr: 0.01'" each '--lr 0.01' '--lr 0.02'
refused "here '--augment: false', there" each '' '--no-augment'
# Data that differ.
elsewhere() {
    mpirun $MPIRUN -n 1 -wdir "$PWD/one" "$I3D" train $options --save-dir run : \
        -n 1 -wdir "$PWD/two" "$I3D" train $options --save-dir run
}
refused "training videos: " elsewhere
# Wrong words are told once too.
fails 2 "train has no option" mpi 2 train --colour red
same 1 "$(grep -c "has no option" stderr)"
# What srun starts without PMIx cannot find each other.
export SLURM_STEP_NUM_TASKS=2
fails 1 'give srun --mpi=pmix' i3d train $options --save-dir run
[ ! -e run/checkpoints/best.ckpt ]
