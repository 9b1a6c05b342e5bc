"""Makes the golden files of the network: what PyTorch computes in float64, kept in float32.

    /usr/bin/python3 tests/golden/model/make.py

<case>.f32 of a small network: parameters, data, dropout mask (with a head only), gradient of the
output, output, gradients of the parameters, one behind the other and laid out as the engine's.
network.f32: of the whole I3D on numbers from the program's own generator, the logits in inference
and in training, then of every parameter's gradient its norm and SAMPLES of its elements.
"""
import sys
from pathlib import Path

import numpy
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "oracle"))
from i3d_torch import I3D  # noqa: E402

ONE, TWO, THREE = (1, 1, 1), (2, 2, 2), (3, 3, 3)
# In front of every unit, so that the gradient of the unit's input is seen in this one's.
FIRST = ("a", (ONE, ONE, 3))

# name: (T, H, W), the unit behind FIRST (None: the head), head, whether batch norms are frozen
CASES = {
    "conv_7x7x7": ((5, 9, 8), ("b", ((7, 7, 7), TWO, 2)), "avg", False),
    "conv_3x3x3": ((3, 5, 7), ("b", (THREE, ONE, 5)), "avg", False),
    "conv_strided": ((4, 7, 9), ("b", ((3, 5, 4), (2, 3, 2), 4)), "avg", False),
    "conv_1x1x1": ((2, 3, 4), ("b", (ONE, ONE, 9)), "avg", False),
    "conv_frozen": ((3, 5, 6), ("b", (THREE, ONE, 4)), "avg", True),
    "pool_1x3x3": ((3, 7, 8), ("b", ((1, 3, 3), (1, 2, 2))), "avg", False),
    "pool_3x3x3": ((5, 6, 7), ("b", (THREE, TWO)), "avg", False),
    "pool_2x2x2": ((5, 6, 7), ("b", (TWO, TWO)), "avg", False),
    "mixed": ((3, 5, 6), ("Mixed_x", [3, 2, 4, 1, 2, 3]), "avg", False),
    "head_avg": ((5, 3, 4), None, "avg", False),
    "head_avg_1": ((1, 4, 3), None, "avg", False),
    "head_max": ((5, 3, 4), None, "max", False),
}

SAMPLES = 4
GOLDEN_RATIO = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(z):
    """SplitMix64's finish, on Python's or NumPy's numbers."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def draw(seed, stream, index, count, low=0):
    """The first uniform numbers of the program's random_for(seed, stream, index) in [low, 1)."""
    state = mix(seed + GOLDEN_RATIO & MASK)
    state = mix(state ^ mix(stream + 2 * GOLDEN_RATIO & MASK))
    state = mix(state ^ mix(index + 3 * GOLDEN_RATIO & MASK))
    steps = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(GOLDEN_RATIO)
    z = steps + numpy.uint64(state)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return low + (1 - low) * ((z >> numpy.uint64(11)).astype("f8") * 2.0 ** -53)


def fill_params(net, seed):
    """As net_draw_params() of the tests: weights by fan in, batch norms as in training's midst."""
    out = {}
    for index, (name, tensor) in enumerate(net.tensors().items()):
        unit = draw(seed, 1, index, tensor.numel())
        if name.endswith("weight"):
            value = (2 * unit - 1) * numpy.sqrt(6 / (tensor.numel() // tensor.shape[0]))
        elif name.endswith(("gamma", "moving_variance")):
            value = unit + .5
        else:
            value = (2 * unit - 1) * .3
        out[name] = value.astype("f4")
    return net.load(out)


def train(net, data, keep, output_grad, is_frozen):
    """-> output, gradients in the engine's layout. is_frozen(name): of a unit or its parameter."""
    net.train()
    net.freeze_bn(is_frozen)
    output = net(data, keep)
    (output * output_grad).sum().backward()
    grads = {}
    for name, tensor in net.tensors().items():
        if isinstance(tensor, torch.nn.Parameter):
            grads[name] = tensor.grad
        else:  # with momentum 1 the running statistics have become the batch's
            grads[name] = torch.zeros_like(tensor) if is_frozen(name) else tensor
    return output, grads


def as_double(array, *shape):
    return torch.from_numpy(array.astype("f4")).double().reshape(shape)


def make_case(name, seed, size, unit, head, frozen):
    channels, classes, n = 2, 0 if unit else 4, 2
    table = [FIRST, unit] if unit else [FIRST]
    net = fill_params(I3D(channels, classes, head, 1e-3, 1.0, table).double(), seed)
    params = net.pack()
    data = as_double(draw(seed, 2, 0, n * channels * size[0] * size[1] * size[2], -1), n, channels,
                     *size)
    shape = net.eval()(data).shape
    output_grad = as_double(draw(seed, 3, 0, shape.numel(), -1), *shape)
    parts, keep = [params, data], None
    if classes:
        shape = net.values["features"].shape[:3]
        keep = as_double(2.0 * (draw(seed, 4, 0, shape.numel()) < .5), *shape)
        parts.append(keep)
    output, grads = train(net, data, keep, output_grad, lambda unit: frozen)
    parts += [output_grad, output.detach(), net.pack(grads)]
    numpy.concatenate([numpy.asarray(part, "f4").ravel() for part in parts]).tofile(
        HERE / f"{name}.f32")


def make_network(seed=1):
    channels, classes, (n, t, h, w) = 3, 6, (2, 9, 41, 33)
    net = fill_params(I3D(channels, classes, "avg", 1e-3, 1.0).double(), seed)
    # Patches of 2 x 16 x 16, so that the deep layers see more than the mean of noise.
    shape = (n, channels, -(-t // 2), -(-h // 16), -(-w // 16))
    coarse = draw(seed, 2, 0, numpy.prod(shape), -1).reshape(shape)
    patches = coarse.repeat(2, 2).repeat(16, 3).repeat(16, 4)[:, :, :t, :h, :w]
    noise = draw(seed, 2, 1, patches.size, -1).reshape(patches.shape)
    data = as_double(.7 * patches + .3 * noise, n, channels, t, h, w)
    keep = as_double(2.0 * (draw(seed, 4, 0, n * 1024) < .5), n, 1024, 1)  # t' = 2
    logits_grad = as_double(draw(seed, 3, 0, n * classes, -1), n, classes)
    with torch.no_grad():
        parts = [net.eval()(data).numpy()]
    # The maps behind have so few elements that their statistics would blow up rounding.
    logits, grads = train(net, data, keep, logits_grad, lambda unit: unit >= "Mixed_4")
    parts.append(logits.detach().numpy())
    for grad in grads.values():
        flat = grad.detach().numpy().ravel()
        parts.append(numpy.array([numpy.linalg.norm(flat)]))
        parts.append(flat[[len(flat) * i // SAMPLES for i in range(SAMPLES)]])
    numpy.concatenate([part.ravel() for part in parts]).astype("f4").tofile(HERE / "network.f32")


if __name__ == "__main__":
    for number, (case, arguments) in enumerate(CASES.items()):
        make_case(case, number + 1, *arguments)
    make_network()
