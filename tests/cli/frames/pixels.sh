# Real clips become what ffmpeg makes of them: sizes, counts, and pixels within JPEG's error.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
command -v ffmpeg >/dev/null || skip 'ffmpeg is not installed'
python=/usr/bin/python3
"$python" -c 'import cv2' 2>/dev/null || skip 'python3-opencv is not installed'
[ -d "$I3D_SHARED_DATA/clips/misc" ] || skip "no clips in '$I3D_SHARED_DATA'"
mkdir videos
ln -s "$(realpath "$I3D_SHARED_DATA")/clips/misc" videos/misc
i3d frames videos rgb --size 120
for video in videos/misc/*; do
    name=$(basename "${video%.*}")
    mkdir wanted
    ffmpeg -v error -nostdin -i "$video" -vf "scale='if(gt(iw,ih),-1,120)':'if(gt(iw,ih),120,-1)'" \
        -vsync passthrough -qscale 2 wanted/image_%05d.jpg
    "$python" - "rgb/misc/$name" wanted <<'END'
import glob, os, sys
import cv2, numpy as np
ours, theirs = sys.argv[1:]
count = len(glob.glob(theirs + "/*.jpg"))
assert int(open(ours + "/n_frames").read()) == count, (ours, count)
for i in range(1, count + 1, 10):
    a, b = (cv2.imread(f"{d}/image_{i:05d}.jpg").astype(int) for d in (ours, theirs))
    assert a.shape == b.shape, (ours, a.shape, b.shape)
    difference = np.abs(a - b).mean()
    assert difference < 3, (ours, i, difference)
END
    rm -r wanted
done
