# From one format to the next: the same tensors in the end.
golden=$I3D_SOURCE/tests/golden/checkpoint
i3d convert "$golden/torch_zip.pt" 1.ckpt | grep -q "^names: not an I3D's"
i3d convert 1.ckpt 2.pt
i3d convert 2.pt 3.safetensors
i3d convert 3.safetensors 4.npz
i3d convert 4.npz 5.pth
i3d inspect 2.pt | sed 1d | sort >two
i3d inspect 5.pth | sed 1d | sort >five
cmp two five
fails 2 'must end with one of: .ckpt .pt .pth .safetensors .npz' i3d convert 1.ckpt a.h5
fails 1 "cannot open 'none.pt'" i3d convert none.pt a.ckpt
[ ! -e a.ckpt ]
fails 1 "cannot write 'nowhere/a.ckpt'" i3d convert 1.ckpt nowhere/a.ckpt
