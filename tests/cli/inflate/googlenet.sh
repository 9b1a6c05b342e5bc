# GoogLeNet to an I3D of rgb and of flow, which goes through every format unchanged.
googlenet=$I3D_SHARED_DATA/weights/bvlc_googlenet_oihw_f16.npz
fails 1 "they are not those of Caffe's GoogLeNet" \
    i3d inflate "$I3D_SOURCE/tests/golden/checkpoint/mindspore.ckpt" a.ckpt
[ ! -e a.ckpt ]
[ -e "$googlenet" ] || skip "$googlenet is not here"
i3d inspect "$googlenet" | grep -q "^names: Caffe (GoogLeNet): for 'i3d inflate'\$"
i3d inflate "$googlenet" flow.ckpt --channels 2 | grep -q '^parameters: 13304872$'
i3d inspect flow.ckpt >out
grep -q '^names: MindSpore$' out
grep -q '^channels: 2$' out
grep -q '^classes: 1000$' out
grep -q '^missing: 0$' out
grep -q ' state    float64  \[\] i3d.bn_epsilon$' out
i3d convert flow.ckpt flow.pt --strict | grep -q '^state: 3$'
i3d inspect flow.pt | grep -q '^names: PyTorch (piergiaj)$'
i3d convert flow.pt again.safetensors --strict
i3d convert again.safetensors again.ckpt --strict
i3d convert again.ckpt again.pt --strict
cmp flow.pt again.pt
i3d inflate "$googlenet" rgb.ckpt
i3d inspect rgb.ckpt | grep -q ' weight   float32  \[64, 3, 7, 7, 7\] Conv3d_1a_7x7.weight$'
