# A real Slurm of one machine: srun starts processes that train together, scancel stops them in good
# order, a batch script queues itself again, and srun without PMIx is told what to give.

for program in slurmctld slurmd munged srun sbatch scancel; do
    command -v $program >/dev/null || skip "there is no $program: apt-get install slurm-wlm munge"
done
[ "$(id -u)" = 0 ] || skip 'only root can start a Slurm of its own'

name=$(hostname -s)
mkdir state spool
head -c 128 /dev/urandom >munge.key
chmod 600 munge.key
cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$PWD/munge.socket
CredType=cred/munge
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$name Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
END
export SLURM_CONF=$PWD/slurm.conf
munged --force --foreground --key-file="$PWD/munge.key" --socket="$PWD/munge.socket" \
    --pid-file="$PWD/munge.pid" --log-file="$PWD/munge.log" --seed-file="$PWD/munge.seed" \
    >munged.out 2>&1 &
daemons=$!
trap 'kill $daemons 2>/dev/null || true; wait' EXIT
sleep 1
slurmctld -D >slurmctld.log 2>&1 &
daemons="$! $daemons"
slurmd -D >slurmd.log 2>&1 &
daemons="$! $daemons"
tries=0
until sinfo -h -o %t 2>/dev/null | grep -q idle; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || {
        tail -n 5 munged.out slurmctld.log slurmd.log
        skip 'Slurm does not start here'
    }
    sleep 1
done

i3d synth v --classes 2 --videos-per-class 4 --frames 8 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
options="--source video --size 0 --video-path v --annotation-path a.json --resize 0 --num-workers 1
    --train-sample-duration 8 --spatial-size 32 --batch-size 2 --threads 1"
step="srun --overlap --kill-on-bad-exit=1 -n 2"

# Without PMIx it is our sentence, before anything of MPI's.
fails 1 'srun started 2 processes without PMIx' $step --mpi=none "$I3D" train $options --save-dir run
same 0 "$(grep -ci 'pmi support' stderr || true)"
[ ! -e run ]

$step --mpi=pmix "$I3D" train $options --num-epochs 1 --save-dir run >out 2>err
grep -q '^process 1 of 2 on ' err
same 1 "$(grep -c '^Finished training' err)"
grep -q '"processes": 2' run/log.jsonl

# A batch script: its shell is one process; it is stopped by a signal, and goes on.
cat >batch.sh <<END
#!/bin/sh
"$I3D" doctor >doctor || exit 1
go_on="$(echo $options) --num-epochs 500 --no-eval --save-dir $PWD/long"
[ -e "$PWD/long/log.jsonl" ] && go_on="--resume $PWD/long --num-epochs \$(cat "$PWD/epochs")"
$step --mpi=pmix "$I3D" train \$go_on || exit 1
tail -n 1 "$PWD/long/log.jsonl" | grep -q '"event": "stop"' && scontrol requeue \$SLURM_JOB_ID
true
END
echo 500 >epochs
job=$(sbatch --parsable --requeue --open-mode=append -n 2 -o "$PWD/batch.log" batch.sh)
tries=0
until grep -q '"event": "step"' long/log.jsonl 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { cat batch.log slurmd.log; exit 1; }
    sleep .2
done
echo 1 >epochs
scancel -s USR1 "$job"
until grep -q '^stopped as asked at epoch' batch.log; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { cat batch.log; exit 1; }
    sleep .2
done
until grep -q 'Finished training' batch.log; do
    tries=$((tries + 1))
    [ $tries -lt 2000 ] || { cat batch.log; exit 1; }
    sleep .2
done
same 2 "$(grep -c '"event": "start"' long/log.jsonl)"

# A process that is killed ends the step.
$step --mpi=pmix "$I3D" train $options --num-epochs 500 --no-eval --save-dir killed >out 2>err &
job=$!
until grep -q '"event": "step"' killed/log.jsonl 2>/dev/null; do sleep .2; done
kill -9 "$(pgrep -f "^$I3D train .*--save-dir killed" | tail -n 1)"
code=0
wait $job || code=$?
[ $code != 0 ]
! pgrep -f "^$I3D train .*--save-dir killed" >/dev/null
