# prepare writes what frames, flow and annotate write, byte for byte.
i3d synth v --classes 2 --videos-per-class 2 --frames 6 --size 48 >report 2>&1 ||
    skip "built without FFmpeg"
mkdir 'v/down/sub folder'
mv v/up/up_g01_c01.avi "v/up/a (1) & 'b' é.x.avi"
sed -i "s/^up_g01_c01,/a (1) \& 'b' é.x,/; 4s/validation/training/" v/split.csv
i3d prepare set v data --split v/split.csv --size 32 --jobs 2 >report
grep -q "failed: 0" report

i3d frames v rgb --size 32 >report
i3d flow --from-videos v flow --size 32 >report
i3d annotate folder data/rgb/set/jpg a.json --split v/split.csv >report
rm rgb/.lock flow/.lock
diff -r rgb data/rgb/set/jpg
diff -r flow data/flow/set/jpg
cmp a.json data/rgb/set/annotation/set_1.json
cmp a.json data/flow/set/annotation/set_1.json
