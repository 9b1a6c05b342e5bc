# Every format is told by its content, whatever the file is called; --json tells the same.
golden=$I3D_SOURCE/tests/golden/checkpoint
told() {
    cp "$golden/$1" weights.any
    i3d inspect weights.any >out
    grep -q "^format: $2\$" out
    grep -q '^  other    float32  \[2, 3, 1, 2\] conv.weight$' out
}
told mindspore.ckpt 'MindSpore checkpoint'
told torch_zip.pt 'PyTorch file'
told torch_legacy.pt 'PyTorch file'
told numpy.safetensors 'safetensors file'
told deflated.npz 'NumPy archive'
told onnx.onnx 'ONNX model'
i3d inspect "$golden/mindspore.mindir" | grep -q '^format: MINDIR model$'
i3d inspect "$golden/tensorflow.index" | grep -q '^format: TensorFlow bundle$'
i3d inspect --json "$golden/mindspore.ckpt" | grep -q '"format": "MindSpore checkpoint"'
