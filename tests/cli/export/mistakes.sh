# What cannot be exported is said, and nothing is written.
golden=$I3D_SOURCE/tests/golden/checkpoint
fails 2 'export' i3d export a.ckpt
fails 1 "cannot open 'none.ckpt'" i3d export none.ckpt a.onnx
fails 1 "cannot use the checkpoint '$golden/mindspore.ckpt'" i3d export "$golden/mindspore.ckpt" a.onnx
fails 2 'spatial-size' i3d export a.ckpt a.onnx --spatial-size 31
fails 2 'head' i3d export a.ckpt a.onnx --head mean
same '' "$(ls | grep -v '^std')"
