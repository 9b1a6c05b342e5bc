# Folders of frames become an annotation: by a table, by the values of a column, drawn by groups.
for class in run sit; do
    for video in g1_a g1_b g2_a g3_a; do
        mkdir -p "jpg/$class/${class}_$video"
        printf 5 >"jpg/$class/${class}_$video/n_frames"
    done
done
subset() { # subset FILE VIDEO
    grep -o "\"$2\": {\"subset\": \"[a-z]*\"" "$1" | cut -d'"' -f6
}

printf 'video,class,group,subset\n' >split.csv
printf '%s\n' run_g1_a,run,1,training run_g2_a,run,2,validation sit_g1_b,sit,1,test >>split.csv
i3d annotate folder jpg a.json --split split.csv >report
same training "$(subset a.json run_g1_a)"
same validation "$(subset a.json run_g2_a)"
same validation "$(subset a.json sit_g1_b)"
same "" "$(subset a.json sit_g2_a)"

i3d annotate folder jpg b.json --split split.csv --test-where group=1,7 >report
same validation "$(subset b.json run_g1_a)"
same training "$(subset b.json run_g2_a)"

i3d annotate folder jpg b.json --split split.csv --test-where group=9 >report 2>remarks
grep -q "no video is for validation" remarks

i3d annotate folder jpg c.json --ratio 0.5 --group-pattern '_(g[0-9])_' --seed 3 >report
i3d annotate folder jpg d.json --ratio 0.5 --group-pattern '_(g[0-9])_' --seed 3 >report
cmp c.json d.json
for class in run sit; do
    same "$(subset c.json ${class}_g1_a)" "$(subset c.json ${class}_g1_b)"
    same "$(subset c.json run_g2_a)" "$(subset c.json sit_g2_a)"
done
grep -q '"training"' c.json
grep -q '"validation"' c.json
i3d annotate folder jpg e.json --json --ratio 0.5 >report
grep -q '"validation": 4' report

echo 'gone,run,1,training' >>split.csv
fails 1 "'run/gone'" i3d annotate folder jpg f.json --split split.csv
[ ! -e f.json ]
echo 'x,run,1,neither' >>split.csv
fails 1 "split.csv': the subset 'neither'" i3d annotate folder jpg f.json --split split.csv
fails 2 "give one (--split CSV)" i3d annotate folder jpg f.json --test-where group=1
fails 2 "no regular expression" i3d annotate folder jpg f.json --group-pattern '('
fails 1 "nowhere" i3d annotate folder nowhere f.json
fails 2 "TARGET.json" i3d annotate folder jpg out
mkdir -p twice/run/same twice/sit/same
printf 1 | tee twice/run/same/n_frames >twice/sit/same/n_frames
fails 1 "two videos are called 'same'" i3d annotate folder twice f.json
mkdir empty
fails 1 "no videos in 'empty'" i3d annotate folder empty f.json
