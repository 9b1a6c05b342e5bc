"""Weights through the libraries whose formats they are in; weights.py runs it in a virtualenv.

    weights_peer.py load FILE OUT.npz      weights_peer.py save IN.npz FILE
The extension says the library: .ckpt mindspore, .safetensors, .npz numpy, .index tensorflow, .tf1
tensorflow's V1 checkpoint.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["GLOG_v"] = "3"
import numpy


def load(path):
    if path.endswith(".ckpt"):
        import mindspore
        return {name: value.asnumpy() for name, value in mindspore.load_checkpoint(path).items()}
    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file
        return load_file(path)
    return dict(numpy.load(path))


def save(tensors, path):
    if path.endswith(".ckpt"):
        import mindspore
        mindspore.save_checkpoint([{"name": name, "data": mindspore.Tensor(data)}
                                   for name, data in tensors.items()], path, crc_check=True)
    elif path.endswith(".safetensors"):
        from safetensors.numpy import save_file
        save_file(tensors, path)
    elif path.endswith(".index"):
        import tensorflow
        tensorflow.raw_ops.SaveV2(prefix=path[:-len(".index")], tensor_names=list(tensors),
                                  shape_and_slices=[""] * len(tensors),
                                  tensors=list(tensors.values()))
    elif path.endswith(".tf1"):
        import tensorflow
        tensorflow.raw_ops.Save(filename=path, tensor_names=list(tensors),
                                data=list(tensors.values()))
    else:
        numpy.savez_compressed(path, **tensors)


verb, source, target = sys.argv[1:]
if verb == "load":
    numpy.savez(target, **load(source))
else:
    save(dict(numpy.load(source)), target)
