#!/usr/bin/env python3
"""PyTorch's times on a card for bench/device.py: device_torch.py [--turns N]

Speaks as device_bench does: lines "JSON name value". Medians of events on the card, clips of
3 x 64 x 224 x 224 that are there already, channels last.
"""
import argparse
import statistics
import sys
import types

import torch
from torch import nn
from torch.nn import functional

try:
    import numpy  # noqa: F401  the oracle's network reads weights with it, which are random here
except ImportError:
    sys.modules["numpy"] = types.ModuleType("numpy")
from engine_torch import Fast  # noqa: E402

# name, what precision means to PyTorch, batch
TASKS = [("forward", "bf16", 8), ("forward", "bf16", 1), ("forward", "fp16", 8),
         ("forward", "tf32", 8), ("training", "bf16", 8), ("training", "bf16", 16),
         ("fine-tuning", "bf16", 8)]
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "tf32": None}


def prepare(task, batch):
    torch.manual_seed(1)
    net = Fast(3, 400)
    for unit in net.units.values():
        nn.init.kaiming_normal_(unit.conv.weight, mode="fan_out", nonlinearity="relu")
    net = net.cuda().to(memory_format=torch.channels_last_3d).train(task != "forward")
    if task == "fine-tuning":
        net.freeze_bn(lambda name: not name.startswith("Mixed_5"))
        for name, parameter in net.tensors().items():
            parameter.requires_grad_(parameter.is_floating_point() and "moving" not in name
                                     and name.startswith(("Mixed_5", "logits")))
    clip = torch.rand(batch, 3, 64, 224, 224, device="cuda") * 2 - 1
    clip = clip.to(memory_format=torch.channels_last_3d)
    trained = [p for p in net.parameters() if p.requires_grad]
    return net, clip, torch.optim.SGD(trained, 1e-3, .9) if task != "forward" else None


def step(net, clip, optimizer, kind):
    with torch.autocast("cuda", kind or torch.bfloat16, enabled=kind is not None):
        if optimizer is None:
            with torch.no_grad():
                return net(clip)
        label = torch.zeros(clip.shape[0], dtype=torch.long, device="cuda")
        loss = functional.cross_entropy(net(clip).float(), label)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def measure(task, precision, batch, turns):
    net, clip, optimizer = prepare(task, batch)
    torch.cuda.reset_peak_memory_stats()
    times = []
    for turn in range(turns + 3):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        step(net, clip, optimizer, TYPES[precision])
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    median = statistics.median(times[3:])
    memory = torch.cuda.max_memory_allocated() / 1e6
    print(f"{task:22} {precision:5} B{batch:<3} {median:8.2f} ms {1e3 * batch / median:8.1f} clips/s "
          f"{memory:8.0f} MB")
    print(f"JSON time/{task}/{precision}/B{batch} {median:.4f}")
    print(f"JSON memory/{task}/{precision}/B{batch} {memory:.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    turns = parser.parse_args().turns
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    print(f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
          f"{torch.cuda.get_device_name()}")
    for task in TASKS:
        measure(*task, turns)
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
