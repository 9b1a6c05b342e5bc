#!/usr/bin/python3
"""An inflated GoogLeNet beside the 2-D one: weights_inflate.py I3D GOOGLENET.npz

On a still video every end point of the inflated network, away from the first and the last frames,
must be that of the 2-D network on the picture. The 2-D network here is GoogLeNet without its local
response norms, with I3D's SAME padding and pools, 5 x 5 kernels cut to their middle, and a border of
the grey that our input's zero is.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import torch
    from torch.nn import functional
except ImportError:
    print("skipped: python3-torch is not installed")
    sys.exit(77)
import numpy

from i3d_torch import I3D, TABLE, pad_same

program, source = sys.argv[1:]
if not pathlib.Path(source).exists():
    print(f"skipped: {source} is not here")
    sys.exit(77)
caffe = {name: torch.tensor(data.astype("f8")) for name, data in numpy.load(source).items()}
LAYERS = {"Conv3d_1a_7x7": "conv1/7x7_s2", "Conv3d_2b_1x1": "conv2/3x3_reduce",
          "Conv3d_2c_3x3": "conv2/3x3"}
BLOCKS = dict(zip(["3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"],
                  ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]))


def layer(x, name, stride=(1, 1)):
    weight = caffe[name + "/weight"]
    if weight.shape[2] == 5:
        weight = weight[:, :, 1:4, 1:4]
    x = pad_same(x, weight.shape[2:], stride)
    return functional.conv2d(x, weight, caffe[name + "/bias"], stride).relu()


def pool(x, kernel, stride):
    return functional.max_pool2d(pad_same(x, kernel, stride, -float("inf")), kernel, stride)


def stem(picture):
    """The first layer of a picture [N, 3, H, W] in RGB, -1..1, or of flow [N, 2, H, W]."""
    weight, bias = caffe["conv1/7x7_s2/weight"], caffe["conv1/7x7_s2/bias"]
    x = pad_same(picture, (7, 7), (2, 2)) * 127.5
    if picture.shape[1] == 3:
        x = (x + 127.5).flip(1) - torch.tensor([104., 117., 123.]).double()[:, None, None]
    else:
        x = x.sum(1, keepdim=True).repeat(1, 3, 1, 1) / 3
    return functional.conv2d(x, weight, bias, (2, 2)).relu()


def flat_network(picture):
    values, x = {}, picture
    for name, row in TABLE:
        if isinstance(row, list):
            block = "inception_" + BLOCKS[name[6:]] + "/"
            x = torch.cat([layer(x, block + "1x1"),
                           layer(layer(x, block + "3x3_reduce"), block + "3x3"),
                           layer(layer(x, block + "5x5_reduce"), block + "5x5"),
                           layer(pool(x, (3, 3), (1, 1)), block + "pool_proj")], dim=1)
        elif len(row) == 2:
            x = pool(x, row[0][1:], row[1][1:])
        else:
            x = stem(x) if name == "Conv3d_1a_7x7" else layer(x, LAYERS[name])
        values[name] = x
    return values


worst = 0
for channels in (3, 2):
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/inflated.ckpt"
        subprocess.run([program, "inflate", source, path, "--channels", str(channels)], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([program, "convert", path, folder + "/inflated.pt"], check=True,
                       stdout=subprocess.DEVNULL)
        state = torch.load(folder + "/inflated.pt")
    net = I3D(channels, 1000).double().eval()
    # piergiaj's state dict has our parameters in our order.
    net.load(dict(zip(net.tensors(), (value.numpy() for value in state.values()))))
    torch.manual_seed(channels)
    picture = torch.rand(1, channels, 64, 64).double() * 2 - 1
    with torch.no_grad():
        net(picture[:, :, None].repeat(1, 1, 128, 1, 1))
        expected = flat_network(picture)
    for name, value in expected.items():
        middle = net.values[name][:, :, net.values[name].shape[2] // 2]
        error = float((middle - value).norm() / value.norm())
        worst = max(worst, error)
        print(f"{channels} channels, {name}: relative error {error:.1e}")
print(f"worst {worst:.1e} (at most 1e-6)")
sys.exit(worst > 1e-6)
