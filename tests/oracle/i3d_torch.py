"""I3D in PyTorch, written from the papers as an oracle: nothing here is used by the program.

    net = I3D(channels=3, classes=400, head="avg", eps=1e-3).double()
    net.load("weights.npz")            # or a dict, or our raw float32 array in parameter order
    logits = net(clips)                # [N, C, T, H, W] -> [N, classes]

Parameters carry the names of MindSpore's checkpoints: net.tensors() lists them in the network's
order. Dropout is a mask given to forward() as `keep` [N, 1024, t'], of factors 0 or 1/probability.
"""
from collections import OrderedDict

import numpy
import torch
from torch import nn
from torch.nn import functional

from i3d_table import TABLE


def pad_same(x, kernel, stride, value=0.0):
    """TensorFlow's SAME padding: the odd element goes to the back."""
    pads, sizes = [], map(int, reversed(x.shape[2:]))  # plain numbers where PyTorch traces too
    for size, k, s in zip(sizes, reversed(kernel), reversed(stride)):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads, value=value)


class Unit(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride, eps, momentum):
        super().__init__()
        self.kernel, self.stride, self.relu = kernel, stride, functional.relu
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=eps, momentum=momentum)

    def forward(self, x):
        return self.relu(self.bn(self.conv(pad_same(x, self.kernel, self.stride))))


class I3D(nn.Module):
    """momentum is PyTorch's: running = (1 - momentum) running + momentum batch. Another table makes
    a smaller network; with 0 classes it has no head and gives its last value."""

    def __init__(self, channels, classes, head="avg", eps=1e-3, momentum=0.1, table=TABLE):
        super().__init__()
        self.table, self.head, self.values, self.units = table, head, {}, nn.ModuleDict()

        def add(name, inputs, outputs, kernel, stride=(1, 1, 1)):
            self.units[name] = Unit(inputs, outputs, kernel, stride, eps, momentum)

        for name, row in self.table:
            if isinstance(row, list):
                b0, b1a, b1b, b2a, b2b, b3b = row
                one, three = (1, 1, 1), (3, 3, 3)
                add(name + "_b0", channels, b0, one)
                add(name + "_b1a", channels, b1a, one)
                add(name + "_b1b", b1a, b1b, three)
                add(name + "_b2a", channels, b2a, one)
                add(name + "_b2b", b2a, b2b, three)
                add(name + "_b3b", channels, b3b, one)
                channels = b0 + b1b + b2b + b3b
            elif len(row) == 3:
                add(name, channels, row[2], row[0], row[1])
                channels = row[2]
        self.logits = nn.Conv3d(channels, classes, 1) if classes else None

    def tensors(self):
        """Our name -> parameter or buffer, in the network's order."""
        out = OrderedDict()
        for name, unit in self.units.items():
            mixed = name.startswith("Mixed")
            bn = name + (".bn.bn2d." if mixed else "_bn.bn2d.")
            out[name + (".conv3d.weight" if mixed else ".weight")] = unit.conv.weight
            out[bn + "gamma"], out[bn + "beta"] = unit.bn.weight, unit.bn.bias
            out[bn + "moving_mean"] = unit.bn.running_mean
            out[bn + "moving_variance"] = unit.bn.running_var
        if self.logits:
            out["logits_conv3d.weight"] = self.logits.weight
            out["logits_conv3d.bias"] = self.logits.bias
        return out

    def load(self, source):
        """From a dict of arrays, the path of an .npz, or one float32 array (or its raw file)."""
        tensors = self.tensors()
        if isinstance(source, str):
            source = numpy.load(source) if source.endswith(".npz") else numpy.fromfile(source, "f4")
        if isinstance(source, numpy.ndarray):
            ends = numpy.cumsum([tensor.numel() for tensor in tensors.values()])
            assert ends[-1] == source.size, f"{source.size} floats, {ends[-1]} expected"
            source = dict(zip(tensors, numpy.split(source, ends[:-1])))
        with torch.no_grad():
            for name, tensor in tensors.items():
                array = torch.as_tensor(numpy.ascontiguousarray(source[name]))
                tensor.copy_(array.reshape(tensor.shape))
        return self

    def pack(self, values=None):
        """The tensors, or others by the same names, as one float32 array."""
        values = values or self.tensors()
        return numpy.concatenate(
            [values[name].detach().numpy().astype("f4").ravel() for name in self.tensors()])

    def freeze_bn(self, wanted):
        """Batch norms of units whose name `wanted` accepts use their running statistics."""
        for name, unit in self.units.items():
            if wanted(name):
                unit.bn.eval()

    def max_pool(self, source, x, kernel, stride):
        """x is the value named `source` (of no use here, of use to a subclass)."""
        return functional.max_pool3d(pad_same(x, kernel, stride, -float("inf")), kernel, stride)

    def mix(self, name, source, x):
        """An Inception block: its four branches side by side."""
        values, units = self.values, self.units
        b1a = values[name + "_b1a"] = units[name + "_b1a"](x)
        b2a = values[name + "_b2a"] = units[name + "_b2a"](x)
        b3a = values[name + "_b3a"] = self.max_pool(source, x, (3, 3, 3), (1, 1, 1))
        return torch.cat([units[name + "_b0"](x), units[name + "_b1b"](b1a),
                          units[name + "_b2b"](b2a), units[name + "_b3b"](b3a)], dim=1)

    def forward(self, x, keep=None):
        """Every end point is kept in self.values under its name."""
        self.values, source = {"data": x}, "data"
        for name, row in self.table:
            if isinstance(row, list):
                x = self.mix(name, source, x)
            elif len(row) == 3:
                x = self.units[name](x)
            else:
                x = self.max_pool(source, x, *row)
            self.values[name], source = x, name
        if not self.logits:
            return x
        t, h, w = x.shape[2:]
        if self.head == "max":
            x = self.max_pool(source, x, (t, h, w), (t, h, w))
        else:
            x = functional.avg_pool3d(x, (min(2, t), h, w), stride=1)
        self.values["features"] = x
        if keep is not None:
            x = x * keep.reshape(x.shape)
        return self.logits(x).squeeze(4).squeeze(3).mean(2)
