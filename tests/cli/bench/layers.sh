# Every layer has its time, its kernel and a share, and the shares add up; an engine that does not
# tell says so.
small='--test-sample-duration 8 --spatial-size 32 --turns 1'
i3d bench $small --layers >text
grep -q '^engine: cpu' text
same 71 "$(grep -c ' GFLOP/s .* %  [a-z]' text)"
grep -q '^  Conv3d_1a_7x7 .* winograd:' text
awk '/GFLOP/ { for (i = 1; i < NF; i++) if ($(i + 1) == "%") sum += $i }
     END { exit !(sum > 98 && sum < 102) }' text
i3d bench $small --layers --json >layers.json
same 71 "$(grep -o '"kernel"' layers.json | wc -l)"
i3d bench $small --engine reference --mode flow >text
grep -q '^engine: reference' text
grep -q '^clips: 1 x 2 x 8 x 32 x 32' text
fails 1 "'reference' does not tell the time of each layer" i3d bench $small --engine reference --layers
