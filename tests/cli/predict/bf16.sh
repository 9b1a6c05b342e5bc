# On real clips bfloat16 puts the five best classes in the order of float32, where their scores are
# apart by more than its rounding. The network is a GoogLeNet inflated.
weights=$I3D_SHARED_DATA/weights/bvlc_googlenet_oihw_f16.npz
[ -e "$weights" ] || skip "there is no '$weights'"
grep -q avx512f /proc/cpuinfo || skip "bfloat16 needs AVX-512"

i3d inflate "$weights" rgb.ckpt --channels 3 --quiet >/dev/null
for precision in fp32 bf16; do
    i3d predict "$I3D_SHARED_DATA"/clips/misc/*.mp4 "$I3D_SHARED_DATA"/clips/misc/*.avi --rgb rgb.ckpt \
        --precision $precision --test-sample-duration 16 --spatial-size 112 --top 1000 >$precision
done
same 5 "$(grep -c 'video: ' fp32)"
# Logs of probabilities are logits less a constant; 0.2 is 2e-2 of logits of 10.
awk 'BEGIN { apart = 0.2 }
    FNR == 1 { file++ }
    / video: / { video = $2; n = 0 }
    $2 == "class" && file == 1 && n < 5 && $1 > 0 { best[video, ++n] = $3; score[video, n] = log($1) }
    $2 == "class" && file == 2 { place[video, $3] = ++n }
    / video: / && file == 2 { videos[++count] = video }
    END {
        for (v = 1; v <= count; v++)
            for (i = 1; i < 5; i++)
                for (j = i + 1; j <= 5; j++) {
                    a = best[videos[v], i]; b = best[videos[v], j]
                    if (b == "" || score[videos[v], i] - score[videos[v], j] < apart) continue
                    pairs++
                    if (place[videos[v], a] >= place[videos[v], b]) { print videos[v], a, b; exit 1 }
                }
        exit pairs < 20
    }' fp32 bf16
