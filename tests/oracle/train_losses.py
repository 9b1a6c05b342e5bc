"""Twenty steps of training against PyTorch in float64: losses of each optimizer, rgb and flow, all
layers and fine-tuning.

    /usr/bin/python3 tests/oracle/train_losses.py build/dev/tests/unit/train/test_train_trace [ENGINE]
    /usr/bin/python3 tests/oracle/train_losses.py PROGRAM --parts LAUNCH
    /usr/bin/python3 tests/oracle/train_losses.py PROGRAM --write tests/golden/train/losses.txt

The first trains both and compares; exit 1 when a loss differs by more than 1e-3 of it, 77 when
PyTorch is not installed. The second splits each batch over processes, started by LAUNCH N PROGRAM,
and over the parts of a step, each part with norms of its own; the running statistics are the mean
of the parts' by their clips. The third trains PyTorch alone and writes its losses of some cases,
which the program itself is tested against in `make test`.
"""
import multiprocessing
import os
import subprocess
import sys
import tempfile

import numpy

try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed (Debian: python3-torch)")
    sys.exit(77)
from i3d_torch import I3D

BOUND, STEPS, BATCHES, SHAPE, CLASSES = 1e-3, 20, 4, (4, 8, 48, 48), 5
# The rates are those of trace.c.
OPTIMIZERS = {
    "adam": lambda groups, all: torch.optim.Adam(groups, lr=1e-5 if all else 5e-5),
    "sgd": lambda groups, all: torch.optim.SGD(groups, lr=2e-5 if all else 1e-3, momentum=0.9),
    "rmsprop": lambda groups, all: torch.optim.RMSprop(groups, lr=3e-7 if all else 1e-5),
}
CASES = [f"{optimizer}-{stream}-{layers}" for optimizer in OPTIMIZERS
         for stream in ("rgb", "flow") for layers in ("all", "fine")]
GOLDEN = ["adam-rgb-all", "adam-flow-fine", "sgd-flow-all", "sgd-rgb-fine", "rmsprop-rgb-all",
          "rmsprop-flow-fine"]


def build(stream, layers, folder):
    """The network, in training mode, and its trained parameters by name."""
    net = I3D(3 if stream == "rgb" else 2, CLASSES).double().load(folder + "/params.bin").train()
    trained = {name: tensor for name, tensor in net.tensors().items()
               if isinstance(tensor, torch.nn.Parameter)
               and (layers == "all" or name.startswith(("logits", "Mixed_5")))}
    if layers == "fine":
        net.freeze_bn(lambda name: not name.startswith("Mixed_5"))
    return net, trained


# Norms of two clips alone are less well conditioned than those of four.
SPLIT_BOUND = 1e-2
# Cases, processes and batches of each. Three processes have two clips of four, two and none.
SPLITS = [("sgd-flow-fine", 2, 1), ("sgd-flow-fine", 1, 2), ("sgd-rgb-fine", 3, 1),
          ("adam-flow-fine", 2, 1)]


def running(net):
    """Its means and variances, each as one tensor to write to."""
    return [tensor for name, tensor in net.tensors().items() if "moving" in name]


def gradients(net, clips, labels, parts):
    """The loss of a batch in so many parts, with its gradients and running statistics."""
    most, loss = -(-len(clips) // parts), 0
    before = [tensor.clone() for tensor in running(net)]
    after = [torch.zeros_like(tensor) for tensor in before]
    for begin in range(0, len(clips), most):
        part = slice(begin, begin + most)
        for tensor, old in zip(running(net), before):
            tensor.copy_(old)
        share = len(labels[part]) / len(labels)
        part_loss = share * torch.nn.functional.cross_entropy(net(clips[part]), labels[part])
        part_loss.backward()
        loss += part_loss.item()
        for tensor, new in zip(after, running(net)):
            tensor += share * new
    for tensor, new in zip(running(net), after):
        tensor.copy_(new)
    return loss


def train(program, case, parts=1):
    """PyTorch's losses from the program's own initial weights and batches; then the norms of its
    running means and variances."""
    optimizer, stream, layers = case.split("-")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "dump", case, folder], check=True)
        net, trained = build(stream, layers, folder)
        n, t, h, w = SHAPE
        clips = numpy.fromfile(folder + "/batches.bin", "f4").reshape(BATCHES, n, -1, t, h, w)
        labels = numpy.loadtxt(folder + "/labels.txt", dtype="i8").reshape(BATCHES, n)
    spared = [tensor for name, tensor in trained.items() if name.endswith(("gamma", "beta"))]
    decayed = [tensor for name, tensor in trained.items() if not name.endswith(("gamma", "beta"))]
    steps = OPTIMIZERS[optimizer]([{"params": decayed, "weight_decay": 0.01}, {"params": spared}],
                                  layers == "all")
    losses = []
    for step in range(STEPS):
        net.zero_grad()
        losses.append(gradients(net, torch.from_numpy(clips[step % BATCHES]).double(),
                                torch.from_numpy(labels[step % BATCHES]), parts))
        steps.step()
    kinds = [[tensor.flatten() for name, tensor in net.tensors().items() if name.endswith(end)]
             for end in ("moving_mean", "moving_variance")]
    return losses + [torch.cat(kind).norm().item() for kind in kinds]


def compare(program, case, engine, launch=None, processes=1, accumulate=1):
    command = ([launch, str(processes)] if launch else []) + [program, "losses", case, engine,
                                                              str(accumulate)]
    ours = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ours = numpy.array(ours.split(), float)
    wanted = numpy.array(train(program, case, processes * accumulate))
    apart = abs(ours / wanted - 1)
    bound = BOUND if processes * accumulate == 1 else SPLIT_BOUND
    return apart[0] <= 1e-5 and apart.max() <= bound, (
        f"{case:18} {engine} {processes} x {accumulate}: loss {wanted[0]:.4f} -> "
        f"{wanted[STEPS - 1]:.4f}, running {wanted[-2]:.4f} {wanted[-1]:.4f}, largest relative "
        f"difference {apart[0]:.1e} at the first step, {apart.max():.1e} of all")


def main(program, *rest):
    # A case a core: PyTorch in float64 gains little from a second one.
    with multiprocessing.Pool(len(os.sched_getaffinity(0)), torch.set_num_threads, (1,)) as pool:
        if rest and rest[0] == "--write":
            losses = pool.starmap(train, [(program, case) for case in GOLDEN], chunksize=1)
            with open(rest[1], "w", encoding="ascii") as file:
                for case, numbers in zip(GOLDEN, losses):
                    losses = " ".join(f"{loss:.9g}" for loss in numbers[:STEPS])
                    file.write(f"{case} {losses}\n")
            return 0
        if rest and rest[0] == "--parts":
            cases = [(program, case, "auto", rest[1], *split) for case, *split in SPLITS]
        else:
            cases = [(program, case, *(rest or ["auto"])) for case in CASES]
        results = []
        for passed, line in pool.starmap(compare, cases, chunksize=1):
            print(line, flush=True)
            results.append(passed)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
