#!/usr/bin/env python3
"""Small files of weights written by the programs whose formats we read: make.py PROGRAM...

torch needs PyTorch (Debian's python3-torch 1.13), the others packages from PyPI: mindspore 2.10,
safetensors 0.8, numpy 2.4, onnx 1.23, tensorflow-cpu 2.21. Nearly every file holds the same five tensors,
and element i of any tensor is i - 2 (bool: i odd), so that the test knows the values.
"""
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
shapes = {"conv.weight": ("float32", (2, 3, 1, 2)), "conv.bias": ("float64", (3,)),
          "norm.count": ("int64", ()), "half": ("float16", (4,)), "flags": ("bool", (2, 2))}


def values(dtype, shape):
    count = np.arange(int(np.prod(shape)))
    data = count % 2 == 1 if dtype == "bool" else count - 2
    return data.astype(dtype).reshape(shape)


tensors = {name: values(*about) for name, about in shapes.items()}


def make_torch():
    import torch
    state = {name: torch.tensor(data) for name, data in tensors.items()}
    torch.save(state, here / "torch_zip.pt")
    torch.save(state, here / "torch_legacy.pt", _use_new_zipfile_serialization=False)
    wide = torch.arange(24.).reshape(4, 6) - 2
    torch.save({"transposed": wide.t(), "part": wide[1:3, 2:5], "same": wide,
                "parameter": torch.nn.Parameter(wide)}, here / "torch_views.pt")
    torch.save({"epoch": 3, "loss": .5, "model": {"layers": [{"w": wide}]}},
               here / "torch_nested.pt")
    torch.save(torch.nn.Linear(2, 2), here / "torch_module.pt")
    # The exporter folds the norm into the convolution and gives the weights names of its own.
    net = torch.nn.Module()
    net.unit = torch.nn.Module()
    net.unit.conv3d = torch.nn.Conv3d(2, 3, 1, bias=False)
    net.unit.bn = torch.nn.BatchNorm3d(3)
    net.unit.forward = lambda x: net.unit.bn(net.unit.conv3d(x)).relu()
    net.forward = lambda x: net.unit(x)
    torch.onnx.export(net.eval(), torch.zeros(1, 2, 1, 1, 1), here / "torch_folded.onnx",
                      opset_version=13)


def make_mindspore():
    import mindspore
    rows = [{"name": name, "data": mindspore.Tensor(data)} for name, data in tensors.items()]
    mindspore.save_checkpoint(rows, str(here / "mindspore.ckpt"))
    mindspore.save_checkpoint(rows, str(here / "mindspore_crc.ckpt"), crc_check=True)
    # Large tensors go into several Values: at 1 KB here instead of 512 MB.
    from mindspore.train import serialization
    serialization.SLICE_SIZE = 1
    rows.append({"name": "large", "data": mindspore.Tensor(values("float32", (20, 30)))})
    mindspore.save_checkpoint(rows, str(here / "mindspore_split.ckpt"),
                              append_dict={"optimizer": "a text is no tensor"})


def make_safetensors():
    from safetensors.numpy import save_file
    save_file(tensors, here / "numpy.safetensors")


def make_numpy():
    np.savez(here / "stored.npz", **tensors)
    np.savez_compressed(here / "deflated.npz", **tensors)
    # The form of archives above 4 GB, at any size.
    import zipfile
    zipfile.ZIP64_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT = 1
    np.savez(here / "zip64.npz", **tensors)
    np.save(here / "fortran.npy", np.asfortranarray(values("float32", (2, 3, 4))))


def make_onnx():
    import onnx
    weights = [onnx.numpy_helper.from_array(data, name) for name, data in tensors.items()]
    weights.append(onnx.helper.make_tensor("floats", onnx.TensorProto.FLOAT, [2, 2],
                                           [-2., -1., 0., 1.]))
    kind = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [2, 2])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["floats"], ["out"])], "g",
                                   [], [onnx.helper.make_value_info("out", kind)], weights)
    onnx.save(onnx.helper.make_model(graph), here / "onnx.onnx")


def make_mindir():
    import mindspore
    from mindspore import Parameter, Tensor, nn

    class Sum(nn.Cell):
        def __init__(self):
            super().__init__()
            self.large = Parameter(Tensor(values("float32", (2, 3))), name="large")

        def construct(self, x):
            return x + self.large

    mindspore.export(Sum(), Tensor(values("float32", (2, 3))),
                     file_name=str(here / "mindspore"), file_format="MINDIR")


def make_tensorflow():
    import tensorflow as tf
    tf.raw_ops.SaveV2(prefix=str(here / "tensorflow"), tensor_names=list(tensors),
                      shape_and_slices=[""] * len(tensors), tensors=list(tensors.values()))
    tf.raw_ops.Save(filename=str(here / "tensorflow.tf1"), tensor_names=list(tensors),
                    data=list(tensors.values()))
    tf.raw_ops.SaveSlices(filename=str(here / "tensorflow_slices.tf1"), tensor_names=["half"],
                          shapes_and_slices=["4 0,2"], data=[tensors["half"][:2]])


for program in sys.argv[1:]:
    globals()["make_" + program]()
