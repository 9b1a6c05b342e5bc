# Every container, with and without B-frames, rotated or of variable rate, gives as many frames as
# ffprobe counts, in folders named after the files whatever is in their names.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || skip 'ffmpeg is not installed'
make() {
    ffmpeg -v error -nostdin -f lavfi -i testsrc=size=80x60:rate=25 -t 1.48 "$@"
}
mkdir -p 'videos/a & b' videos/c
make -c:v libx264 -bf 3 'videos/a & b/b frames (1).mp4'
make -c:v libx264 -bf 3 "videos/a & b/it's \"quoted\".mkv"
make -c:v mpeg4 -bf 2 'videos/a & b/v.2.part.avi'
make -c:v mpeg4 flat.mp4
ffmpeg -v error -nostdin -i flat.mp4 -c copy -metadata:s:v rotate=90 'videos/c/türn.mp4'
make -vf "setpts='if(lt(N,9),N,3*N)/25/TB'" -vsync vfr -c:v libx264 videos/c/vfr.mp4
make -c:v mjpeg -frames:v 1 videos/c/one.avi

i3d frames videos rgb --size 40
for video in videos/*/*; do
    folder=rgb/${video#videos/}
    folder=${folder%.*}
    wanted=$(ffprobe -v error -count_frames -select_streams v -show_entries \
        stream=nb_read_frames -of csv=p=0 "$video" | tr -d ',')
    same "$wanted" "$(cat "$folder/n_frames")"
    same "$wanted" "$(find "$folder" -name 'image_*.jpg' | wc -l)"
done
same 6 "$(find videos -type f | wc -l)"

# One run more finds everything done.
i3d frames videos rgb --size 40 | grep -q '^finished before: 6$'

# At 10 frames a second as many as ffmpeg's fps filter gives.
i3d frames videos slow --size 40 --fps 10
for video in videos/*/*; do
    folder=slow/${video#videos/}
    wanted=$(ffmpeg -v error -nostdin -i "$video" -vf fps=10 -vsync passthrough -f framecrc - |
        grep -vc '^#') || wanted=1 # of a video that is shorter than that we keep one
    same "$wanted" "$(cat "${folder%.*}/n_frames")"
done

# The rotated one stands upright: as wide as the others are high.
size=$(ffprobe -v error -show_entries stream=width,height -of csv=p=0 'rgb/c/türn/image_00001.jpg')
same 40,53 "$size"
