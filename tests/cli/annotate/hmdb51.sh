# Split files and jpg folders of HMDB51's form become its three annotation files.
mkdir ann
for k in 1 2 3; do
    printf 'a_(1)_&_b.avi 1 \nc.x.avi 2 \nunused.avi 0 \n' >ann/brush_hair_test_split$k.txt
    printf "d'e.avi %s \n" $((k % 2 + 1)) >ann/Chew_test_split$k.txt
done
for video in 'brush_hair/a_(1)_&_b' 'brush_hair/c.x' "chew/d'e"; do
    mkdir -p "jpg/$video"
    printf 7 >"jpg/$video/n_frames"
done

i3d annotate hmdb51 ann jpg out >report
same "hmdb51_1.json hmdb51_2.json hmdb51_3.json" "$(ls out | xargs)"
one='{"labels": ["Chew", "brush_hair"], "database": {"d'"'"'e": {"subset": "validation", '
one=$one'"annotations": {"label": "Chew", "segment": [1, 8]}}, "a_(1)_&_b": {"subset": "training", '
one=$one'"annotations": {"label": "brush_hair", "segment": [1, 8]}}, "c.x": {"subset": "validation", '
one=$one'"annotations": {"label": "brush_hair", "segment": [1, 8]}}}}'
same "$one" "$(cat out/hmdb51_1.json)"

# All that is missing is said at once, and nothing is written.
rm -r "jpg/chew/d'e" jpg/brush_hair/c.x
fails 1 "2 videos of the split are missing" i3d annotate hmdb51 ann jpg out2
grep -qF "missing: 'Chew/d'e'" stderr
grep -qF "missing: 'brush_hair/c.x'" stderr
[ ! -e out2 ]
i3d annotate hmdb51 ann jpg out2 --allow-missing >report 2>remarks
grep -q "class 'Chew' has no videos" remarks
same "hmdb51_1.json hmdb51_2.json hmdb51_3.json" "$(ls out2 | xargs)"

fails 1 "n_frames' is missing; 'i3d nframes' writes it" sh -c \
    "rm 'jpg/brush_hair/a_(1)_&_b/n_frames' && '$I3D' annotate hmdb51 ann jpg out3"
fails 1 "no files" i3d annotate hmdb51 jpg jpg out3
fails 2 "SPLIT_FILES JPG_FOLDER TARGET" i3d annotate hmdb51 ann jpg
fails 2 "hmdb51, ucf101 or folder" i3d annotate kinetics ann jpg out3
fails 2 "leave --test-where 'x=1' out" i3d annotate hmdb51 ann jpg out4 --test-where x=1
