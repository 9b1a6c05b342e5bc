#!/usr/bin/env python3
"""graph.onnx, a small graph of every operator that `i3d export` writes into ONNX, and graph.f32: a
clip [2, 4, 6, 6] and what ONNX Runtime gives for it [3]. Needs onnx 1.23 and onnxruntime 1.32 from
PyPI.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).parent
random = np.random.default_rng(1)
weights = {name: random.uniform(low, 1, shape).astype("f4") for name, low, shape in [
    ("first.weight", -1, (4, 2, 3, 3, 3)), ("gamma", .5, 4), ("beta", -1, 4), ("mean", -1, 4),
    ("variance", .5, 4), ("second.weight", -1, (2, 4, 1, 1, 1)), ("second.bias", -1, 2),
    ("logits.weight", -1, (3, 10, 1, 1, 1)), ("logits.bias", -1, 3)]}
window = {"kernel_shape": [3, 3, 3], "strides": [1, 1, 1], "pads": [1] * 6}
nodes = [
    helper.make_node("Conv", ["data", "first.weight"], ["conv"], kernel_shape=[3, 3, 3],
                     strides=[1, 2, 2], pads=[1, 0, 0, 1, 1, 1]),
    helper.make_node("BatchNormalization", ["conv", "gamma", "beta", "mean", "variance"], ["norm"],
                     epsilon=1e-3),
    helper.make_node("Relu", ["norm"], ["relu"]),
    helper.make_node("Conv", ["relu", "second.weight", "second.bias"], ["second"],
                     kernel_shape=[1, 1, 1], strides=[1, 1, 1], auto_pad="SAME_UPPER"),
    helper.make_node("MaxPool", ["relu"], ["pool"], **window),
    helper.make_node("MaxPool", ["second"], ["uneven"], kernel_shape=[1, 2, 2], strides=[1, 1, 1],
                     auto_pad="SAME_UPPER"),
    helper.make_node("Concat", ["relu", "pool", "uneven"], ["concat"], axis=1),
    helper.make_node("AveragePool", ["concat"], ["mean_pool"], kernel_shape=[2, 3, 3],
                     strides=[1, 1, 1], pads=[0] * 6),
    helper.make_node("GlobalMaxPool", ["mean_pool"], ["max_pool"]),
    helper.make_node("Conv", ["max_pool", "logits.weight", "logits.bias"], ["maps"],
                     kernel_shape=[1, 1, 1], strides=[1, 1, 1], pads=[0] * 6),
    helper.make_node("ReduceMean", ["maps"], ["logits"], axes=[2, 3, 4], keepdims=0),
]
graph = helper.make_graph(
    nodes, "graph", [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 2, 4, 6, 6])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
    [numpy_helper.from_array(data, name) for name, data in weights.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, here / "graph.onnx")
clip = random.uniform(-1, 1, (2, 4, 6, 6)).astype("f4")
session = onnxruntime.InferenceSession(here / "graph.onnx", providers=["CPUExecutionProvider"])
logits = session.run(None, {"data": clip[None]})[0]
np.concatenate([clip.ravel(), logits.ravel()]).astype("f4").tofile(here / "graph.f32")
