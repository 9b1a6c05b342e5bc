# .flo files against each other, and a video of frames beside their flow.
i3d synth videos --classes 2 --videos-per-class 2 --frames 8 --size 48 2>log
video=$(find videos -name '*.avi' | sort | head -n 1)
i3d flow --from-videos videos a --size 48 --preset quality --flo >out 2>>log
i3d flow --from-videos videos b --size 48 --preset fast --flo >out 2>>log
flo=$(cd a && find . -name image_00003.flo | sort | head -n 1)
same 'end point error: 0' "$(i3d flow-error "a/$flo" "a/$flo" | grep error)"
i3d flow-error "a/$flo" "b/$flo" --json >out
grep -q '"end_point_error": 0\.[0-9]' out
fails 1 'PIEH' i3d flow-error "$video" "a/$flo"

i3d flow --visualize "$video" shown.mp4 --preset fast 2>>log
[ -s shown.mp4 ]
mkdir -p class && cp shown.mp4 class/
mkdir shown && mv class shown/
i3d frames shown rgb --size 0 2>>log
same 8 "$(cat rgb/class/shown/n_frames)"
fails 1 'log' i3d flow --visualize log other.mp4
[ ! -e other.mp4 ]
