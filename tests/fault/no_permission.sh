# Where it may not write or read, the program says so, with the way out; one closed video or folder
# stops no other.
i3d doctor >doctor || skip 'this program cannot read videos'
i3d synth v --classes 2 --videos-per-class 2 --frames 4 --size 48 --quiet >report
mkdir closed half half/down
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || skip 'setpriv is not installed: root may write everywhere'
    chmod 777 . half
    cp "$I3D" program # the build may lie where only root goes
    as_nobody() {
        setpriv --reuid 65534 --regid 65534 --clear-groups ./program "$@"
    }
else
    as_nobody() {
        "$I3D" "$@"
    }
    chmod a-w closed half/down
fi
refused() {
    fails 1 'Permission denied; change its permissions or choose another place' as_nobody "$@"
    same '' "$(ls -A closed)"
}
refused synth closed/v
refused frames v closed
refused frames v closed/rgb
refused flow --from-videos v closed
refused flow --visualize v/up/up_g01_c01.avi closed/x.mp4
refused prepare set v closed
refused annotate folder v closed/a.json
i3d frames v jpg --quiet >report
i3d annotate folder jpg set.json --quiet >report
refused train --video-path jpg --annotation-path set.json --save-dir closed/run

chmod 0 v/up/up_g01_c01.avi
refused frames v half
grep -q '^failed: 3$' stdout
same up_g01_c02 "$(ls half/up)"
grep -q "cannot open 'v/up/up_g01_c01.avi': Permission denied" half/failures.csv
