#!/usr/bin/python3
"""The weights in graphs that the frameworks export: weights_graph.py I3D VIRTUALENV

MindSpore exports an I3D with the original's names as MINDIR and as ONNX and saves it as .ckpt, with a
checksum, encrypted, and fine-tuned with moments; PyTorch exports one with piergiaj's names as ONNX,
with batch norms kept and, as it does unless told otherwise, folded away with the names. Each file
must be a whole I3D to us, with every value, and its network must give the framework's logits.
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
except ImportError:
    print("skipped: python3-torch is not installed")
    sys.exit(77)
import numpy
from torch import nn
from torch.nn import functional

import i3d_torch
from i3d_table import TABLE

program, virtualenv = sys.argv[1], pathlib.Path(sys.argv[2])
if not (virtualenv / "complete").exists():
    print("skipped: no virtualenv with MindSpore; the oracle test 'weights' makes it")
    sys.exit(77)
folder = tempfile.TemporaryDirectory()
here = pathlib.Path(folder.name)
warnings.filterwarnings("ignore") # the exporter has many
BOUND = 1e-4
failed = False


def check(what, good):
    global failed
    failed |= not good
    print(f"{what}: {'good' if good else 'WRONG'}", flush=True)


def pad_same(x, kernel, stride):
    """As i3d_torch has it, in numbers that the exporter sees as such."""
    pads = []
    for size, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride)):
        total = max((-(-int(size) // s) - 1) * s + k - int(size), 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads)


class Unit(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=(1, 1, 1)):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=1e-3)

    def forward(self, x):
        return self.bn(self.conv3d(pad_same(x, self.kernel, self.stride))).relu()


class Mixed(nn.Module):
    def __init__(self, inputs, row):
        super().__init__()
        one, three = (1, 1, 1), (3, 3, 3)
        self.b0 = Unit(inputs, row[0], one)
        self.b1a, self.b1b = Unit(inputs, row[1], one), Unit(row[1], row[2], three)
        self.b2a, self.b2b = Unit(inputs, row[3], one), Unit(row[3], row[4], three)
        self.b3b = Unit(inputs, row[5], one)

    def forward(self, x):
        pool = functional.max_pool3d(x, 3, 1, 1)
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)),
                          self.b3b(pool)], 1)


class Piergiaj(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        for name, row in TABLE:
            if isinstance(row, list):
                self.add_module(name, Mixed(channels, row))
                channels = row[0] + row[2] + row[4] + row[5]
            elif len(row) == 3:
                self.add_module(name, Unit(channels, row[2], row[0], row[1]))
                channels = row[2]
        self.logits = nn.Module()
        self.logits.conv3d = nn.Conv3d(channels, classes, 1)

    def forward(self, x):
        for name, row in TABLE:
            pool = not isinstance(row, list) and len(row) == 2
            x = (functional.max_pool3d(pad_same(x, *row), *row) if pool
                 else getattr(self, name)(x))
        t, h, w = map(int, x.shape[2:])
        x = functional.avg_pool3d(x, (min(2, t), h, w), 1)
        return self.logits.conv3d(x).squeeze(4).squeeze(3).mean(2)


def convert(source):
    """Our network of a file: name -> array, names as PyTorch's."""
    subprocess.run([program, "convert", "--strict", here / source, here / "ours.npz"], check=True,
                   stdout=subprocess.DEVNULL)
    return dict(numpy.load(here / "ours.npz"))


def logits(arrays, data, head, eps):
    channels, classes = data.shape[1], arrays["logits.conv3d.bias"].size
    net = i3d_torch.I3D(channels, classes, head, eps).eval()
    net.load(dict(zip(net.tensors(), arrays.values()))) # in our order
    with torch.no_grad():
        return net(torch.tensor(data)).numpy()


def near(what, got, expected):
    error = float(abs(got - expected).max())
    check(f"{what}: logits to {abs(expected).max():.1f}, largest difference {error:.1e}",
          error < BOUND)


script = pathlib.Path(__file__).with_name("i3d_mindspore.py")
subprocess.run([virtualenv / "bin/python", script, here], check=True, stdout=subprocess.DEVNULL,
               stderr=subprocess.DEVNULL)
params = list(numpy.load(here / "params.npz").items())
data, expected = numpy.load(here / "data.npy"), numpy.load(here / "logits.npy")
for source in ("net.mindir", "net.onnx", "net.ckpt"):
    arrays = convert(source)
    values = sorted(value.tobytes() for _, value in params)
    check(f"MindSpore's {source}: {len(arrays)} tensors",
          sorted(value.tobytes() for value in arrays.values()) == values)
    near(f"MindSpore's {source}", logits(arrays, data, "max", 1e-5), expected)
tuned = sorted(value.tobytes() for value in numpy.load(here / "tuned.npz").values())
check("MindSpore's fine-tuned .ckpt, with moments",
      sorted(value.tobytes() for value in convert("tuned.ckpt").values()) == tuned)
refused = subprocess.run([program, "inspect", here / "secret.ckpt"], capture_output=True, text=True)
check("MindSpore's encrypted .ckpt is refused",
      refused.returncode == 1 and "MindSpore encrypted it" in refused.stderr)

torch.manual_seed(1)
net = Piergiaj(3, 7).eval()
with torch.no_grad():
    for name, value in net.state_dict().items():
        if name.endswith(("bn.weight", "var")):
            value.uniform_(.5, 1.5)
        elif value.ndim == 5:
            value.normal_(0, (2 / value[0].numel()) ** .5)
        elif value.ndim:
            value.uniform_(-.3, .3)
clip = torch.rand(1, 3, 16, 64, 64) * 2 - 1
kept = {"training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False}
for what, options in (("kept", kept), ("folded", {})):
    torch.onnx.export(net, clip, here / "net.onnx", opset_version=13, **options)
    with torch.no_grad(): # behind the export, which in training mode moves the statistics
        expected = net.eval()(clip).numpy()
    near(f"PyTorch's .onnx, norms {what}",
         logits(convert("net.onnx"), clip.numpy(), "avg", 1e-3), expected)
sys.exit(failed)
