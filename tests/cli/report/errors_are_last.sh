# Errors are printed with --quiet too, and are the last line without it; nothing from outside moves
# the cursor; wrong usage is 2; a long path leaves the reason in the sentence.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
echo 'no video' >v/up/bad.avi

for quiet in '' --quiet; do
    for command in 'frames v rgb' 'flow --from-videos v flow' 'prepare set v data'; do
        rm -rf rgb flow data
        fails 1 'i3d: 1 of 9 videos were left out; mend' i3d $command $quiet --size 0
        tail -1 stderr | grep -q '^i3d: 1 of 9 videos were left out'
    done
    rm -rf rgb
    i3d frames v rgb --size 0 >report 2>&1 || true
    rm rgb/up/up_g01_c01/image_00003.jpg
    fails 1 'i3d: 1 of 8 videos have gaps' i3d nframes rgb $quiet
    tail -1 stderr | grep -q '^i3d: 1 of 8'
done
same 1 "$(wc -l <stderr)"

usage() {
    fails 2 "$@"
}
usage "give a name without '/' and '.'" i3d preprocess --source video --video-path v \
    --annotation-path a.json --dataset ../x
usage "give a name without '/' and '.'" i3d postprocess --dataset ../x
usage "is not a data set's name" i3d prepare ../x v d
usage "give it without '/'" i3d train --source video --video-path v --annotation-path a.json \
    --dataset ../x
usage 'is no regular expression' i3d annotate folder v b.json --group-pattern '('
usage 'is no regular expression' i3d prepare mine v d --group-pattern '('
usage "is not 'column=value,value'" i3d annotate folder v b.json --split v/split.csv --test-where x
usage 'must end with one of' i3d convert "$I3D_SOURCE/tests/golden/checkpoint/torch_zip.pt" x.xyz
usage 'videos end in' i3d flow --visualize v/up/up_g01_c01.avi x.xyz
[ ! -e output_standalone ] && [ ! -e d ]

long=$(printf 'a%.0s/' $(seq 1500))
fails 1 "': No such file or directory" i3d inspect "$long"
fails 1 'cannot open' i3d inspect "$long"

evil=$(printf 'v/up/\033[2J\n\342\200\256x\302\233y.avi')
cp v/up/bad.avi "$evil"
fails 1 '\x1b[2J\x0a\xe2\x80\xaex' i3d frames v rgb --size 0
! LC_ALL=C grep -q "$(printf '\033')" stderr
