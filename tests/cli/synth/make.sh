# The folder holds class folders of videos and the split; the same seed makes the same bytes.
i3d doctor | grep -c '^video: FFmpeg\|^image: TurboJPEG' | grep -qx 2 || skip 'built without FFmpeg or TurboJPEG'
i3d synth one --classes 3 --videos-per-class 4 --frames 8 --size 48 --jobs 1
i3d synth two --classes 3 --videos-per-class 4 --frames 8 --size 48 --jobs 3
diff -r one two
same 'down sideways split.csv up' "$(ls one | xargs)"
same 12 "$(find one -name '*.avi' | wc -l)"
same video,class,group,subset "$(head -n 1 one/split.csv)"
same 6 "$(grep -c ',training$' one/split.csv)"
same 6 "$(grep -c ',validation$' one/split.csv)"
i3d synth other --classes 3 --videos-per-class 4 --frames 8 --size 48 --seed 1
cmp -s one/up/up_g01_c01.avi other/up/up_g01_c01.avi && exit 1
fails 1 "'one' exists" i3d synth one
fails 2 'classes' i3d synth more --classes 9
[ ! -e more ]
i3d frames one rgb --size 0
same 8 "$(cat rgb/up/up_g02_c02/n_frames)"
