# Results that do not fit the clips are refused; which file, and what to do.

i3d synth v --classes 2 --videos-per-class 4 --frames 6 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
i3d preprocess --source video --size 0 --video-path v --annotation-path a.json --resize 0 --quiet \
    --test-sample-duration 8 --spatial-size 32 --batch-size 3 --dataset s >/dev/null

# answers FILE SCORE...: float32 numbers that are 0 or 1.
answers() {
    file=$1
    shift
    for score in "$@"; do
        if [ "$score" = 1 ]; then printf '\000\000\200\077'; else printf '\000\000\000\000'; fi
    done >"$file"
}
fails 1 "there is no './result_Files/s_bsrgb_1_0.bin': 'i3d infer' makes it" \
    i3d postprocess --dataset s
mkdir result_Files
# The labels are up, up, down, down; class 0 is down. The first and the last two are right.
answers result_Files/s_bsrgb_1_0.bin 0 1 1 0 1 0
answers result_Files/s_bsrgb_2_0.bin 1 0 1 1 1 1
i3d postprocess --dataset s >stdout
same "videos: 4 right: 3 accuracy: 0.75 eval result: top_1 75.000% " "$(tr '\n' ' ' <stdout)"

fails 1 "there is no './preprocess_Result/label/s/flow/manifest.json': 'i3d preprocess' makes it" \
    i3d postprocess --dataset s --mode flow
fails 1 "s/flow/manifest.json" i3d postprocess --dataset s --mode joint
fails 1 "there is no './preprocess_Result/label/t/rgb" i3d postprocess --dataset t
fails 2 "cannot name files" i3d postprocess --dataset s/rgb
fails 2 "'both'" i3d postprocess --dataset s --mode both

head -c 20 result_Files/s_bsrgb_2_0.bin >short
mv short result_Files/s_bsrgb_2_0.bin
fails 1 "'./result_Files/s_bsrgb_2_0.bin' has 20 bytes" i3d postprocess --dataset s
printf '\000\000\300\177' >nan
{ cat nan && head -c 20 result_Files/s_bsrgb_1_0.bin; } >result_Files/s_bsrgb_2_0.bin
fails 1 "number 1 of './result_Files/s_bsrgb_2_0.bin' is nan" i3d postprocess --dataset s

# A manifest of other clips, one that is cut, labels that were swapped.
label=preprocess_Result/label/s/rgb
sed 's/"mode": "rgb"/"mode": "flow"/' $label/manifest.json >other
cp $label/manifest.json whole
cp other $label/manifest.json
fails 1 "is not of the rgb clips of 's'" i3d postprocess --dataset s
head -c 100 whole >$label/manifest.json
fails 1 "manifest.json" i3d postprocess --dataset s
cp whole $label/manifest.json
printf x >$label/label_bsrgb3.npy
fails 1 "cannot read './$label/label_bsrgb3.npy'" i3d postprocess --dataset s
