"""Every value and every parameter's gradient of an engine against PyTorch in float64.

    /usr/bin/python3 tests/oracle/compare_engine.py build/tests/oracle/oracle_dump reference fp32

Prints the largest relative error (norm of the difference over norm) of each case; exit 1 when one
is above its bound, 77 when PyTorch is not installed.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed (Debian: python3-torch)")
    sys.exit(77)
from i3d_torch import I3D

FORWARD_BOUND, GRADIENT_BOUND = 1e-5, 1e-4

# channels, classes, head, BN epsilon, [N, T, H, W], mode
CASES = [
    (3, 400, "avg", 1e-3, (1, 16, 64, 64), "inference"),
    (2, 51, "max", 1e-5, (2, 9, 33, 47), "inference"),
    (3, 7, "avg", 1e-3, (2, 17, 65, 33), "training"),
    (2, 5, "max", 1e-5, (2, 9, 97, 41), "training"),
    (3, 5, "avg", 1e-3, (2, 8, 33, 65), "frozen"),
    (2, 4, "avg", 1e-3, (1, 33, 35, 71), "frozen"),
]


def relative(a, b):
    """Norm of the difference over the norm of the expected `b`."""
    difference = numpy.linalg.norm(a.ravel().astype("f8") - b.ravel())
    return difference / max(numpy.linalg.norm(b), 1e-30) if difference else 0.0


def draw_params(net, random):
    """Weights as at the start of training, batch norms as in its midst."""
    out = {}
    for name, tensor in net.tensors().items():
        shape = tuple(tensor.shape)
        if name.endswith("weight"):
            fan = numpy.prod(shape[1:])
            out[name] = random.normal(0, numpy.sqrt(2 / fan), shape)
        elif name.endswith(("gamma", "moving_variance")):
            out[name] = random.uniform(.5, 1.5, shape)
        else:
            out[name] = random.normal(0, .2, shape)
    return {name: array.astype("f4") for name, array in out.items()}


def write(folder, name, array):
    numpy.ascontiguousarray(array, "f4").tofile(folder / f"{name}.f32")


def run_oracle(net, mode, data, keep, logits_grad):
    """The logits, and for training our gradients' layout: {name: array}."""
    net.train(mode != "inference")
    if mode == "frozen":
        net.freeze_bn(lambda name: name < "Mixed_4b")
        for name, tensor in net.tensors().items():
            if tensor.requires_grad and name < "Mixed_4b":
                tensor.requires_grad = False
    if mode == "inference":
        with torch.no_grad():
            return net(data), {}
    before = {name: tensor.clone() for name, tensor in net.tensors().items()}
    logits = net(data, keep)
    (logits * logits_grad).sum().backward()
    grads = {}
    for name, tensor in net.tensors().items():
        if isinstance(tensor, torch.nn.Parameter):
            grads[name] = tensor.grad if tensor.grad is not None else torch.zeros_like(tensor)
        else:  # with momentum 1 the running statistics are the batch's
            frozen = mode == "frozen" and name < "Mixed_4b"
            assert not frozen or torch.equal(tensor, before[name])
            grads[name] = torch.zeros_like(tensor) if frozen else tensor
    return logits, {name: grad.numpy() for name, grad in grads.items()}


def check_description(folder, net):
    """Names, order and shapes of the parameters agree."""
    ours = [line.split() for line in (folder / "params.txt").read_text().splitlines()]
    theirs = [[name, *map(str, tensor.shape)] for name, tensor in net.tensors().items()]
    assert ours == theirs, "the parameters' names, order or shapes differ"


def compare(folder, net, logits, grads):
    """-> worst forward error and its value's name, worst gradient error and its parameter's."""
    forward = [(relative(numpy.fromfile(folder / "logits.f32", "f4"),
                         logits.detach().numpy()), "logits")]
    for index, line in enumerate((folder / "values.txt").read_text().splitlines()):
        name, path = line.split()[0], folder / f"value_{index}.f32"
        if path.exists():
            value = net.values[name].detach().numpy()
            forward.append((relative(numpy.fromfile(path, "f4"), value), name))
    gradient = [(0.0, "none")]
    if grads:
        ours = numpy.fromfile(folder / "grads.f32", "f4")
        offset = 0
        for name, expected in grads.items():
            part = ours[offset:offset + expected.size]
            gradient.append((relative(part, expected), name))
            offset += expected.size
    return max(forward), max(gradient), len(forward)


def run_case(dump, engine, precision, case):
    channels, classes, head, eps, (n, t, h, w), mode = case
    net = I3D(channels, classes, head, eps, momentum=1.0).double()
    random = numpy.random.default_rng(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = [dump, folder, engine, precision, channels, classes, head, eps, n, t, h, w]
        arguments = [str(argument) for argument in arguments]
        subprocess.run([*arguments, "describe"], check=True)
        check_description(folder, net)
        params = draw_params(net, random)
        net.load(params)
        write(folder, "params", net.pack())
        data = random.uniform(-1, 1, (n, channels, t, h, w)).astype("f4")
        last = [line.split() for line in (folder / "values.txt").read_text().splitlines()][-1]
        keep = (random.random((n, 1024, int(last[2]))) < .5).astype("f4") * 2
        logits_grad = random.normal(0, 1, (n, classes)).astype("f4")
        for file, array in (("data", data), ("keep", keep), ("logits_grad", logits_grad)):
            write(folder, file, array)
        data, keep, logits_grad = (torch.from_numpy(array).double()
                                   for array in (data, keep, logits_grad))
        logits, grads = run_oracle(net, mode, data, keep, logits_grad)
        subprocess.run([*arguments, mode], check=True)
        return compare(folder, net, logits, grads)


def main():
    dump, engine, precision = sys.argv[1:4]
    good = True
    for case in CASES:
        forward, gradient, values = run_case(dump, engine, precision, case)
        good &= forward[0] <= FORWARD_BOUND and gradient[0] <= GRADIENT_BOUND
        print(f"{case}: {values} values, worst {forward[0]:.1e} ({forward[1]}); "
              f"gradients, worst {gradient[0]:.1e} ({gradient[1]})", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
