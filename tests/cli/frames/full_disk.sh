# On a full disk no half-made folder stays, and with room again the next run does the rest.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
i3d synth made --classes 2 --videos-per-class 4 --frames 30 --size 90
mkdir small
mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip 'only root can mount a small disk'
trap 'umount small' EXIT
fails 1 'No space left' i3d frames made small --size 240
[ -z "$(find small -name 'image_*' -path '*part*')" ]
for folder in small/*/*/; do
    [ ! -d "$folder" ] || same 30 "$(cat "$folder/n_frames")"
done
mount -o remount,size=100m small
i3d frames made small --size 240
same 8 "$(find small -name n_frames | wc -l)"
