# What is wrong with the folders is told before any work is done.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
mkdir -p empty videos/a
fails 1 "no videos in 'empty'" i3d frames empty rgb
[ ! -e rgb ]
fails 1 'nowhere' i3d frames nowhere rgb
i3d synth made --classes 2 --videos-per-class 2 --frames 4 --size 48
echo text >file
fails 1 "'file'" i3d frames made file
fails 1 '/proc/rgb' i3d frames made /proc/rgb
fails 2 'size' i3d frames made rgb --size -3
fails 2 'TARGET' i3d frames made

cp made/up/up_g01_c01.avi videos/a/x.avi
cp made/up/up_g01_c01.avi videos/a/x.mp4
fails 1 'differ only in their extension' i3d frames videos rgb

# Two runs at once: one holds the lock.
mkdir rgb
command -v flock >/dev/null || skip 'flock is not installed: two runs at once were not tried'
flock rgb/.lock "$I3D" frames made rgb >out 2>&1 && exit 1
grep -q 'another run is writing' out
i3d frames made rgb
