# On a full disk every tool of the data says so, with the way out, and leaves nothing half-made.
i3d doctor >doctor || skip 'this program cannot read videos'
i3d synth v --classes 2 --videos-per-class 2 --frames 8 --size 48 --quiet >report
mkdir small
mount -t tmpfs -o size=600k tmpfs small 2>/dev/null || skip 'only root can mount a small disk'
trap 'umount small' EXIT

# full ARGUMENTS: the command ends with 1 and says why; the disk then holds what it held before and
# whole videos.
full() {
    rm -rf small/x small/s.* small/rgb small/flow small/.lock small/failures.csv
    fails 1 'No space left on device; free some space' "$I3D" "$@"
    same '' "$(find small -name '*part*')"
    for folder in $(find small -name 'image_00001*.jpg' -exec dirname {} +); do
        [ -e "$folder/n_frames" ]
    done
}
head -c 500k /dev/zero >small/filling
full synth small/x
full frames v small/x --size 2000
full frames v small/x --size 2000 --store mkv
full flow --from-videos v small/x --size 400 --preset turbo --store mkv --codec ffv1
full flow --visualize v/up/up_g01_c01.avi small/s.mp4 --size 600 --preset turbo
full prepare set v small --size 400 --preset turbo --store mkv
[ ! -e small/rgb/set/annotation ]
rm -rf small/rgb small/flow small/.lock small/failures.csv
dd if=/dev/zero of=small/rest bs=4k 2>/dev/null || true
full annotate folder v small/s.json
full man small/x
