# Real weights in each format; what was written is said, also as JSON.
weights=$I3D_SHARED_DATA/weights/bvlc_googlenet_oihw_f16.npz
[ -e "$weights" ] || skip "no weights in $I3D_SHARED_DATA"
i3d inflate "$weights" start.ckpt --channels 2 >said
small='--test-sample-duration 9 --spatial-size 33'

for name in net.onnx net.mindir; do
    i3d export start.ckpt $name $small >said
    grep -q '^channels: 2$' said
    grep -q '^classes: 1000$' said
    grep -q '^head: avg$' said
    grep -q '^difference: [0-9.]*e-0[5-9]$' said
    i3d inspect $name | grep -q '^missing: 0$'
done
i3d export start.ckpt net.air $small | grep -q '^not verified: nothing here reads .air files$'

# The frames may be left open where the format can say it.
i3d export start.ckpt open.onnx $small --fold-bn --any-duration --compat mindspore --json >said
grep -q '"head": "max"' said
grep -q '"difference": [0-9.e-]*$' said
fails 2 'fixed number of frames' i3d export start.ckpt open.mindir $small --any-duration
fails 2 'must end in .onnx, .mindir or .air' i3d export start.ckpt net.pb $small
[ ! -e open.mindir ] && [ ! -e net.pb ]
