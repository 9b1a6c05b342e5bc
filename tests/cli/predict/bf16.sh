# On real clips bfloat16 gives the five best classes of float32, in their order. The network is a
# GoogLeNet inflated; of each six best logits the nearest two are .06 apart.
weights=$I3D_SHARED_DATA/weights/bvlc_googlenet_oihw_f16.npz
[ -e "$weights" ] || skip "there is no '$weights'"
grep -q avx512f /proc/cpuinfo || skip "bfloat16 needs AVX-512"

i3d inflate "$weights" rgb.ckpt --channels 3 --quiet >/dev/null
for precision in fp32 bf16; do
    i3d predict "$I3D_SHARED_DATA"/clips/misc/*.mp4 "$I3D_SHARED_DATA"/clips/misc/*.avi --rgb rgb.ckpt \
        --precision $precision --test-sample-duration 16 --spatial-size 160 >$precision
done
same 5 "$(grep -c 'video: ' fp32)"
same 25 "$(grep -c 'class ' fp32)"
same "$(awk '/ class / { print $3 }' fp32)" "$(awk '/ class / { print $3 }' bf16)"
