# What is finished is left alone, what is not is made; a bad file stops no other; kill -9 leaves
# nothing half-made.
i3d synth v --classes 2 --videos-per-class 4 --frames 8 --size 64 >report 2>&1 ||
    skip "built without FFmpeg"
cp v/up/up_g01_c01.avi kept.avi
echo "no video" >v/up/up_g01_c01.avi
: >v/down/empty.avi
fails 1 "up_g01_c01" i3d prepare set v data --split v/split.csv --size 0
grep -q '^"v/up/up_g01_c01.avi"' data/failures.csv
grep -q '^"v/down/empty.avi"' data/failures.csv
same 3 "$(wc -l <data/failures.csv)"
[ ! -e data/rgb/set/jpg/up/up_g01_c01 ] && [ ! -e data/flow/set/jpg/up/up_g01_c01 ]
grep -q up_g02_c01 data/rgb/set/annotation/set_1.json
! grep -q up_g01_c01 data/rgb/set/annotation/set_1.json

cp kept.avi v/up/up_g01_c01.avi
rm -r v/down/empty.avi data/flow/set/jpg/down/down_g02_c02
touch marker
i3d prepare set v data --split v/split.csv --size 0 >report
grep -q "finished before: 6" report
[ ! -e data/failures.csv ]
same "$(printf '%s\n' data/flow/set/jpg/down/down_g02_c02 data/flow/set/jpg/up/up_g01_c01 \
    data/rgb/set/jpg/up/up_g01_c01)" \
    "$(find data -name n_frames -newer marker | xargs -n1 dirname | sort)"

# Killed at any moment, then run again: the same tree.
for moment in 0.02 0.05 0.1 0.2; do
    timeout -s KILL $moment "$I3D" prepare set v killed --split v/split.csv --size 0 \
        >report 2>&1 || true
    for folder in killed/*/set/jpg/*/*/; do
        [ ! -d "$folder" ] || [ -e "$folder/n_frames" ]
    done
done
i3d prepare set v killed --split v/split.csv --size 0 >report
rm -f data/.lock killed/.lock
diff -r data killed
