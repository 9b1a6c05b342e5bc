# A video whose name is not UTF-8, or its class's, is told and left out; the others are annotated all
# the same.
i3d doctor | grep -q '^video: FFmpeg' || skip 'built without FFmpeg'
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
cp v/up/up_g01_c01.avi "$(printf 'v/up/caf\351.avi')"
fails 1 'i3d: 1 of 9 videos have names that no annotation can hold' \
    i3d annotate folder v a.json --ratio 0.5
grep -qF "left out 'up/caf\\xe9'" stderr
same 8 "$(grep -o '"subset"' a.json | wc -l)"
fails 1 '1 of 9 videos have names' i3d prepare mine v data --ratio 0.5 --size 0 --quiet
same 8 "$(grep -o '"subset"' data/flow/mine/annotation/mine_1.json | wc -l)"
mv v/up/caf*.avi v/up/café.avi
i3d annotate folder v a.json --ratio 0.5 --quiet >report
same 9 "$(grep -o '"subset"' a.json | wc -l)"

mv v/down "$(printf 'v/d\357wn')"
fails 1 'i3d: 4 of 9 videos have names' i3d annotate folder v a.json --ratio 0.5
grep -qF "left out 'd\\xefwn/down_g01_c01'" stderr
same '["up"]' "$(grep -o '"labels": [^]]*]' a.json | cut -d' ' -f2)"
same 5 "$(grep -o '"subset"' a.json | wc -l)"
cp -r v/up v/zoom
mv v/zoom/café.avi v/zoom/thé.avi
cd v/zoom && for file in up_*; do mv "$file" "zoom_$file"; done
cd ../..
fails 1 'i3d: 4 of 14 videos have names' i3d prepare mine v data2 --ratio 0.5 --size 0 --quiet
same '["up", "zoom"]' "$(grep -o '"labels": [^]]*]' data2/flow/mine/annotation/mine_1.json |
    cut -d' ' -f2-)"
same 5 "$(grep -o '"label": "zoom"' data2/flow/mine/annotation/mine_1.json | wc -l)"
