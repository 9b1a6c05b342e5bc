# n_frames is the highest index; gaps and flow unlike its rgb end with 1 and are named.
mkdir -p rgb/a/v rgb/a/gap flow/a/v
touch rgb/a/v/image_00001.jpg rgb/a/v/image_00002.jpg
touch rgb/a/gap/image_00001.jpg rgb/a/gap/image_00004.jpg
for i in 1 2; do touch flow/a/v/image_0000${i}x.jpg flow/a/v/image_0000${i}y.jpg; done
fails 1 "'rgb/a/gap': 2 of 4 frames are missing" i3d nframes rgb
same 2 "$(cat rgb/a/v/n_frames)"
same 4 "$(cat rgb/a/gap/n_frames)"
rm -r rgb/a/gap
i3d nframes rgb | grep -q '^frames: 2$'
i3d nframes flow --rgb rgb
same 2 "$(cat flow/a/v/n_frames)"
touch rgb/a/v/image_00003.jpg
fails 1 "2 frames, but 3 in 'rgb/a/v'" i3d nframes flow --rgb rgb
mkdir rgb/a/w
fails 1 "'flow/a/w' is missing" i3d nframes flow --rgb rgb
mkdir empty
fails 1 "'empty'" i3d nframes empty
