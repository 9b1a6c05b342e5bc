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
from torch.nn import functional
from i3d_torch import I3D, TABLE, pad_same

FORWARD_BOUND, GRADIENT_BOUND, KINK_BOUND = 1e-5, 1e-4, 1e-5

# channels, classes, head, BN epsilon, (N, T, H, W), mode
CASES = [
    (3, 400, "avg", 1e-3, (1, 16, 64, 64), "inference"),
    (2, 51, "max", 1e-5, (2, 9, 33, 47), "inference"),
    (3, 7, "avg", 1e-3, (2, 17, 65, 33), "training"),
    (2, 5, "max", 1e-5, (2, 9, 97, 41), "training"),
    (3, 5, "avg", 1e-3, (2, 8, 33, 65), "frozen"),
    (2, 4, "avg", 1e-3, (1, 33, 35, 71), "frozen"),
]


class SameSide(I3D):
    """An I3D whose ReLUs and maxima decide as the engine's did.

    Within rounding of its kink either side is right, but one decision the other way moves a small
    gradient by more than all rounding does; so the gradients compared are those of the same smooth
    piece. `far` tells how far from its kink a decision that differs was, relative to the value's
    largest element: it has to be rounding."""

    def follow(self, sides):
        """sides: the engine's value of each unit and of each pool's source, by name."""
        self.sides, self.far = sides, 0.0
        for name, unit in self.units.items():
            unit.relu = lambda x, positive=sides[name] > 0: self.rectify(x, positive)

    def note(self, distance, x):
        self.far = max(self.far, (distance.max() / x.abs().max()).item())

    def rectify(self, x, positive):
        self.note(x.detach().abs() * ((x > 0) != positive), x.detach())
        return x * positive

    def max_pool(self, source, x, kernel, stride):
        side, x = (pad_same(y, kernel, stride, -float("inf")) for y in (self.sides[source], x))
        _, index = functional.max_pool3d(side, kernel, stride, return_indices=True)
        out = x.flatten(2).gather(2, index.flatten(2)).reshape(index.shape)
        self.note((functional.max_pool3d(x, kernel, stride) - out).detach(), out.detach())
        return out


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
            out[name] = random.normal(0, numpy.sqrt(2 / numpy.prod(shape[1:])), shape)
        elif name.endswith(("gamma", "moving_variance")):
            out[name] = random.uniform(.5, 1.5, shape)
        else:
            out[name] = random.normal(0, .2, shape)
    return {name: array.astype("f4") for name, array in out.items()}


def draw_clips(shape, random):
    """Patches of 4 x 16 x 16 and noise: of noise alone the deep layers see nothing but its mean."""
    coarse = [-(-size // step) for size, step in zip(shape, (1, 1, 4, 16, 16))]
    patches = random.uniform(-1, 1, coarse)
    for axis, step in ((2, 4), (3, 16), (4, 16)):
        patches = patches.repeat(step, axis)
    patches = patches[:, :, :shape[2], :shape[3], :shape[4]]
    return (.7 * patches + .3 * random.uniform(-1, 1, shape)).astype("f4")


def read_values(folder, net):
    """The engine's values by name, and those of an Inception block also by branch."""
    values = {}
    for index, line in enumerate((folder / "values.txt").read_text().splitlines()):
        name, *shape = line.split()
        path = folder / f"value_{index}.f32"
        if path.exists():
            shape = [-1, *map(int, shape)]
            values[name] = torch.from_numpy(numpy.fromfile(path, "f4").reshape(shape)).double()
    for name, row in TABLE:
        if isinstance(row, list):
            branches = values[name].split([row[0], row[2], row[4], row[5]], dim=1)
            values.update(zip((name + "_" + b for b in ("b0", "b1b", "b2b", "b3b")), branches))
    return values


def is_front(name):
    """What the mode `frozen` neither trains nor normalises by the batch."""
    return name < "Mixed_4b"


def run_oracle(net, mode, data, keep, logits_gradient):
    """The logits, and for training {name: gradient} in our layout."""
    net.train(mode != "inference")
    if mode == "inference":
        with torch.no_grad():
            return net(data), {}
    if mode == "frozen":
        net.freeze_bn(is_front)
    logits = net(data, keep)
    (logits * logits_gradient).sum().backward()
    grads = {}
    for name, tensor in net.tensors().items():
        # With momentum 1 the running statistics have become the batch's.
        grad = tensor.grad if isinstance(tensor, torch.nn.Parameter) else tensor
        untouched = mode == "frozen" and is_front(name)
        grads[name] = (torch.zeros_like(tensor) if untouched else grad).detach().numpy()
    return logits, grads


def check_description(folder, net):
    """Names, order and shapes of the parameters agree."""
    ours = [line.split() for line in (folder / "params.txt").read_text().splitlines()]
    theirs = [[name, *map(str, tensor.shape)] for name, tensor in net.tensors().items()]
    assert ours == theirs, "the parameters' names, order or shapes differ"


def worst(errors):
    """The largest error and its name."""
    return max(((error, name) for name, error in errors.items()), default=(0.0, "none"))


def compare(folder, net, values, logits, grads):
    """-> the worst error of a value and of a gradient, each with its name."""
    forward = {name: relative(values[name].numpy(), expected.detach().numpy())
               for name, expected in net.values.items() if name in values}
    forward["logits"] = relative(numpy.fromfile(folder / "logits.f32", "f4"),
                                 logits.detach().numpy())
    backward, offset = {}, 0
    if grads:
        ours = numpy.fromfile(folder / "gradients.f32", "f4")
        for name, expected in grads.items():
            backward[name] = relative(ours[offset:offset + expected.size], expected)
            offset += expected.size
    return worst(forward), worst(backward)


def run_case(dump, engine, precision, case):
    channels, classes, head, eps, (n, t, h, w), mode = case
    net = SameSide(channels, classes, head, eps, momentum=1.0).double()
    random = numpy.random.default_rng(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = [dump, folder, engine, precision, channels, classes, head, eps, n, t, h, w]
        arguments = [str(argument) for argument in arguments]
        subprocess.run([*arguments, "describe"], check=True)
        check_description(folder, net)
        net.load(draw_params(net, random))
        features_t = int((folder / "values.txt").read_text().split()[-3])
        inputs = {
            "params": net.pack(),
            "data": draw_clips((n, channels, t, h, w), random),
            "keep": (random.random((n, 1024, features_t)) < .5).astype("f4") * 2,
            "logits_gradient": random.normal(0, 1, (n, classes)).astype("f4"),
        }
        for file, array in inputs.items():
            array.tofile(folder / f"{file}.f32")
        subprocess.run([*arguments, mode], check=True)
        values = read_values(folder, net)
        net.follow(values)
        data, keep, logits_gradient = (torch.from_numpy(inputs[file]).double()
                                   for file in ("data", "keep", "logits_gradient"))
        logits, grads = run_oracle(net, mode, data, keep, logits_gradient)
        return *compare(folder, net, values, logits, grads), net.far


def main():
    dump, engine, precision = sys.argv[1:4]
    good = True
    for case in CASES:
        forward, backward, far = run_case(dump, engine, precision, case)
        good &= forward[0] <= FORWARD_BOUND and backward[0] <= GRADIENT_BOUND and far <= KINK_BOUND
        print(f"{case}: values {forward[0]:.1e} ({forward[1]}), "
              f"gradients {backward[0]:.1e} ({backward[1]}), kinks {far:.1e}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
