#!/usr/bin/python3
"""PyTorch at work, eager, for bench/engine.py: engine_torch.py infer|train|tune fp32|bf16 [T H W]

Speaks as engine_bench does. The network is that of tests/oracle, written as one would for speed:
padding inside the convolution or pool where it is symmetric, ReLU in place, nothing kept.
"""
import pathlib
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "oracle"))
from i3d_torch import I3D, TABLE, pad_same  # noqa: E402


def padding(x, kernel, stride):
    """Of each axis if the front and back are equal, otherwise None."""
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(x.shape[2:], kernel, stride)]
    return None if any(t % 2 for t in total) else [t // 2 for t in total]


def pool(x, kernel, stride):
    pads = padding(x, kernel, stride)
    if pads is None:
        return functional.max_pool3d(pad_same(x, kernel, stride, -float("inf")), kernel, stride)
    return functional.max_pool3d(x, kernel, stride, pads)


class Fast(I3D):
    def unit(self, name, x):
        unit = self.units[name]
        pads = padding(x, unit.kernel, unit.stride)
        if pads is None:
            x, pads = pad_same(x, unit.kernel, unit.stride), 0
        x = functional.conv3d(x, unit.conv.weight, None, unit.stride, pads)
        return functional.relu(unit.bn(x), inplace=True)

    def forward(self, x):
        for name, row in TABLE:
            if isinstance(row, list):
                x = torch.cat([self.unit(name + "_b0", x),
                               self.unit(name + "_b1b", self.unit(name + "_b1a", x)),
                               self.unit(name + "_b2b", self.unit(name + "_b2a", x)),
                               self.unit(name + "_b3b", pool(x, (3, 3, 3), (1, 1, 1)))], dim=1)
            elif len(row) == 3:
                x = self.unit(name, x)
            else:
                x = pool(x, *row)
        x = functional.avg_pool3d(x, (min(2, x.shape[2]), *x.shape[3:]), stride=1)
        return self.logits(x).squeeze(4).squeeze(3).mean(2)


def prepare(what, precision, size):
    torch.manual_seed(1)
    net, clip = Fast(3, 400), torch.rand(1, 3, *size) * 2 - 1
    for unit in net.units.values():
        nn.init.kaiming_normal_(unit.conv.weight, mode="fan_out", nonlinearity="relu")
    if precision == "bf16":
        net = net.to(memory_format=torch.channels_last_3d)
        clip = clip.to(memory_format=torch.channels_last_3d)
    net.train(what != "infer")
    if what == "tune":
        net.freeze_bn(lambda name: not name.startswith("Mixed_5"))
        for name, parameter in net.tensors().items():
            parameter.requires_grad_(parameter.is_floating_point() and "moving" not in name
                                     and name.startswith(("Mixed_5", "logits")))
    return net, clip


def run(net, clip, what, precision):
    label = torch.zeros(1, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        if what == "infer":
            with torch.no_grad():
                return net(clip)
        loss = functional.cross_entropy(net(clip).float(), label)
    net.zero_grad(set_to_none=True)
    loss.backward()


def main():
    what, precision, *size = sys.argv[1:]
    torch.set_num_threads(2)
    net, clip = prepare(what, precision, [int(n) for n in size] or [64, 224, 224])
    run(net, clip, what, precision)
    run(net, clip, what, precision)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.monotonic()
        run(net, clip, what, precision)
        print(f"{time.monotonic() - start:.6f}", flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
