# run_distribute_train.sh with the original's eight arguments, from any directory.

mkdir -p tools/scripts bin elsewhere
cp "$I3D_SOURCE"/scripts/*.sh tools/scripts
ln -s "$I3D" bin/i3d
PATH=$PWD/bin:$PATH
script=$PWD/tools/scripts/run_distribute_train.sh
i3d synth v --classes 2 --videos-per-class 4 --frames 8 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
cd elsewhere

cat >table.json <<END
{"version": "1.0", "server_count": "1", "status": "completed", "server_list": [
  {"server_id": "localhost", "host_nic_ip": "reserve", "device": [
    {"device_id": "5", "device_ip": "192.98.92.1", "rank_id": "1"},
    {"device_id": "4", "device_ip": "192.98.92.2", "rank_id": "0"},
    {"device_id": "6", "device_ip": "192.98.92.3", "rank_id": "2"}]}]}
END
I3D_OPTIONS="--source video --size 0 --train-sample-duration 8 --spatial-size 32 --resize 0
    --batch-size 2 --no-eval" sh "$script" 2 table.json mine rgb 1 ../v ../a.json "" >stdout 2>stderr
grep -q '^device 4 and others of the rank table are not devices here' stderr
grep -q '^a step takes 4 clips: 2 processes' stderr # of three devices
run=output_distribute/mine_rgb_device4
same "folder: $run" "$(head -n 1 stdout)"
cmp stdout ${run}_log.txt
[ -e $run/checkpoints/i3d-1_1.ckpt ]
grep -q '"processes": 2' $run/log.jsonl

fails 2 'usage: run_distribute_train.sh RANK_SIZE RANK_TABLE_FILE' sh "$script" 2 table.json
fails 2 "RANK_SIZE is a number from 1 on, not 'many'" sh "$script" many '' mine rgb 1 ../v ../a.json ''
fails 1 'has 3 devices, not 4: give RANK_SIZE 1 to 3' sh "$script" 4 table.json mine rgb 1 ../v ../a.json ''
# wrong WHAT SED: the table changed like this is refused with WHAT.
wrong() {
    sed "$2" table.json >wrong.json
    fails 1 "the rank table 'wrong.json': $1" i3d rank-table wrong.json 2
}
wrong 'it has no "server_list"' s/server_list/group_list/
wrong 'its "status" is not "completed"' s/completed/initializing/
wrong 'server 1: "server_id" is not a host' 's/localhost/a; rm/'
wrong 'server 1: "device" is not a list' 's/"device":/"cards":/'
wrong 'server 1: device 2: "rank_id" is not a number' 's/"rank_id": "0"/"rank_id": "-1"/'
wrong 'server 1: device 1: "device_id" is not a number' 's/"device_id": "5"/"device_id": "x"/'
wrong 'its 3 devices have not the "rank_id" 0 to 2, each once: 2 is missing' 's/"rank_id": "2"/"rank_id": "1"/'
sed 's/}]}]}/}]}/' table.json >wrong.json
fails 1 "'wrong.json' is not whole JSON: line 6" i3d rank-table wrong.json 2
